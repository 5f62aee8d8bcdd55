// rooms: seal
// Any text as a share: what is accepted is written back character by character, but for surrounding white space.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "seal/share_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto share = cc::seal::parse_share_text(cc::SecretBytes::copy_of(text));
  if (!share) {
    return 0;
  }
  const cc::SecretBytes again = cc::seal::to_text(share->share, share->lock);
  const auto bytes = expose_secret_bytes(again);
  const std::string_view written(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.find(written) == std::string_view::npos) {
    std::abort();
  }
  return 0;
}
