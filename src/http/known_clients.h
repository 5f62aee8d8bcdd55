// Web3Signer's known-clients file: one client a line, its common name and the SHA-256 fingerprint of its certificate.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::http {

struct KnownClient {
  std::string name;         // common name; compared as it stands
  std::string fingerprint;  // 64 lower-case hexadecimal digits
};

// Blank lines and lines that begin with '#' are skipped; the fingerprint may have colons and either case. At most
// 10,000 clients. Errors: config_invalid naming the line.
Result<std::vector<KnownClient>> parse_known_clients(std::string_view text);

}  // namespace cc::http
