#include "keys/key_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "support/ring_keys.h"

namespace cc::keys {
namespace {

TEST(KeyRing, FindsWhatWasAddedAndNothingElse) {
  KeyRing ring;
  const auto key = test::ring_key(1);
  EXPECT_TRUE(ring.add(key));
  EXPECT_EQ(ring.find(key->public_key), key);
  EXPECT_TRUE(ring.contains(key->public_key));
  EXPECT_FALSE(ring.contains(test::ring_key(2)->public_key));
  EXPECT_EQ(ring.size(), 1U);
}

TEST(KeyRing, TheFirstKeyOfAPublicKeyStays) {
  KeyRing ring;
  const auto first = test::ring_key(1, KeySource::filesystem);
  EXPECT_TRUE(ring.add(first));
  EXPECT_FALSE(ring.add(test::ring_key(1, KeySource::memory)));
  EXPECT_EQ(ring.find(first->public_key)->source, KeySource::filesystem);
}

TEST(KeyRing, ASealedKeyTakesThePlaceOfTheSameKeyFromAFile) {
  KeyRing ring;
  ring.add(test::ring_key(1, KeySource::filesystem));
  EXPECT_FALSE(ring.add(test::ring_key(1, KeySource::sealed)));
  EXPECT_EQ(ring.find(test::ring_key(1)->public_key)->source, KeySource::sealed);
  EXPECT_EQ(ring.size(), 1U);
}

TEST(KeyRing, ClearTakesOneSourceOrAll) {
  KeyRing ring;
  ring.add(test::ring_key(1, KeySource::sealed));
  ring.add(test::ring_key(2, KeySource::memory));
  ring.add(test::ring_key(3, KeySource::filesystem));
  ring.clear(KeySource::sealed);
  EXPECT_EQ(ring.size(), 2U);
  EXPECT_FALSE(ring.contains(test::ring_key(1)->public_key));
  ring.clear();
  EXPECT_EQ(ring.size(), 0U);
}

TEST(KeyRing, AKeyInUseOutlivesItsRemoval) {
  KeyRing ring;
  ring.add(test::ring_key(5));
  const auto held = ring.find(test::ring_key(5)->public_key);
  EXPECT_TRUE(ring.remove(held->public_key));
  EXPECT_FALSE(ring.remove(held->public_key));
  EXPECT_TRUE(crypto::verify(held->public_key, test::root_of(9), held->secret.sign(test::root_of(9))));
}

TEST(KeyRing, PublicKeysComeSorted) {
  KeyRing ring;
  for (std::uint32_t i = 1; i <= 30; ++i) {
    ring.add(test::ring_key(i));
  }
  const auto keys = ring.public_keys();
  EXPECT_EQ(keys.size(), 30U);
  EXPECT_TRUE(std::ranges::is_sorted(keys));
}

TEST(KeyRing, LookUpsAndChangesMayRunTogether) {
  KeyRing ring;
  std::vector<std::shared_ptr<const RingKey>> keys;
  for (std::uint32_t i = 1; i <= 8; ++i) {
    keys.push_back(test::ring_key(i));
  }
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> seen{0};
  std::jthread reader([&] {
    while (!stop) {
      for (const auto& key : keys) {
        if (const auto found = ring.find(key->public_key)) {
          seen += found->public_key == key->public_key ? 1 : 0;
        }
      }
    }
  });
  for (int round = 0; round < 300 || seen == 0; ++round) {
    for (const auto& key : keys) {
      ring.add(key);
    }
    ring.clear();
  }
  stop = true;
  reader.join();
  EXPECT_GT(seen, 0U);
}

}  // namespace
}  // namespace cc::keys
