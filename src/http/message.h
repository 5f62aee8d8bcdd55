// A request and a response as the handlers see them. No library type here, so that api/ compiles fast.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace cc::http {

struct Request {
  std::string method;
  std::string path;                             // percent-decoded, without the query
  std::map<std::string, std::string> query;      // percent-decoded
  std::map<std::string, std::string> headers;    // names in lower case
  std::string body;                              // wiped when the request dies
  std::string peer;                              // address of the caller without the port
  bool loopback = false;                         // the caller is on this machine
  bool encrypted = false;                        // TLS or a unix socket
  std::map<std::string, std::string> captures;   // {name} parts of the route
  std::uint64_t id = 0;                          // request id, also in the log

  std::string_view header(std::string_view lower_case_name) const;
  Request() = default;
  Request(Request&&) = default;
  Request& operator=(Request&&) = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Answers one request, once, from any thread. A responder that dies unused answers 500.
using Responder = std::function<void(Response)>;

// Own endpoints: RFC 9457 application/problem+json {type, title, status, detail, code}.
Response problem(const Error& error);
Response json(int status, std::string body);
Response text(int status, std::string body);

}  // namespace cc::http
