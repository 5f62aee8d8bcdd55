// A request and a response as the handlers see them. No library type here, so that api/ compiles fast.
//
// Secrets that pass: passphrases and key material in bodies, tokens in headers. A request wipes its body and its header
// values when it dies or is assigned to; what a handler moves out is the handler's to wipe. The server wipes its own
// copies of requests and of response bodies once they are read or sent.
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

using TextMap = std::map<std::string, std::string, std::less<>>;

struct Request;

// Who goes with a request from its arrival to its answer and keeps a record of it. The code on the way tells it what
// only that code knows.
class Companion {
 public:
  virtual ~Companion() = default;
  // Who the access check found the caller to be; any thread.
  virtual void caller(std::string_view policy, bool authenticated) = 0;
  // The work is about to begin, on a thread that may block. An error: it must not, and is the answer.
  virtual Result<void> begins(const Request& request) = 0;
};

struct Request {
  std::string method;
  std::string path;                      // percent-decoded, without the query
  TextMap query;                         // percent-decoded
  TextMap headers;                       // names in lower case
  std::string body;                      // wiped when the request dies
  std::string peer;                      // address of the caller without the port
  bool loopback = false;                 // the caller is on this machine
  bool encrypted = false;                // TLS or a unix socket
  TextMap captures;                      // {name} parts of the route
  std::string id;                        // request id, also in the log and in the answer's X-Request-Id
  std::shared_ptr<Companion> companion;  // may be null

  // The header's value, empty when absent. Repeated headers are joined with ", ".
  std::string_view header(std::string_view lower_case_name) const;
  Request() = default;
  Request(Request&&) = default;
  Request& operator=(Request&& other) noexcept;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

 private:
  void wipe_content() noexcept;
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
