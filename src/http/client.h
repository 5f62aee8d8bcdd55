// A small HTTP client over libcurl for the command line (and later for clouds). Wipes what it received.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Milliseconds timeout{60'000};
};
struct ClientResponse {
  int status = 0;
  std::string content_type;
  std::string body;
};

// No redirects, no proxies, 16 MiB at most. Errors: unreachable naming host and reason.
Result<ClientResponse> send(const ClientRequest& request);

}  // namespace cc::http
