// rooms: adapters/tokens
// Whatever a card answers: read without a crash, and an answer is taken only when it is exactly one.
#include <cstdlib>

#include "adapters/tokens/yubikey_apdu.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cc::SecretBytes bytes = cc::SecretBytes::copy_of(cc::ByteView(data, size));
  const auto answer = cc::tokens::read_answer(bytes);
  if (!answer) {
    return size < 2 ? 0 : (std::abort(), 0);
  }
  static_cast<void>(cc::tokens::read_status(*answer));
  const auto serial = cc::tokens::read_serial(*answer);
  const auto hmac = cc::tokens::read_hmac(*answer, (size & 1U) != 0);
  if ((serial && size != 6) || (hmac && size != cc::tokens::kHmacBytes + 2)) {
    std::abort();
  }
  return 0;
}
