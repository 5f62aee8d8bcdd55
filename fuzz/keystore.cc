// rooms: formats
// EIP-2335 files from strangers. Parsing never throws; files with cheap parameters are also opened.
#include <cstdlib>
#include <string_view>

#include "formats/keystore.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = cc::keystore::parse(text);
  if (!parsed) {
    if (parsed.error().kind != cc::ErrorKind::keystore_invalid) {
      std::abort();
    }
    return 0;
  }
  // The seeds derive in no time ("c":2, "n":2); a costly key derivation would only slow the search down.
  const bool cheap = text.find("\"c\":2,") != std::string_view::npos || text.find("\"n\":2,") != std::string_view::npos;
  if (cheap && size < 1200) {
    const auto key = cc::keystore::open(*parsed, cc::SecretBytes::copy_of(std::string_view("test password")));
    if (key && parsed->public_key && key->public_key() != *parsed->public_key) {
      std::abort();
    }
  }
  return 0;
}
