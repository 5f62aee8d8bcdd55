// rooms: audit
// Any bytes as an audit log: what is accepted as an entry is written back byte by byte, and no log ends the verifier.
#include <cstdlib>
#include <string_view>

#include "audit/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  cc::audit::Verifier verifier;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    if (const auto entry = cc::audit::decode(line); entry && cc::audit::encode(*entry) != line) {
      std::abort();
    }
    verifier.line(line);
    text.remove_prefix(end + 1);
  }
  verifier.finish(text.size());
  return 0;
}
