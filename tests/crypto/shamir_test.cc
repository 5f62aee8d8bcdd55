#include "crypto/shamir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "crypto/hash.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

Share clone(const Share& share) { return {share.index, share.value.clone()}; }

std::vector<Share> choose(const std::vector<Share>& shares, unsigned subset) {
  std::vector<Share> out;
  for (unsigned i = 0; i < shares.size(); ++i) {
    if ((subset >> i & 1) != 0) {
      out.push_back(clone(shares[i]));
    }
  }
  return out;
}

std::vector<Share> split_of(const Secret<32>& secret, unsigned m, unsigned n, Random& random) {
  auto shares = split(secret, m, n, random);
  EXPECT_TRUE(shares);
  return std::move(shares).value();
}

TEST(Shamir, CombinesEverySubsetOfEveryThresholdUpToSix) {
  test::SeededRandom random(11);
  for (unsigned n = 1; n <= 6; ++n) {
    for (unsigned m = 1; m <= n; ++m) {
      const auto secret = random.secret<32>();
      const auto shares = split_of(secret, m, n, random);
      ASSERT_EQ(shares.size(), n);
      for (unsigned subset = 1; subset < 1U << n; ++subset) {
        const auto combined = combine(choose(shares, subset));
        if (static_cast<unsigned>(std::popcount(subset)) >= m) {
          ASSERT_TRUE(combined) << m << " of " << n << ", subset " << subset;
          EXPECT_EQ(*combined, secret);
        } else {
          ASSERT_FALSE(combined) << m << " of " << n << ", subset " << subset;
          EXPECT_EQ(combined.error().kind, ErrorKind::share_mismatch);
        }
      }
    }
  }
}

TEST(Shamir, TakesTheSharesInAnyOrder) {
  test::SeededRandom random(12);
  const auto secret = random.secret<32>();
  auto shares = split_of(secret, 3, 5, random);
  std::vector<Share> mixed;
  for (const std::size_t i : {4U, 0U, 2U}) {
    mixed.push_back(clone(shares[i]));
  }
  EXPECT_EQ(combine(mixed).value(), secret);
}

TEST(Shamir, WorksAtTheLargestSet) {
  test::SeededRandom random(13);
  const auto secret = random.secret<32>();
  auto shares = split_of(secret, 255, 255, random);
  EXPECT_EQ(shares.back().index, 255);
  EXPECT_EQ(combine(shares).value(), secret);
  shares.pop_back();
  EXPECT_EQ(combine(shares).error().kind, ErrorKind::share_mismatch);
}

TEST(Shamir, NumbersTheSharesFromOne) {
  test::SeededRandom random(14);
  const auto shares = split_of(random.secret<32>(), 2, 4, random);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    EXPECT_EQ(shares[i].index, i + 1);
  }
}

TEST(Shamir, WithThresholdOneEveryShareIsTheSecretAndItsDigest) {
  test::SeededRandom random(28);
  const auto secret = random.secret<32>();
  for (const Share& share : split_of(secret, 1, 3, random)) {
    const auto value = expose_secret_bytes(share.value);
    EXPECT_TRUE(std::ranges::equal(value.first(32), expose_secret_bytes(secret)));
    EXPECT_TRUE(std::ranges::equal(value.last(32), sha256(expose_secret_bytes(secret))));
  }
}

TEST(Shamir, RefusesImpossibleThresholds) {
  test::SeededRandom random(15);
  const auto secret = random.secret<32>();
  const std::vector<std::pair<unsigned, unsigned>> refused = {{0, 0}, {0, 3}, {4, 3}, {1, 256}, {256, 256}, {3, 0}};
  for (const auto& [m, n] : refused) {
    const auto shares = split(secret, m, n, random);
    ASSERT_FALSE(shares) << m << " of " << n;
    EXPECT_EQ(shares.error().kind, ErrorKind::threshold_invalid);
  }
}

TEST(Shamir, RefusesEveryFlippedBitOfAShare) {
  test::SeededRandom random(16);
  const auto shares = split_of(random.secret<32>(), 2, 3, random);
  for (std::size_t bit = 0; bit < std::size_t{64} * 8; ++bit) {
    auto chosen = choose(shares, 0b101);
    expose_secret_bytes(chosen[1].value)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto combined = combine(chosen);
    ASSERT_FALSE(combined) << bit;
    EXPECT_EQ(combined.error().kind, ErrorKind::share_mismatch);
  }
}

TEST(Shamir, RefusesAShareOfAnotherSet) {
  test::SeededRandom random(17);
  const auto secret = random.secret<32>();
  auto chosen = choose(split_of(secret, 2, 3, random), 0b011);
  chosen[1] = clone(split_of(secret, 2, 3, random)[1]);
  EXPECT_EQ(combine(chosen).error().kind, ErrorKind::share_mismatch);
}

TEST(Shamir, RefusesAShareUnderAnotherIndex) {
  test::SeededRandom random(18);
  auto chosen = choose(split_of(random.secret<32>(), 2, 3, random), 0b011);
  chosen[1].index = 3;
  EXPECT_EQ(combine(chosen).error().kind, ErrorKind::share_mismatch);
}

TEST(Shamir, NamesARepeatedIndexAZeroIndexAndNoShares) {
  test::SeededRandom random(19);
  const auto shares = split_of(random.secret<32>(), 2, 3, random);
  auto repeated = choose(shares, 0b111);
  repeated[2].index = 2;
  EXPECT_EQ(combine(repeated).error().kind, ErrorKind::members_invalid);
  EXPECT_EQ(combine(repeated).error().message, "share 2 was given twice");
  auto zero = choose(shares, 0b011);
  zero[0].index = 0;
  EXPECT_EQ(combine(zero).error().kind, ErrorKind::members_invalid);
  EXPECT_NE(combine(zero).error().message.find("index 0"), std::string::npos);
  EXPECT_EQ(combine({}).error().kind, ErrorKind::members_invalid);
}

// A fault in the generator must not put the secret itself into a share unseen: with random coefficients no share equals
// secret ‖ SHA-256(secret).
TEST(Shamir, DrawsFreshCoefficientsForEveryByte) {
  test::SeededRandom random(20);
  const Secret<32> zero;
  const auto shares = split_of(zero, 2, 2, random);
  const auto first = expose_secret_bytes(shares[0].value);
  const Digest digest = sha256(expose_secret_bytes(zero));
  std::array<int, 256> seen{};
  for (std::size_t i = 0; i < 64; ++i) {
    ++seen[first[i] ^ (i < 32 ? 0 : digest[i - 32])];
  }
  EXPECT_LT(*std::max_element(seen.begin(), seen.end()), 8);
}

TEST(RtssShare, RoundTripsThroughItsWireForm) {
  test::SeededRandom random(21);
  const ShareId id = random.array<16>();
  for (const Share& share : split_of(random.secret<32>(), 3, 5, random)) {
    const auto wire = to_rtss(share, id, 3);
    ASSERT_EQ(wire.size(), 85U);
    const auto read = from_rtss(expose_secret_bytes(wire));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, id);
    EXPECT_EQ(read->m, 3U);
    EXPECT_EQ(read->share.index, share.index);
    EXPECT_EQ(read->share.value, share.value);
  }
}

class RtssWire : public testing::Test {
 protected:
  Bytes wire() {
    test::SeededRandom random(22);
    const ShareId id = random.array<16>();
    const auto bytes = to_rtss(split_of(random.secret<32>(), 2, 3, random)[2], id, 2);
    return {expose_secret_bytes(bytes).begin(), expose_secret_bytes(bytes).end()};
  }
};

TEST_F(RtssWire, HasItsFieldsWhereTheDraftPutsThem) {
  const Bytes bytes = wire();
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(16, 5)), "0202004103");
}

TEST_F(RtssWire, RefusesEveryCutAndOneByteMore) {
  Bytes bytes = wire();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = from_rtss(ByteView(bytes).first(size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().kind, ErrorKind::malformed_request);
  }
  bytes.push_back(0);
  EXPECT_FALSE(from_rtss(bytes));
}

TEST_F(RtssWire, RefusesAnotherHashAZeroThresholdAnotherLengthAndIndexZero) {
  struct Change {
    std::size_t at;
    std::uint8_t value;
    const char* named;
  };
  for (const Change& change : {Change{16, 0, "SHA-256"}, Change{16, 1, "SHA-256"}, Change{17, 0, "threshold"},
                               Change{18, 1, "32-byte"}, Change{19, 33, "32-byte"}, Change{20, 0, "index"}}) {
    Bytes bytes = wire();
    bytes[change.at] = change.value;
    const auto read = from_rtss(bytes);
    ASSERT_FALSE(read) << change.at;
    EXPECT_NE(read.error().message.find(change.named), std::string::npos) << read.error().message;
  }
}

TEST_F(RtssWire, ReEncodesToItselfUnderEveryAcceptedBitFlip) {
  const Bytes bytes = wire();
  int accepted = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes altered = bytes;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    if (const auto read = from_rtss(altered)) {
      ++accepted;
      const auto again = to_rtss(read->share, read->id, read->m);
      EXPECT_EQ(to_hex(expose_secret_bytes(again)), to_hex(altered));
    }
  }
  // Every bit of id and value; of the threshold all but the one that makes it zero; of the index all (3 is two bits).
  EXPECT_EQ(accepted, (16 + 64) * 8 + 7 + 8);
}

}  // namespace
}  // namespace cc::crypto
