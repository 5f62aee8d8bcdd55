// Shares must stay recoverable with a stranger's software: Botan 2 reads ours and we read Botan's.
#include <botan/auto_rng.h>
#include <botan/exceptn.h>
#include <botan/tss.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/shamir.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

struct Threshold {
  unsigned m;
  unsigned n;
};

// What Botan takes: m at least 2, n at most 254.
Threshold any_threshold(test::SeededRandom& random, int round) {
  const unsigned n = 2 + static_cast<unsigned>(random.below(round % 20 == 0 ? 253 : 11));
  return {2 + static_cast<unsigned>(random.below(n - 1)), n};
}

std::vector<std::size_t> any_members(test::SeededRandom& random, Threshold t) {
  std::vector<std::size_t> all(t.n);
  for (std::size_t i = 0; i < t.n; ++i) {
    all[i] = i;
  }
  for (std::size_t i = 0; i < t.m; ++i) {
    std::swap(all[i], all[i + random.below(t.n - i)]);
  }
  all.resize(t.m);
  return all;
}

Botan::RTSS_Share to_botan(const Share& share, const ShareId& id, unsigned m) {
  const auto wire = to_rtss(share, id, m);
  return {expose_secret_bytes(wire).data(), wire.size()};
}

TEST(ShamirAndBotan, BotanReconstructsOurShares) {
  test::SeededRandom random(23);
  for (int round = 0; round < 200; ++round) {
    const Threshold t = any_threshold(random, round);
    const auto secret = random.secret<32>();
    const ShareId id = random.array<16>();
    const auto shares = split(secret, t.m, t.n, random);
    ASSERT_TRUE(shares);
    std::vector<Botan::RTSS_Share> given;
    for (const std::size_t i : any_members(random, t)) {
      given.push_back(to_botan((*shares)[i], id, t.m));
    }
    const auto combined = Botan::RTSS_Share::reconstruct(given);
    EXPECT_TRUE(std::ranges::equal(combined, expose_secret_bytes(secret))) << t.m << " of " << t.n;
  }
}

TEST(ShamirAndBotan, WeCombineBotansShares) {
  test::SeededRandom random(24);
  Botan::AutoSeeded_RNG botan_random;
  for (int round = 0; round < 200; ++round) {
    const Threshold t = any_threshold(random, round);
    const auto secret = random.secret<32>();
    const ShareId id = random.array<16>();
    const auto made = Botan::RTSS_Share::split(
        static_cast<std::uint8_t>(t.m), static_cast<std::uint8_t>(t.n), expose_secret_bytes(secret).data(), 32,
        std::vector<std::uint8_t>(id.begin(), id.end()), "SHA-256", botan_random);
    std::vector<Share> given;
    for (const std::size_t i : any_members(random, t)) {
      auto read = from_rtss({made[i].data().data(), made[i].data().size()});
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ(read->id, id);
      EXPECT_EQ(read->m, t.m);
      EXPECT_EQ(read->share.index, i + 1);
      const auto again = to_rtss(read->share, read->id, read->m);
      EXPECT_TRUE(std::ranges::equal(expose_secret_bytes(again), made[i].data())) << "our bytes are Botan's";
      given.push_back(std::move(read->share));
    }
    const auto combined = combine(given);
    ASSERT_TRUE(combined) << combined.error().message;
    EXPECT_EQ(*combined, secret);
  }
}

TEST(ShamirAndBotan, BotanRefusesOurDamagedShare) {
  test::SeededRandom random(25);
  const ShareId id = random.array<16>();
  auto shares = split(random.secret<32>(), 2, 2, random);
  ASSERT_TRUE(shares);
  expose_secret_bytes((*shares)[1].value)[5] ^= 1;
  const std::vector<Botan::RTSS_Share> given = {to_botan((*shares)[0], id, 2), to_botan((*shares)[1], id, 2)};
  EXPECT_THROW(Botan::RTSS_Share::reconstruct(given), Botan::Exception);
}

}  // namespace
}  // namespace cc::crypto
