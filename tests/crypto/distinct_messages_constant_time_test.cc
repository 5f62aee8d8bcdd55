// Whether the signer of distinct messages branches on a key or uses one as an address. See tests/crypto/valgrind.h.
#if !defined(CC_SANITIZED) && __has_include(<valgrind/memcheck.h>)

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "crypto/distinct_messages.h"
#include "crypto/distinct_pass.h"
#include "crypto/field_blst.h"
#include "crypto/leaky_fields.h"
#include "crypto/odd_multiples.h"
#include "crypto/signing_keys.h"
#include "crypto/valgrind.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

using test::decisions_on_secrets;
using test::declassify;
using test::poison;
using test::ran_under_valgrind;

constexpr std::size_t kMessages = 5;

std::vector<HashedMessage> messages() {
  test::SeededRandom random(4);
  std::vector<HashedMessage> out;
  for (std::size_t i = 0; i < kMessages; ++i) {
    out.emplace_back(random.array<32>());
  }
  return out;
}

void now_public(void* bytes, std::size_t size) { VALGRIND_MAKE_MEM_DEFINED(bytes, size); }

// Signs with every key poisoned and returns the decisions seen; checks the signatures afterwards.
unsigned decisions_while_signing(Declassified declassified) {
  test::SeededRandom random(5);
  const std::vector<HashedMessage> all = messages();
  std::vector<Key> keys;
  std::vector<BlsSignature> expected;
  for (std::size_t i = 0; i < kMessages; ++i) {
    Secret<32> scalar = random.secret<32>();
    expose_secret_bytes(scalar)[0] &= 0x3F;
    keys.emplace_back(BlsSecretKey::from_checked(std::move(scalar)));
    expected.push_back(all[i].sign(keys[i].secret));
  }
  std::vector<MessageAndKey> entries;
  for (std::size_t i = 0; i < kMessages; ++i) {
    poison(expose_secret_bytes(keys[i].secret.bytes()));
    poison(expose_secret_bytes(keys[i].recoded.digits()));
    entries.push_back({&all[i], &keys[i].secret, &keys[i].recoded});
  }
  DistinctScratch scratch;
  std::vector<BlsSignature> signatures(kMessages);
  bool held = false;
  const unsigned decisions =
      decisions_on_secrets([&] { held = sign_distinct(entries, signatures, scratch, random, declassified); });
  VALGRIND_MAKE_MEM_DEFINED(&held, sizeof(held));
  EXPECT_TRUE(held);
  for (std::size_t i = 0; i < kMessages; ++i) {
    declassify(signatures[i]);
    EXPECT_EQ(signatures[i], expected[i]);
  }
  return decisions;
}

TEST(DistinctConstantTime, SigningDecidesNothingOnTheKeysWithEitherScan) {
  if (ran_under_valgrind()) {
    return;
  }
  for (const same_message::Scan scan : {same_message::Scan::baseline, same_message::best_scan()}) {
    same_message::use_scan(scan);
    EXPECT_EQ(decisions_while_signing(now_public), 0U);
  }
}

TEST(DistinctConstantTime, TheInversionDecidesUntilItsBlindedArgumentIsCalledPublic) {
  if (ran_under_valgrind()) {
    return;
  }
  EXPECT_GT(decisions_while_signing(nullptr), 0U);
}

template <class Field>
unsigned decisions_of_a_pass() {
  const same_message::Windows windows = same_message::windows_of(WindowLayout::w5);
  std::vector<blst_p2> points;
  for (const HashedMessage& message : messages()) {
    points.push_back(same_message::point_of(message));
  }
  const std::vector<blst_p2_affine> tables = same_message::odd_multiples(points, distinct::kWindowBits);
  test::SeededRandom random(8);
  std::vector<std::uint64_t> digits(distinct::kParts * distinct::kPassMessages);
  for (std::uint64_t& digit : digits) {
    digit = random.below(~std::uint64_t{0});
  }
  std::array<std::uint64_t, distinct::kPassMessages> flips{};
  std::array<blst_fp2, distinct::kInversions> blinds{};
  for (blst_fp2& blind : blinds) {
    blind.fp[0].l[0] = 3 + random.below(1000);
  }
  alignas(64) static std::byte memory[distinct::Pass<Field>::kMemory];
  std::array<blst_p2_affine, kMessages> out;
  VALGRIND_MAKE_MEM_UNDEFINED(digits.data(), digits.size() * sizeof(digits[0]));
  VALGRIND_MAKE_MEM_UNDEFINED(flips.data(), sizeof(flips));
  distinct::PassOrder order;
  order.windows = &windows;
  order.messages = kMessages;
  order.tables = tables.data();
  order.digits = digits.data();
  order.flips = flips.data();
  order.blinds = blinds.data();
  order.memory = memory;
  order.out = out.data();
  order.declassified = now_public;
  return decisions_on_secrets([&] { distinct::Pass<Field>(order).run(); });
}

TEST(DistinctConstantTime, TheDetectorFindsAPlantedLookUpAndAPlantedSignBranch) {
  if (ran_under_valgrind()) {
    return;
  }
  EXPECT_EQ(decisions_of_a_pass<same_message::BlstField>(), 0U);
  EXPECT_GT(decisions_of_a_pass<test_leaks::LeakyLookUp>(), 0U);
  EXPECT_GT(decisions_of_a_pass<test_leaks::LeakySign>(), 0U);
}

}  // namespace
}  // namespace cc::crypto

#endif
