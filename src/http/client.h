// A small HTTP client over libcurl for the command line: http and https, no redirects, no proxies, one connection per
// request, 16 MiB at most.
//
// Secrets that pass: tokens in headers and in the URL's user part, passphrases in bodies, one-time tokens in answers.
// Requests and responses wipe their texts when they die. libcurl's own copies are wiped only where
// install_wiping_allocators() (http/wiping_allocators.h) ran first. Messages name scheme, host and port, never the user
// part. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // sent as application/json unless a header says otherwise
  Milliseconds timeout{60'000};

  ~ClientRequest();
};
struct ClientResponse {
  int status = 0;
  std::string content_type;
  std::string body;

  ~ClientResponse();
};

// Errors: unreachable naming host and reason (no answer in time among them); usage for an address that is not http or
// https. Any answer, of whatever status, is a success here.
Result<ClientResponse> send(const ClientRequest& request);

}  // namespace cc::http
