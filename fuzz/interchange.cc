// rooms: guard
// The EIP-3076 reader: whatever is accepted says the same after being written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "guard/interchange.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = cc::guard::parse_interchange({reinterpret_cast<const char*>(data), size});
  if (!read) {
    if (read.error().kind != cc::ErrorKind::interchange_invalid || read.error().message.empty()) {
      std::abort();
    }
    return 0;
  }
  const std::string written = cc::guard::write_interchange(*read);
  const auto again = cc::guard::parse_interchange(written);
  if (!again || again->data.size() != read->data.size() || cc::guard::write_interchange(*again) != written) {
    std::abort();
  }
  return 0;
}
