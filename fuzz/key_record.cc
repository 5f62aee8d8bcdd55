// rooms: keys
// Key records and sentinels from a hostile store: what decodes re-encodes to itself, and nothing opens that was not
// sealed.
#include <cstdlib>

#include "keys/key_record.h"

namespace {

using namespace cc::keys;

// The keys of tests/vectors/keys/key_record.txt, whose records are the seeds.
const RecordKeys& vector_keys() {
  static const RecordKeys keys = [] {
    cc::Secret<32> master_key;
    ChamberId chamber{};
    MasterKeyId id{};
    for (std::size_t i = 0; i < 32; ++i) {
      expose_secret_bytes(master_key)[i] = static_cast<std::uint8_t>(i);
    }
    for (std::size_t i = 0; i < chamber.size(); ++i) {
      chamber[i] = static_cast<std::uint8_t>(0xa0 + i);
    }
    for (std::size_t i = 0; i < id.size(); ++i) {
      id[i] = static_cast<std::uint8_t>(0xc0 + i);
    }
    return derive_record_keys(chamber, id, master_key);
  }();
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cc::ByteView input(data, size);
  if (const auto record = decode(input)) {
    if (encode(*record) != cc::Bytes(data, data + size)) {
      std::abort();
    }
    // Only the seeds carry a MAC that holds; their public key is the one the vectors name.
    if (open_key(vector_keys(), *record) && record->public_key[0] != 0xa9) {
      std::abort();
    }
  }
  (void)check_sentinel(vector_keys(), input);
  return 0;
}
