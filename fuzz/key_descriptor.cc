// rooms: adapters/files
// Key descriptors from a hostile folder: never an exception, always at least one answer.
#include <cstdlib>
#include <string_view>

#include "adapters/files/descriptor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = cc::files::parse_descriptors({reinterpret_cast<const char*>(data), size});
  if (all.empty()) {
    std::abort();
  }
  return 0;
}
