// The part of the configuration that says how callers reach the signer: TLS, and what a web browser may ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"

namespace cc::app {

struct TlsConfig {
  std::string mode;            // disabled, file
  std::string listen_address;  // empty: that of the API listener
  std::uint64_t listen_port = 0;
  std::string minimum_version;  // 1.2, 1.3
  std::uint64_t handshake_timeout_seconds = 0;
  struct File {
    std::string cert_path, key_path;
    SecretBytes key_password;
    std::uint64_t reload_interval_seconds = 0;
  } file;
  struct Client {
    std::string mode;  // none, optional, required
    std::string ca_path, known_clients_path;
    std::vector<std::string> allowed;
  } client;
  bool enabled() const { return mode == "file"; }
};

struct HttpConfig {
  std::vector<std::string> host_allowlist, origin_allowlist;
};

}  // namespace cc::app
