// Merkleization against a plain second writing of the rules: pad with zero leaves, hash level by level.
#include "ethereum/ssz_merkle.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"

namespace cc::ethereum::ssz {
namespace {

Chunk plain_hash(const Chunk& a, const Chunk& b) { return crypto::sha256({ByteView(a), ByteView(b)}); }

Root plain_tree(std::vector<Chunk> leaves, std::size_t width) {
  leaves.resize(width);
  while (leaves.size() > 1) {
    for (std::size_t i = 0; i < leaves.size() / 2; ++i) {
      leaves[i] = plain_hash(leaves[2 * i], leaves[2 * i + 1]);
    }
    leaves.resize(leaves.size() / 2);
  }
  return leaves[0];
}

// EIP-7916: hash(first `width` leaves as a tree, the rest with four times the width); zero when nothing is left.
Root plain_progressive(std::vector<Chunk> leaves, std::size_t width) {
  if (leaves.empty()) {
    return Root{};
  }
  const std::size_t taken = std::min(width, leaves.size());
  const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(taken);
  return plain_hash(plain_tree({leaves.begin(), middle}, width), plain_progressive({middle, leaves.end()}, width * 4));
}

std::vector<Chunk> leaves(std::size_t count) {
  std::vector<Chunk> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(plain_hash(chunk_of(std::uint64_t{i}), Chunk{}));
  }
  return out;
}

std::size_t width_for(std::size_t limit) {
  std::size_t width = 1;
  while (width < limit) {
    width *= 2;
  }
  return width;
}

TEST(Merkleize, PadsToTheNextPowerOfTwoOfTheLimit) {
  for (std::size_t limit = 1; limit <= 40; ++limit) {
    for (std::size_t count = 0; count <= limit; ++count) {
      std::vector<Chunk> space = leaves(count);
      EXPECT_EQ(merkleize(space, limit), plain_tree(leaves(count), width_for(limit))) << count << " of " << limit;
    }
  }
}

TEST(Merkleize, ReachesLimitsNoMemoryCouldHold) {
  std::vector<Chunk> one = leaves(1);
  Root expected = one[0];
  Chunk zero{};
  for (int level = 0; level < 40; ++level) {
    expected = plain_hash(expected, zero);
    zero = plain_hash(zero, zero);
  }
  EXPECT_EQ(merkleize(one, std::uint64_t{1} << 40), expected);
  EXPECT_EQ(merkleize(std::span<Chunk>(), std::uint64_t{1} << 40), zero);
}

TEST(Merkleize, ProgressiveTreesGrowByFour) {
  for (const std::size_t count : {0, 1, 2, 3, 4, 5, 6, 20, 21, 22, 84, 85, 86, 341, 400}) {
    std::vector<Chunk> space = leaves(count);
    EXPECT_EQ(merkleize_progressive(space), plain_progressive(leaves(count), 1)) << count;
  }
}

TEST(Merkleize, ByteVectorsOfEveryLength) {
  for (const std::size_t size : {1UL, 31UL, 32UL, 33UL, 48UL, 96UL, 255UL, 256UL, 257UL, 1000UL}) {
    const Bytes bytes(size, 0xab);
    std::vector<Chunk> packed = pack(bytes);
    ASSERT_EQ(packed.size(), (size + 31) / 32);
    EXPECT_EQ(byte_vector_root(bytes), plain_tree(packed, width_for(packed.size()))) << size;
  }
}

TEST(Merkleize, ActiveFieldsAreOneBitEach) {
  Chunk bits{};
  bits[0] = 0xff;
  bits[1] = 0x0f;
  EXPECT_EQ(mix_in_active_fields(Root{}, 12), plain_hash(Root{}, bits));
  std::fill_n(bits.begin(), 8, std::uint8_t{0xff});
  EXPECT_EQ(mix_in_active_fields(Root{}, 64), plain_hash(Root{}, bits));
}

TEST(Bitlist, TheDelimiterIsTheHighestBit) {
  EXPECT_EQ(read_bitlist({0x01}, 8)->length, 0U);
  EXPECT_TRUE(read_bitlist({0x01}, 8)->bytes.empty());
  EXPECT_EQ(read_bitlist({0x80}, 8)->length, 7U);
  EXPECT_EQ(read_bitlist({0xff, 0x01}, 8)->length, 8U);
  EXPECT_EQ(read_bitlist({0xff, 0x01}, 8)->bytes, Bytes{0xff});
  EXPECT_EQ(read_bitlist({0xff, 0x03}, 9)->bytes, (Bytes{0xff, 0x01}));
  EXPECT_FALSE(read_bitlist({0xff, 0x02}, 8));
  EXPECT_FALSE(read_bitlist({}, 8));
  EXPECT_FALSE(read_bitlist({0x00}, 8));
  EXPECT_FALSE(read_bitlist({0x01, 0x00}, 8));
}

TEST(Bitvector, BitsBeyondTheEndAreRefused) {
  EXPECT_TRUE(bitvector_root(Bytes{0x0f}, 4));
  EXPECT_FALSE(bitvector_root(Bytes{0x10}, 4));
  EXPECT_TRUE(bitvector_root(Bytes{0xff}, 8));
}

}  // namespace
}  // namespace cc::ethereum::ssz
