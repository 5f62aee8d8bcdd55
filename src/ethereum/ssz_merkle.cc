#include "ethereum/ssz_merkle.h"

#include <blst.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace cc::ethereum::ssz {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::uint64_t kBitsPerChunk = 256;
constexpr std::uint64_t kBytesPerChunk = 32;
constexpr std::uint64_t kU64PerChunk = 4;

std::uint64_t chunks_for(std::uint64_t units, std::uint64_t per_chunk) {
  return units / per_chunk + (units % per_chunk == 0 ? 0 : 1);
}

// zero_root(d): root of a full binary tree of depth d over zero chunks.
const Chunk& zero_root(std::size_t depth) {
  static const std::array<Chunk, kMaxDepth + 1> table = [] {
    std::array<Chunk, kMaxDepth + 1> out{};
    for (std::size_t d = 1; d < out.size(); ++d) {
      out[d] = hash_pair(out[d - 1], out[d - 1]);
    }
    return out;
  }();
  return table[depth];
}

// Depth of a tree with room for `limit` leaves.
std::size_t depth_for(std::uint64_t limit) {
  return limit <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(limit - 1));
}

}  // namespace

Chunk hash_pair(const Chunk& left, const Chunk& right) {
  std::array<std::uint8_t, 64> block;
  std::memcpy(block.data(), left.data(), left.size());
  std::memcpy(block.data() + left.size(), right.data(), right.size());
  Chunk out;
  blst_sha256(out.data(), block.data(), block.size());
  return out;
}

Chunk chunk_of(std::uint64_t value) {
  Chunk out{};
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return out;
}

Chunk chunk_of(bool value) {
  Chunk out{};
  out[0] = value ? 1 : 0;
  return out;
}

Chunk chunk_of(ByteView bytes) { return to_array<32>(bytes); }

Root merkleize(std::span<Chunk> chunks, std::uint64_t limit) {
  const std::size_t depth = depth_for(limit);
  if (chunks.empty()) {
    return zero_root(depth);
  }
  std::size_t width = chunks.size();
  for (std::size_t level = 0; level < depth; ++level) {
    for (std::size_t i = 0; i < width; i += 2) {
      chunks[i / 2] = hash_pair(chunks[i], i + 1 < width ? chunks[i + 1] : zero_root(level));
    }
    width = (width + 1) / 2;
  }
  return chunks[0];
}

Root merkleize_progressive(std::span<Chunk> chunks) {
  // Subtree roots first, then the spine from its zero end; 4^31 chunks would not fit any memory.
  std::array<Root, 32> subtrees;
  std::size_t count = 0;
  std::uint64_t capacity = 1;
  while (!chunks.empty()) {
    const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, chunks.size()));
    subtrees[count++] = merkleize(chunks.first(taken), capacity);
    chunks = chunks.subspan(taken);
    capacity *= 4;
  }
  Root root{};
  while (count > 0) {
    root = hash_pair(subtrees[--count], root);
  }
  return root;
}

Root mix_in_length(const Root& root, std::uint64_t length) { return hash_pair(root, chunk_of(length)); }

Root mix_in_active_fields(const Root& root, std::size_t fields) {
  return hash_pair(root, chunk_of(fields >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << fields) - 1));
}

std::vector<Chunk> pack(ByteView bytes) {
  std::vector<Chunk> out(static_cast<std::size_t>(chunks_for(bytes.size(), kBytesPerChunk)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = chunk_of(bytes.subspan(i * kBytesPerChunk));
  }
  return out;
}

Root byte_vector_root(ByteView bytes) {
  constexpr std::size_t kInline = 8;  // signatures and logs blooms without the heap
  if (bytes.size() <= kInline * kBytesPerChunk) {
    std::array<Chunk, kInline> chunks;
    const std::size_t count = static_cast<std::size_t>(chunks_for(bytes.size(), kBytesPerChunk));
    for (std::size_t i = 0; i < count; ++i) {
      chunks[i] = chunk_of(bytes.subspan(i * kBytesPerChunk));
    }
    return merkleize(std::span(chunks).first(count));
  }
  std::vector<Chunk> chunks = pack(bytes);
  return merkleize(chunks);
}

Root byte_list_root(ByteView bytes, std::uint64_t limit_bytes) {
  std::vector<Chunk> chunks = pack(bytes);
  return mix_in_length(merkleize(chunks, chunks_for(limit_bytes, kBytesPerChunk)), bytes.size());
}

Root progressive_byte_list_root(ByteView bytes) {
  std::vector<Chunk> chunks = pack(bytes);
  return mix_in_length(merkleize_progressive(chunks), bytes.size());
}

Root u64_list_root(std::span<const std::uint64_t> values, std::uint64_t limit) {
  std::vector<Chunk> chunks(static_cast<std::size_t>(chunks_for(values.size(), kU64PerChunk)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Chunk value = chunk_of(values[i]);
    std::copy_n(value.begin(), 8, chunks[i / kU64PerChunk].begin() + static_cast<std::ptrdiff_t>(i % kU64PerChunk * 8));
  }
  return mix_in_length(merkleize(chunks, chunks_for(limit, kU64PerChunk)), values.size());
}

Root list_root(std::span<Root> roots, std::uint64_t limit) {
  const std::uint64_t length = roots.size();
  return mix_in_length(merkleize(roots, limit), length);
}

Root progressive_list_root(std::span<Root> roots) {
  const std::uint64_t length = roots.size();
  return mix_in_length(merkleize_progressive(roots), length);
}

Result<Bits> read_bitlist(Bytes serialized, std::uint64_t limit_bits) {
  if (serialized.empty() || serialized.back() == 0) {
    return fail(ErrorKind::malformed_request, "expected a bitlist whose last byte holds the delimiter bit");
  }
  const std::uint8_t delimiter = std::bit_floor(serialized.back());
  Bits out;
  out.length = (serialized.size() - 1) * std::uint64_t{8} + static_cast<std::uint64_t>(std::countr_zero(delimiter));
  if (out.length > limit_bits) {
    return fail(ErrorKind::malformed_request,
                "expected at most " + std::to_string(limit_bits) + " bits, found " + std::to_string(out.length));
  }
  serialized.back() = static_cast<std::uint8_t>(serialized.back() ^ delimiter);
  if (delimiter == 1) {
    serialized.pop_back();
  }
  out.bytes = std::move(serialized);
  return out;
}

Root bitlist_root(const Bits& bits, std::uint64_t limit_bits) {
  std::vector<Chunk> chunks = pack(bits.bytes);
  return mix_in_length(merkleize(chunks, chunks_for(limit_bits, kBitsPerChunk)), bits.length);
}

Root progressive_bitlist_root(const Bits& bits) {
  std::vector<Chunk> chunks = pack(bits.bytes);
  return mix_in_length(merkleize_progressive(chunks), bits.length);
}

Result<Root> bitvector_root(ByteView bytes, std::uint64_t bits) {
  if (bits % 8 != 0 && (bytes.back() >> (bits % 8)) != 0) {
    return fail(ErrorKind::malformed_request, "bits beyond the last of " + std::to_string(bits) + " are set");
  }
  return byte_vector_root(bytes);
}

}  // namespace cc::ethereum::ssz
