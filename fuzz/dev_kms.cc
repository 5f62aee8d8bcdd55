// rooms: devkms
// A request to dev-kms: whatever is not signed is refused, whatever the headers and the body hold.
#include "devkms/access.h"

#include <cstdlib>
#include <filesystem>

namespace {

cc::devkms::Access make_access() {
  char name[] = "/tmp/cc-fuzz-dev-kms-XXXXXX";
  if (::mkdtemp(name) == nullptr) {
    std::abort();
  }
  cc::SystemRandom random;
  auto access = cc::devkms::Access::open(std::string(name) + "/credentials", random).value();
  std::filesystem::remove_all(name);
  return access;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cc::devkms::Access access = make_access();
  static const cc::SystemClock clock;
  const std::string text(reinterpret_cast<const char*>(data), size);
  cc::http::Request request;
  request.method = "POST";
  request.path = "/";
  request.headers["host"] = "h";
  request.headers["authorization"] = text;
  request.headers["x-amz-date"] = text.substr(0, text.find('/'));
  cc::devkms::Caller caller;
  if (!access.check(request, clock, caller)) {
    __builtin_trap();
  }
  return 0;
}
