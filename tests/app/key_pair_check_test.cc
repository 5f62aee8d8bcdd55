// The check behind a running signer that keys and public keys belong together.
#include "app/key_pair_check.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/ring_keys.h"

namespace cc::app {
namespace {

using test::ring_key;

// A key under the public key of another.
std::shared_ptr<const keys::RingKey> misnamed(std::uint32_t number, std::uint32_t under) {
  return std::make_shared<const keys::RingKey>(ring_key(under)->public_key, keys::KeySource::sealed,
                                               crypto::BlsSecretKey::from_bytes(test::scalar(number)).value());
}

void wait_for_round(const KeyPairCheck& check, std::uint64_t round) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(300);
  while (check.counters().rounds < round && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ASSERT_GE(check.counters().rounds, round);
}

TEST(KeyPairCheck, TakesTheWrongKeysOutAndLeavesTheOthers) {
  SystemRandom random;
  keys::KeyRing ring;
  for (std::uint32_t number = 1; number <= 600; ++number) {
    ring.add(number == 5 || number == 599 ? misnamed(number + 10'000, number) : ring_key(number));
  }
  KeyPairCheck check(ring, random);
  check.opened();
  wait_for_round(check, 1);
  EXPECT_EQ(check.counters().checked, 600U);
  EXPECT_EQ(check.counters().wrong, 2U);
  EXPECT_EQ(ring.size(), 598U);
  EXPECT_FALSE(ring.contains(ring_key(5)->public_key));
  EXPECT_FALSE(ring.contains(ring_key(599)->public_key));
  EXPECT_TRUE(ring.contains(ring_key(6)->public_key));
}

TEST(KeyPairCheck, EveryOpeningIsCheckedAndAClosedOneIsLeftAlone) {
  SystemRandom random;
  keys::KeyRing ring;
  KeyPairCheck check(ring, random);
  check.opened();
  wait_for_round(check, 1);
  ring.add(misnamed(9, 8));
  check.closed();
  EXPECT_TRUE(ring.contains(ring_key(8)->public_key)) << "nothing was asked for";
  check.opened();
  wait_for_round(check, 2);
  EXPECT_FALSE(ring.contains(ring_key(8)->public_key));
}

}  // namespace
}  // namespace cc::app
