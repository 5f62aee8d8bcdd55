// rooms: formats
// Any bytes as the head of a backup, with the digest repaired: what is accepted is written back byte by byte.
#include <algorithm>
#include <cstdlib>

#include "formats/backup_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cc::Bytes head;
  cc::append(head, cc::bytes_of(cc::backup::kMagic));
  cc::append_u32_be(head, static_cast<std::uint32_t>(size));
  cc::append(head, {data, size});
  const auto digest = cc::crypto::sha256(head);
  cc::append(head, digest);
  const auto manifest = cc::backup::decode_head(head);
  if (manifest && cc::backup::encode_head(*manifest) != head) {
    std::abort();
  }
  (void)cc::backup::decode_head({data, size});
  return 0;
}
