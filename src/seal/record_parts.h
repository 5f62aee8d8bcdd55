// Readers of the seal record's parts, shared by record.cc, record_core.cc and record_members.cc. Internal to the codec.
#pragma once

#include "formats/cbor.h"
#include "seal/record.h"

namespace cc::seal::parts {

inline tl::unexpected<Error> malformed(const std::string& what) {
  return fail(ErrorKind::record_malformed, "the seal record is damaged: " + what + "; restore it from a backup");
}

inline Result<void> map_of(cbor::Reader& in, std::uint64_t pairs) {
  CC_ASSIGN(const std::uint64_t found, in.map());
  return found == pairs ? Result<void>() : malformed("a map has another number of entries");
}

template <std::size_t N>
Result<std::array<std::uint8_t, N>> array_of(cbor::Reader& in) {
  CC_ASSIGN(const ByteView view, in.bytes(N));
  return to_array<N>(view);
}

// A byte string of at least one and at most `limit` bytes.
inline Result<Bytes> bytes_up_to(cbor::Reader& in, std::size_t limit) {
  CC_ASSIGN(const ByteView view, in.bytes());
  if (view.empty() || view.size() > limit) {
    return malformed("a byte string is empty or too long");
  }
  return Bytes(view.begin(), view.end());
}

// The item count of an array, bounded.
inline Result<std::size_t> count_up_to(cbor::Reader& in, std::size_t limit) {
  CC_ASSIGN(const std::uint64_t count, in.array());
  if (count > limit) {
    return malformed("a list is too long");
  }
  return static_cast<std::size_t>(count);
}

Result<Core> read_core(ByteView bytes);
Result<Members> read_members(ByteView bytes);

}  // namespace cc::seal::parts
