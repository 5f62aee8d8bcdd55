// The same-message signer against blst, byte for byte.
#include "crypto/same_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "crypto/field_blst.h"
#include "crypto/scalars.h"
#include "crypto/signing_keys.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

constexpr std::array kLayouts = {WindowLayout::w4, WindowLayout::w5, WindowLayout::w6, WindowLayout::w8};

std::vector<SameMessageKey> pointers(const std::vector<Key>& keys) {
  std::vector<SameMessageKey> out;
  for (const Key& key : keys) {
    out.push_back({&key.secret, &key.recoded});
  }
  return out;
}

Root some_root(std::uint8_t number) {
  Root out{};
  out[0] = number;
  out[31] = 0x5A;
  return out;
}

using Way = std::tuple<WindowLayout, SigningKernel>;

class EveryWay : public testing::TestWithParam<Way> {
 protected:
  WindowLayout layout() const { return std::get<0>(GetParam()); }
  SigningKernel kernel() const { return std::get<1>(GetParam()); }
  // Plain integers take ten times as long.
  bool slow() const { return kernel() == SigningKernel::emulated_ifma; }
  SameMessageTable table_of(const HashedMessage& message) const { return {message, layout(), kernel()}; }

  void expect_same_as_blst(const std::vector<Key>& keys, const SameMessageTable& table, const HashedMessage& message) {
    std::vector<BlsSignature> signatures(keys.size());
    ASSERT_TRUE(table.sign(pointers(keys), signatures, scratch_, random_));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSERT_EQ(signatures[i], message.sign(keys[i].secret)) << "key " << i << " of " << keys.size();
    }
  }
  SameMessageScratch scratch_{kernel()};
  test::SeededRandom random_{1};
};

std::vector<SigningKernel> kernels() {
  std::vector<SigningKernel> out = {SigningKernel::portable, SigningKernel::emulated_ifma};
  if (available(SigningKernel::ifma)) {
    out.push_back(SigningKernel::ifma);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(SameMessage, EveryWay,
                         testing::Combine(testing::ValuesIn(kLayouts), testing::ValuesIn(kernels())),
                         [](const auto& way) {
                           return std::string(name(std::get<1>(way.param))) + "_" +
                                  std::to_string(static_cast<int>(std::get<0>(way.param)));
                         });

TEST_P(EveryWay, SignsAsBlstDoesForEveryBatchSizeUpToTwoPasses) {
  const HashedMessage message(some_root(1));
  const SameMessageTable table = table_of(message);
  const std::vector<Key> keys = random_keys(130, 7);
  const std::vector<SameMessageKey> all = pointers(keys);
  std::vector<BlsSignature> expected;
  for (const Key& key : keys) {
    expected.push_back(message.sign(key.secret));
  }
  for (std::size_t count = 1; count <= keys.size(); count += slow() && count > 17 ? 23 : 1) {
    std::vector<BlsSignature> signatures(count);
    ASSERT_TRUE(table.sign(std::span(all).first(count), signatures, scratch_, random_)) << count;
    ASSERT_TRUE(std::equal(signatures.begin(), signatures.end(), expected.begin())) << count;
  }
}

TEST_P(EveryWay, SignsAsBlstDoesForManyKeysAndSeveralMessages) {
  for (std::uint8_t number = 0; number < 3; ++number) {
    const HashedMessage message(some_root(number));
    const SameMessageTable table = table_of(message);
    expect_same_as_blst(random_keys(slow() ? 64 : 512, 100 + number), table, message);
  }
}

TEST_P(EveryWay, SignsAsBlstDoesForScalarsAtTheEdges) {
  const HashedMessage message(some_root(9));
  const SameMessageTable table = table_of(message);
  std::vector<Key> keys;
  for (const BlsSecretKey& scalar : test::edge_scalars()) {
    if (Key key(scalar.clone()); !key.recoded.exceptional()) {
      keys.push_back(std::move(key));
    }
  }
  ASSERT_GT(keys.size(), 600U);
  expect_same_as_blst(keys, table, message);
  for (std::size_t i = 0; i < keys.size() && !slow(); ++i) {
    std::vector<Key> alone;
    alone.emplace_back(keys[i].secret.clone());
    expect_same_as_blst(alone, table, message);
  }
}

TEST_P(EveryWay, AKeyAndItsOppositeSignTogether) {
  // Their signatures sum to infinity, and so does the sum check.
  const HashedMessage message(some_root(4));
  const SameMessageTable table = table_of(message);
  std::vector<Key> keys;
  keys.emplace_back(test::small_scalar(5));
  keys.emplace_back(test::opposite(test::small_scalar(5)));
  expect_same_as_blst(keys, table, message);
}

TEST_P(EveryWay, OneKeyManyTimesInABatchSigns) {
  const HashedMessage message(some_root(5));
  const SameMessageTable table = table_of(message);
  std::vector<Key> keys;
  for (int i = 0; i < 70; ++i) {
    keys.emplace_back(test::small_scalar(77));
  }
  expect_same_as_blst(keys, table, message);
}

TEST_P(EveryWay, NothingInTheBatchIsNothingSigned) {
  const SameMessageTable table = table_of(HashedMessage(some_root(6)));
  EXPECT_TRUE(table.sign({}, {}, scratch_, random_));
}

TEST_P(EveryWay, TheBaselineScanGivesTheSameBytes) {
  same_message::use_scan(same_message::Scan::baseline);
  const HashedMessage message(some_root(8));
  const SameMessageTable table = table_of(message);
  expect_same_as_blst(random_keys(33, 3), table, message);
  same_message::use_scan(same_message::best_scan());
}

TEST_P(EveryWay, AFaultInOneOfManySignaturesIsFoundAndNothingIsHandedOut) {
  const HashedMessage message(some_root(10));
  const SameMessageTable table = table_of(message);
  const std::vector<Key> keys = random_keys(66, 11);
  // Every value that is declared public passes by here: flip one bit in each of them in turn.
  static std::size_t calls;
  static std::size_t wanted;
  for (wanted = 0; wanted < 40; ++wanted) {
    calls = 0;
    std::vector<BlsSignature> signatures(keys.size());
    const bool held = table.sign(pointers(keys), signatures, scratch_, random_, [](void* bytes, std::size_t size) {
      if (calls++ == wanted) {
        static_cast<std::uint8_t*>(bytes)[size / 2] ^= 1;
      }
    });
    if (calls <= wanted) {
      break;
    }
    EXPECT_FALSE(held) << "value " << wanted;
    EXPECT_TRUE(std::ranges::all_of(signatures, [](const BlsSignature& s) { return s == BlsSignature{}; }));
  }
  EXPECT_GE(wanted, 20U);
}

TEST_P(EveryWay, TheScratchIsAllZeroAfterwards) {
  const SameMessageTable table = table_of(HashedMessage(some_root(12)));
  const std::vector<Key> keys = random_keys(64, 13);
  std::vector<BlsSignature> signatures(keys.size());
  ASSERT_TRUE(table.sign(pointers(keys), signatures, scratch_, random_));
  const std::span<const std::byte> all(scratch_.data(), scratch_.size());
  EXPECT_TRUE(std::ranges::all_of(all, [](std::byte b) { return b == std::byte{0}; }));
}

TEST(SigningKernel, TheSelfTestHolds) {
  test::SeededRandom random(17);
  EXPECT_TRUE(kernel_works(SigningKernel::portable, random));
  EXPECT_TRUE(kernel_works(SigningKernel::emulated_ifma, random));
  EXPECT_EQ(kernel_works(SigningKernel::ifma, random), available(SigningKernel::ifma));
}

TEST(RecodedKey, OnlyTwoAndItsOppositeAreExceptional) {
  for (const BlsSecretKey& scalar : test::edge_scalars()) {
    const bool two = scalar.bytes() == test::small_scalar(2).bytes() ||
                     scalar.bytes() == test::opposite(test::small_scalar(2)).bytes();
    EXPECT_EQ(RecodedKey(scalar).exceptional(), two);
  }
}

TEST(RecodedKey, ItsDigitsGiveTheScalarBack) {
  std::vector<BlsSecretKey> scalars = test::edge_scalars();
  for (Key& key : random_keys(2000, 99)) {
    scalars.push_back(std::move(key.secret));
  }
  for (const BlsSecretKey& scalar : scalars) {
    EXPECT_EQ(test::from_digits(RecodedKey(scalar), scalar), test::number(scalar));
  }
}

}  // namespace
}  // namespace cc::crypto
