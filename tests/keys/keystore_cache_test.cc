#include "keys/keystore_cache.h"

#include <gtest/gtest.h>

#include "support/ring_keys.h"
#include "support/seeded_random.h"

namespace cc::keys {
namespace {

constexpr crypto::Argon2Params kCheap{.memory_kib = 8192, .passes = 1, .lanes = 1};

struct Fixture {
  test::SeededRandom random{7};
  std::vector<std::shared_ptr<const RingKey>> ring;
  std::vector<SecretBytes> passwords;
  std::vector<KeyToCache> keys;
  std::vector<CacheMember> members;

  explicit Fixture(std::uint32_t count = 3) {
    for (std::uint32_t i = 0; i < count; ++i) {
      ring.push_back(test::ring_key(i + 1));
      passwords.push_back(SecretBytes::copy_of("password " + std::to_string(i)));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      members.push_back({crypto::sha256(bytes_of("keystore " + std::to_string(i))), &passwords[i]});
      keys.push_back({members[i], ring[i]->public_key, &ring[i]->secret});
    }
  }
  KeystoreCache sealed() { return seal_cache(keys, random, kCheap).value(); }
};

ErrorKind failure(const KeystoreCache& cache, std::span<const CacheMember> members) {
  const auto opened = open_cache(cache, members);
  EXPECT_FALSE(opened);
  return opened ? ErrorKind::internal : opened.error().kind;
}

TEST(KeystoreCache, GivesBackEveryKey) {
  Fixture f;
  const KeystoreCache cache = decode_cache(encode(f.sealed())).value();
  const auto opened = open_cache(cache, f.members);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_EQ(opened->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const CachedKey& key = opened->at(f.members[i].keystore);
    EXPECT_EQ(key.public_key, f.ring[i]->public_key);
    EXPECT_EQ(key.secret.bytes(), f.ring[i]->secret.bytes());
    EXPECT_EQ(key.secret.public_key(), key.public_key);
  }
}

TEST(KeystoreCache, OpensOnlyWithEveryPasswordItWasMadeFrom) {
  Fixture f;
  const KeystoreCache cache = f.sealed();
  const SecretBytes wrong = SecretBytes::copy_of(std::string_view("password 9"));
  auto members = f.members;
  members[1].password = &wrong;
  EXPECT_EQ(failure(cache, members), ErrorKind::keystore_password);
  EXPECT_EQ(failure(cache, std::span(f.members).first(2)), ErrorKind::not_found);
  // Two passwords exchanged are not the same set.
  members = f.members;
  std::swap(members[0].password, members[1].password);
  EXPECT_EQ(failure(cache, members), ErrorKind::keystore_password);
}

TEST(KeystoreCache, MoreKeystoresThanItNamesDoNotMatter) {
  Fixture f(4);
  const KeystoreCache cache = seal_cache(std::span(f.keys).first(2), f.random, kCheap).value();
  EXPECT_EQ(open_cache(cache, f.members).value().size(), 2U);
}

TEST(KeystoreCache, AnEmptyOneOpensToNothing) {
  Fixture f(0);
  EXPECT_TRUE(open_cache(decode_cache(encode(f.sealed())).value(), f.members).value().empty());
}

// Every flipped bit and every cut is noticed, in the envelope or by the seal. Parameters out of range are refused
// unrun, so that the search is quick; one in range would only open nothing.
TEST(KeystoreCache, EveryFlippedBitAndEveryCutIsNoticed) {
  Fixture f(2);
  const Bytes good = encode(f.sealed());
  std::size_t seals = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    EXPECT_FALSE(decode_cache(ByteView(good).first(at)));
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1U << bit));
      const auto cache = decode_cache(bad);
      if (cache && cache->argon2.memory_kib <= 65536 && cache->argon2.passes <= 3 && (at % 7 == 0 || bit == 0)) {
        EXPECT_FALSE(open_cache(*cache, f.members)) << at << ":" << bit;
        ++seals;
      }
    }
  }
  EXPECT_GT(seals, 100U);
  EXPECT_TRUE(open_cache(decode_cache(good).value(), f.members));
}

TEST(KeystoreCache, ForeignEntriesDoNotFit) {
  Fixture f(2);
  KeystoreCache cache = f.sealed();
  std::swap(cache.entries[0].sealed_key, cache.entries[1].sealed_key);
  std::swap(cache.entries[0].nonce, cache.entries[1].nonce);
  EXPECT_EQ(failure(cache, f.members), ErrorKind::keystore_password);
}

// Where the bytes must stay what docs/spec/keystore-cache.md says.
TEST(KeystoreCache, TheBytesAreThoseOfTheSpecification) {
  KeystoreCache cache;
  cache.salt.fill(0x11);
  cache.entries.push_back({});
  cache.entries[0].keystore.fill(0x22);
  cache.entries[0].public_key.fill(0x33);
  cache.entries[0].nonce.fill(0x44);
  cache.entries[0].sealed_key.fill(0x55);
  const std::string expected =
      "a4"
      "0101"
      "0250" +
      std::string(32, '1') +
      "0382"
      "1a00020000"
      "03"
      "0481"
      "84"
      "5820" +
      std::string(64, '2') + "5830" + std::string(96, '3') + "4c" + std::string(24, '4') + "5830" +
      std::string(96, '5');
  EXPECT_EQ(to_hex(encode(cache)), expected);
  EXPECT_EQ(decode_cache(encode(cache)).value(), cache);
}

TEST(KeystoreCache, ACountThatTheBytesCannotHoldIsRefused) {
  Bytes bytes = encode(KeystoreCache{});
  bytes.pop_back();
  append(bytes, Bytes{0x9a, 0x7f, 0xff, 0xff, 0xff});
  const auto cache = decode_cache(bytes);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().kind, ErrorKind::record_malformed);
}

}  // namespace
}  // namespace cc::keys
