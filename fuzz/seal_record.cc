// rooms: seal
// Any bytes as a seal record, as they are and with the checksum repaired, as a forger would: what is accepted
// re-encodes to itself.
#include <algorithm>
#include <cstdlib>

#include "seal/record.h"

namespace {

void check(cc::ByteView document) {
  const auto record = cc::seal::decode(document);
  if (!record) {
    return;
  }
  const cc::Bytes again = cc::seal::encode(*record);
  if (!std::ranges::equal(again, document)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cc::Bytes document(data, data + size);
  check(document);
  if (size >= 32) {
    const auto digest = cc::crypto::sha256(cc::ByteView(document).first(size - 32));
    std::ranges::copy(digest, document.end() - 32);
    check(document);
  }
  return 0;
}
