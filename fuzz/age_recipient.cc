// rooms: formats
// Any text as a backup recipient: what is accepted is written back character by character.
#include <cstdlib>
#include <string_view>

#include "formats/age_recipient.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recipient = cc::age::parse_recipient(text);
  if (recipient && cc::age::to_text(*recipient) != text) {
    std::abort();
  }
  return 0;
}
