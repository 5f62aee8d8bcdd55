// SSZ merkleization (consensus-specs ssz/simple-serialize.md, with the progressive shapes of EIP-7916 and EIP-7495).
//
// A chunk is 32 bytes. Functions that take `std::span<Chunk>` use it as their working space and leave it changed.
// Pure functions over public data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/chain.h"
#include "base/result.h"

namespace cc::ethereum::ssz {

using Chunk = Root;

// SHA-256 of left ‖ right.
Chunk hash_pair(const Chunk& left, const Chunk& right);
// Little-endian value in a chunk.
Chunk chunk_of(std::uint64_t value);
Chunk chunk_of(bool value);
// Up to 32 bytes, right-padded with zeros.
Chunk chunk_of(ByteView bytes);

// Root of a binary tree over the chunks, padded with zero chunks to the next power of two of `limit`.
// limit >= chunks.size().
Root merkleize(std::span<Chunk> chunks, std::uint64_t limit);
inline Root merkleize(std::span<Chunk> chunks) { return merkleize(chunks, chunks.size()); }
// Root of the progressive tree: subtrees of 1, 4, 16, … chunks on the left of a spine that ends in zero.
Root merkleize_progressive(std::span<Chunk> chunks);
Root mix_in_length(const Root& root, std::uint64_t length);
// For a progressive container whose first `fields` fields (at most 64) are all in use.
Root mix_in_active_fields(const Root& root, std::size_t fields);

// Bytes cut into chunks.
std::vector<Chunk> pack(ByteView bytes);
// Vector[byte, N]: any fixed length.
Root byte_vector_root(ByteView bytes);
// List[byte, limit_bytes]; bytes.size() <= limit_bytes.
Root byte_list_root(ByteView bytes, std::uint64_t limit_bytes);
Root progressive_byte_list_root(ByteView bytes);
// List[uint64, limit]; values.size() <= limit.
Root u64_list_root(std::span<const std::uint64_t> values, std::uint64_t limit);
// List[T, limit] and ProgressiveList[T] of composite elements, from their roots; roots.size() <= limit.
Root list_root(std::span<Root> roots, std::uint64_t limit);
Root progressive_list_root(std::span<Root> roots);

// The bits of a serialized bitlist without its delimiter. Errors: malformed_request when empty, without a delimiter in
// its last byte, or longer than the limit.
struct Bits {
  Bytes bytes;  // packed, delimiter cleared, trailing zero byte of a full last byte removed
  std::uint64_t length = 0;
};
Result<Bits> read_bitlist(Bytes serialized, std::uint64_t limit_bits);
Root bitlist_root(const Bits& bits, std::uint64_t limit_bits);
Root progressive_bitlist_root(const Bits& bits);
// Bitvector[bits]; bytes.size() == (bits + 7) / 8. Errors: malformed_request when bits beyond the end are set.
Result<Root> bitvector_root(ByteView bytes, std::uint64_t bits);

}  // namespace cc::ethereum::ssz
