// Many pairs of keys in one check.
#include "crypto/key_pairs.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

BlsSecretKey key_number(std::uint32_t number) {
  std::array<std::uint8_t, 32> scalar{};
  scalar[5] = 9;
  scalar[30] = static_cast<std::uint8_t>(number >> 8);
  scalar[31] = static_cast<std::uint8_t>(number);
  return BlsSecretKey::from_bytes(scalar).value();
}

struct Pairs {
  explicit Pairs(std::uint32_t count) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      keys.push_back(key_number(i));
      public_keys.push_back(keys.back().public_key());
    }
  }
  bool match() {
    std::vector<KeyPair> list;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      list.push_back({&keys[i], &public_keys[i]});
    }
    return pairs_match(list, random);
  }
  std::vector<BlsSecretKey> keys;
  std::vector<BlsPublicKey> public_keys;
  test::SeededRandom random{7};
};

TEST(KeyPairs, RightOnesMatchInAnyNumber) {
  for (const std::uint32_t count : {0U, 1U, 2U, 3U, 31U, 32U, 33U, 100U}) {
    EXPECT_TRUE(Pairs(count).match()) << count;
  }
}

TEST(KeyPairs, OneWrongPairIsFoundWhereverItStands) {
  for (const std::size_t wrong : {0U, 17U, 39U}) {
    Pairs pairs(40);
    pairs.public_keys[wrong] = key_number(99).public_key();
    EXPECT_FALSE(pairs.match()) << wrong;
  }
  Pairs alone(1);
  alone.public_keys[0] = key_number(2).public_key();
  EXPECT_FALSE(alone.match());
}

// Their plain sums agree; the weights tell them apart.
TEST(KeyPairs, TwoKeysThatChangedPlacesAreFound) {
  Pairs pairs(10);
  std::swap(pairs.public_keys[3], pairs.public_keys[8]);
  EXPECT_FALSE(pairs.match());
}

TEST(KeyPairs, ATextThatIsNoPointIsNoMatch) {
  Pairs pairs(5);
  pairs.public_keys[2].fill(0xff);
  EXPECT_FALSE(pairs.match());
  pairs.public_keys[2] = {};
  EXPECT_FALSE(pairs.match());
  pairs.public_keys[2][0] = 0xc0;  // the point at infinity
  EXPECT_FALSE(pairs.match());
}

}  // namespace
}  // namespace cc::crypto
