// Whether the same-message signer branches on a key or uses one as an address. See tests/crypto/valgrind.h.
#if !defined(CC_SANITIZED) && __has_include(<valgrind/memcheck.h>)

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "crypto/emulated_vector.h"
#include "crypto/field_blst.h"
#include "crypto/lane_field.h"
#include "crypto/leaky_fields.h"
#include "crypto/odd_multiples.h"
#include "crypto/same_message.h"
#include "crypto/signing_keys.h"
#include "crypto/valgrind.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

using same_message::BlstField;
using same_message::LaneField;
using same_message::Pass;
using same_message::PassOrder;
using test::decisions_on_secrets;
using test::declassify;
using test::poison;
using test::ran_under_valgrind;
using test_leaks::LeakyLookUp;
using test_leaks::LeakySign;

constexpr std::size_t kKeys = 5;

std::vector<Key> random_keys() {
  test::SeededRandom random(5);
  std::vector<Key> out;
  for (std::size_t i = 0; i < kKeys; ++i) {
    out.emplace_back(random_key(random));
  }
  return out;
}

HashedMessage message() {
  Root root{};
  root[3] = 9;
  return HashedMessage(root);
}

void now_public(void* bytes, std::size_t size) { VALGRIND_MAKE_MEM_DEFINED(bytes, size); }

// Signs with every key poisoned and returns the decisions seen; checks the signatures afterwards.
unsigned decisions_while_signing(const SameMessageTable& table, Declassified declassified,
                                 SigningKernel kernel = SigningKernel::portable) {
  const std::vector<Key> keys = random_keys();
  std::vector<SameMessageKey> pointers;
  std::vector<BlsSignature> expected;
  for (const Key& key : keys) {
    pointers.push_back({&key.secret, &key.recoded});
    expected.push_back(message().sign(key.secret));
    poison(expose_secret_bytes(key.secret.bytes()));
    poison(expose_secret_bytes(key.recoded.digits()));
  }
  SameMessageScratch scratch(kernel);
  test::SeededRandom random(6);
  std::vector<BlsSignature> signatures(keys.size());
  bool held = false;
  const unsigned decisions =
      decisions_on_secrets([&] { held = table.sign(pointers, signatures, scratch, random, declassified); });
  VALGRIND_MAKE_MEM_DEFINED(&held, sizeof(held));
  EXPECT_TRUE(held);
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    declassify(signatures[i]);
    EXPECT_EQ(signatures[i], expected[i]);
  }
  return decisions;
}

TEST(SameMessageConstantTime, RecodingDecidesNothingOnTheKey) {
  if (ran_under_valgrind()) {
    return;
  }
  test::SeededRandom random(7);
  for (int i = 0; i < 20; ++i) {
    const BlsSecretKey key = random_key(random);
    poison(expose_secret_bytes(key.bytes()));
    EXPECT_EQ(decisions_on_secrets([&] { const RecodedKey recoded(key); }), 0U);
  }
}

TEST(SameMessageConstantTime, TheDetectorFindsADivisionOfTheKey) {
  if (ran_under_valgrind()) {
    return;
  }
  __extension__ using Wide = unsigned __int128;
  volatile std::uint64_t high = 77;
  volatile std::uint64_t low = 5;
  volatile std::uint64_t quotient = 0;
  VALGRIND_MAKE_MEM_UNDEFINED(const_cast<std::uint64_t*>(&high), sizeof(high));
  EXPECT_GT(decisions_on_secrets([&] {
              const Wide value = (Wide{high} << 64) | low;
              quotient = static_cast<std::uint64_t>(value / Wide{0xd201000000010000});
            }),
            0U);
}

class SameMessageConstantTimeOf : public testing::TestWithParam<WindowLayout> {};
INSTANTIATE_TEST_SUITE_P(Layouts, SameMessageConstantTimeOf,
                         testing::Values(WindowLayout::w4, WindowLayout::w5, WindowLayout::w6, WindowLayout::w8));

TEST_P(SameMessageConstantTimeOf, SigningDecidesNothingOnTheKeysWithEitherScan) {
  if (ran_under_valgrind()) {
    return;
  }
  const SameMessageTable table(message(), GetParam());
  for (const same_message::Scan scan : {same_message::Scan::baseline, same_message::best_scan()}) {
    same_message::use_scan(scan);
    EXPECT_EQ(decisions_while_signing(table, now_public), 0U);
  }
}

TEST_P(SameMessageConstantTimeOf, TheVectorKernelOverPlainIntegersDecidesNothingOnTheKeys) {
  if (ran_under_valgrind()) {
    return;
  }
  const SameMessageTable table(message(), GetParam(), SigningKernel::emulated_ifma);
  EXPECT_EQ(decisions_while_signing(table, now_public, SigningKernel::emulated_ifma), 0U);
}

TEST(SameMessageConstantTime, TheInversionDecidesUntilItsBlindedArgumentIsCalledPublic) {
  // blst's inversion ends in a check of its result that branches. What it sees is blinded, and only by being told so
  // does the detector let it pass: everything before it is poisoned as it should be.
  if (ran_under_valgrind()) {
    return;
  }
  const SameMessageTable table(message(), WindowLayout::w6);
  EXPECT_GT(decisions_while_signing(table, nullptr), 0U);
}

// The vector kernel's field with a look-up at the secret index, and with a carry that is a branch.
struct LeakyPick : same_message::EmulatedIfma {
  static Vec pick(const std::uint64_t* words, std::size_t /*count*/, const Vec& index) {
    Vec out;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      out.lane[lane] = words[index.lane[lane]];
    }
    return out;
  }
};
struct LeakyCarry : same_message::EmulatedIfma {
  static Vec shift_signed(const Vec& a) {
    Vec out = EmulatedIfma::shift_signed(a);
    for (std::uint64_t& lane : out.lane) {
      if (lane != 0) {
        leaks = leaks + 1;
      }
    }
    return out;
  }
  static inline volatile unsigned leaks = 0;
};

template <class Field>
unsigned decisions_of_a_pass() {
  blst_p2 point;
  const HashedMessage hashed = message();
  std::memcpy(&point, hashed.point().data(), sizeof(point));
  const same_message::Windows windows = same_message::windows_of(WindowLayout::w6);
  const std::vector<blst_p2_affine> points = same_message::odd_multiples(point, windows);
  std::vector<typename Field::Entry> table(points.size());
  for (std::size_t j = 0; j < windows.count; ++j) {
    const std::size_t first = windows.first_entry[j];
    Field::convert(points.data() + first, std::size_t{1} << (windows.width[j] - 1), table.data() + first);
  }
  test::SeededRandom random(8);
  std::vector<std::uint64_t> digits(same_message::kParts * same_message::kPassKeys);
  for (std::uint64_t& digit : digits) {
    digit = random.below(~std::uint64_t{0});
  }
  std::array<std::uint64_t, same_message::kPassKeys> flips{};
  std::array<blst_fp2, same_message::kMostInversions> blinds{};
  for (blst_fp2& blind : blinds) {
    blind.fp[0].l[0] = 3 + random.below(1000);
  }
  alignas(64) static std::byte memory[Pass<Field>::kMemory];
  std::array<blst_p2_affine, kKeys> out;
  VALGRIND_MAKE_MEM_UNDEFINED(digits.data(), digits.size() * sizeof(digits[0]));
  VALGRIND_MAKE_MEM_UNDEFINED(flips.data(), sizeof(flips));
  PassOrder order;
  order.windows = &windows;
  order.keys = kKeys;
  order.digits = digits.data();
  order.flips = flips.data();
  order.blinds = blinds.data();
  order.memory = memory;
  order.out = out.data();
  order.declassified = now_public;
  return decisions_on_secrets([&] { Pass<Field>(order, table.data()).run(); });
}

TEST(SameMessageConstantTime, TheDetectorFindsAPlantedLookUpAndAPlantedSignBranch) {
  if (ran_under_valgrind()) {
    return;
  }
  EXPECT_EQ(decisions_of_a_pass<BlstField>(), 0U);
  EXPECT_GT(decisions_of_a_pass<LeakyLookUp>(), 0U);
  EXPECT_GT(decisions_of_a_pass<LeakySign>(), 0U);
  EXPECT_EQ(decisions_of_a_pass<LaneField<same_message::EmulatedIfma>>(), 0U);
  EXPECT_GT(decisions_of_a_pass<LaneField<LeakyPick>>(), 0U);
  EXPECT_GT(decisions_of_a_pass<LaneField<LeakyCarry>>(), 0U);
}

}  // namespace
}  // namespace cc::crypto

#endif
