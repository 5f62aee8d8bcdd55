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

// For https. Empty: the system's authorities, and no certificate of our own. The signer's certificate is always
// checked.
struct ClientTls {
  std::string ca_path;           // PEM; trusts these authorities and no others
  std::string certificate_path;  // PEM, shown to the signer
  std::string key_path;          // its key; empty: in the same file
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // sent as application/json unless a header says otherwise
  Milliseconds timeout{60'000};
  ClientTls tls{};

  ~ClientRequest();
};
struct ClientResponse {
  int status = 0;
  std::string content_type;
  std::string audit_head;  // the X-Audit-Head header
  std::string body;

  ~ClientResponse();
};

// Errors: unreachable naming host and reason (no answer in time and a certificate that cannot be trusted among them);
// usage for an address that is not http or https, and for files of `tls` that cannot be used. Any answer, of whatever
// status, is a success here.
Result<ClientResponse> send(const ClientRequest& request);

}  // namespace cc::http
