// rooms: keys
// Keystore caches from a hostile disk: what decodes re-encodes to itself.
#include <algorithm>
#include <cstdlib>

#include "keys/keystore_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cc::ByteView bytes(data, size);
  const auto cache = cc::keys::decode_cache(bytes);
  if (cache && !std::ranges::equal(cc::keys::encode(*cache), bytes)) {
    std::abort();
  }
  return 0;
}
