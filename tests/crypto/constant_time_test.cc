// Whether Shamir's scheme branches on a secret or uses one as an address: memcheck is told that the secret is undefined
// memory, and counts every decision that depends on it. Each test starts itself again under valgrind.
//
// Sanitizers and valgrind exclude each other, so a sanitizer build leaves this file empty; so does a machine without
// valgrind's headers (Debian package valgrind).
#if !defined(CC_SANITIZED) && __has_include(<valgrind/memcheck.h>)

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "crypto/gf256.h"
#include "crypto/key_pairs.h"
#include "crypto/shamir.h"
#include "crypto/valgrind.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

using test::decisions_on_secrets;
using test::declassify;
using test::poison;
using test::ran_under_valgrind;

TEST(ConstantTime, TheDetectorFindsAPlantedBranchAndAPlantedTableLookUp) {
  if (ran_under_valgrind()) {
    return;
  }
  volatile std::uint8_t secret = 5;
  volatile int result = 0;
  static const int table[256] = {1, 2, 3};
  VALGRIND_MAKE_MEM_UNDEFINED(const_cast<std::uint8_t*>(&secret), 1);
  EXPECT_GT(decisions_on_secrets([&] {
              if ((secret & 1) != 0) {
                result = 1;
              }
            }),
            0U);
  EXPECT_GT(decisions_on_secrets([&] { result = table[secret]; }), 0U);
}

TEST(ConstantTime, FieldArithmeticDecidesNothingOnItsOperands) {
  if (ran_under_valgrind()) {
    return;
  }
  std::array<std::uint8_t, 2> operands = {0x53, 0xCA};
  std::array<std::uint8_t, 2> results{};
  poison(operands);
  EXPECT_EQ(decisions_on_secrets([&] {
              results[0] = gf256::multiply(operands[0], operands[1]);
              results[1] = gf256::inverse(operands[0]);
            }),
            0U);
  declassify(results);
  EXPECT_EQ(results, (std::array<std::uint8_t, 2>{0x01, 0xCA}));
}

TEST(ConstantTime, SplittingDecidesNothingOnTheSecret) {
  if (ran_under_valgrind()) {
    return;
  }
  test::SeededRandom random(26);
  const auto secret = random.secret<32>();
  poison(expose_secret_bytes(secret));
  EXPECT_EQ(decisions_on_secrets([&] {
              const auto shares = split(secret, 3, 5, random);
              const auto wire = to_rtss((*shares)[4], ShareId{}, 3);
            }),
            0U);
}

TEST(ConstantTime, CombiningDecidesOnItsVerdictAlone) {
  if (ran_under_valgrind()) {
    return;
  }
  test::SeededRandom random(27);
  const auto secret = random.secret<32>();
  auto shares = split(secret, 3, 3, random).value();
  for (const bool wrong : {false, true}) {
    expose_secret_bytes(shares[1].value)[0] ^= wrong ? 1 : 0;
    for (const Share& share : shares) {
      poison(expose_secret_bytes(share.value));
    }
    bool held = false;
    EXPECT_EQ(decisions_on_secrets([&] { held = combine(shares).has_value(); }), 1U);
    EXPECT_EQ(held, !wrong);
    for (const Share& share : shares) {
      declassify(expose_secret_bytes(share.value));
    }
  }
}

TEST(ConstantTime, CheckingKeyPairsDecidesOnItsPublicResultAlone) {
  if (ran_under_valgrind()) {
    return;
  }
  test::SeededRandom random(28);
  std::vector<BlsSecretKey> keys;
  std::vector<BlsPublicKey> public_keys;
  for (int i = 0; i < 3; ++i) {
    Secret<32> scalar = random.secret<32>();
    expose_secret_bytes(scalar)[0] &= 0x3F;
    keys.push_back(BlsSecretKey::from_checked(std::move(scalar)));
    public_keys.push_back(keys.back().public_key());
  }
  std::vector<KeyPair> pairs;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    pairs.push_back({&keys[i], &public_keys[i]});
    poison(expose_secret_bytes(keys[i].bytes()));
  }
  bool match = false;
  // Both decisions lie in writing down the weighted public key (whether it is infinity), which is public.
  EXPECT_EQ(decisions_on_secrets([&] { match = pairs_match(pairs, random); }), 2U);
  declassify(std::span(reinterpret_cast<std::uint8_t*>(&match), sizeof match));
  EXPECT_TRUE(match);
}

}  // namespace
}  // namespace cc::crypto

#endif
