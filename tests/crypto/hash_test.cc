#include "crypto/hash.h"

#include <botan/kdf.h>
#include <botan/mac.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <thread>

#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc::crypto {
namespace {

using test::hex;

Secret<32> secret_of(std::string_view text) {
  return Secret<32>::copy_of(std::span<const std::uint8_t, 32>(hex(text).data(), 32));
}

std::string shown(const Secret<32>& secret) { return to_hex(expose_secret_bytes(secret)); }

TEST(Sha256, GivesTheDigestsOfFips180) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(Bytes(1'000'000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfPartsIsTheDigestOfTheirConcatenation) {
  test::SeededRandom random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes whole = random.bytes(size);
    const ByteView view(whole);
    const std::size_t cut = random.below(size + 1);
    EXPECT_EQ(sha256({view.first(cut), {}, view.subspan(cut)}), sha256(view));
  }
}

TEST(Sha256, WorksOnManyThreadsAtOnce) {
  const Digest expected = sha256(bytes_of("abc"));
  std::array<int, 4> wrong{};
  {
    std::vector<std::jthread> threads;
    threads.reserve(wrong.size());
    for (int& count : wrong) {
      threads.emplace_back([&count, &expected] {
        for (int i = 0; i < 500; ++i) {
          count += sha256({bytes_of("a"), bytes_of("bc")}) == expected ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

TEST(HmacSha256, GivesTheTagsOfRfc4231) {
  struct Case {
    Bytes key;
    Bytes message;
    const char* tag;
  };
  const auto text = [](std::string_view words) { return Bytes(words.begin(), words.end()); };
  const std::vector<Case> cases = {
      {Bytes(20, 0x0b), text("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text("Jefe"), text("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {Bytes(131, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, 0xaa),
       text("This is a test using a larger than block-size key and a larger than block-size data. "
            "The key needs to be hashed before being used by the HMAC algorithm."),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(to_hex(hmac_sha256(ByteView(c.key), {c.message})), c.tag);
    const ByteView message(c.message);
    EXPECT_EQ(to_hex(hmac_sha256(ByteView(c.key), {message.first(3), message.subspan(3)})), c.tag);
  }
}

TEST(HmacSha256, OfASecretKeyIsTheSameFunction) {
  const auto key = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(hmac_sha256(key, {bytes_of("part "), bytes_of("two")}),
            hmac_sha256(ByteView(expose_secret_bytes(key)), {bytes_of("part two")}));
}

// Expected values from Python's hashlib.
TEST(KeyedBlake2b, IsTheOneOfRfc7693) {
  Secret<32> key;
  std::iota(expose_secret_bytes(key).begin(), expose_secret_bytes(key).end(), std::uint8_t{0});
  EXPECT_EQ(to_hex(keyed_blake2b(key, bytes_of("token of a caller"))),
            "121a1cdd7530cb6c990838e4869d8e449c86f1e06569c97aed742003f0fa4b19");
  EXPECT_EQ(to_hex(keyed_blake2b(key, {})), "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d");
}

TEST(HkdfSha256, GivesTheFirstBlockOfRfc5869) {
  EXPECT_EQ(shown(hkdf_sha256(Bytes(22, 0x0b), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"))),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  Bytes ikm(80);
  Bytes salt(80);
  Bytes info(80);
  for (std::uint8_t i = 0; i < 80; ++i) {
    ikm[i] = i;
    salt[i] = static_cast<std::uint8_t>(0x60 + i);
    info[i] = static_cast<std::uint8_t>(0xb0 + i);
  }
  EXPECT_EQ(shown(hkdf_sha256(ikm, salt, info)), "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c");
  EXPECT_EQ(shown(hkdf_sha256(Bytes(22, 0x0b), {}, {})),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(HkdfSha256, AgreesWithBotanOnAnyLengths) {
  test::SeededRandom random(2);
  const auto botan = Botan::KDF::create_or_throw("HKDF(SHA-256)");
  for (int round = 0; round < 200; ++round) {
    const Bytes ikm = random.bytes(1 + random.below(100));
    const Bytes salt = random.bytes(random.below(100));
    const Bytes info = random.bytes(random.below(100));
    Bytes expected(32);
    botan->kdf(expected.data(), 32, ikm.data(), ikm.size(), salt.data(), salt.size(), info.data(), info.size());
    EXPECT_EQ(shown(hkdf_sha256(ikm, salt, info)), to_hex(expected));
  }
}

TEST(Derive, FramesTheInfoAsTheSpecificationSays) {
  const auto ikm = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const Bytes chamber(16, 0xc1);
  const Bytes id = {1, 2, 3};
  Bytes info = {'c', 'c', '/', 'v', '1', '/', 'k', 'e', 'y', 's', 1, 2, 3};
  EXPECT_EQ(derive(ikm, chamber, "keys", id), hkdf_sha256(expose_secret_bytes(ikm), chamber, info));
}

TEST(Derive, SeparatesEveryInput) {
  const auto ikm = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const auto other_ikm = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e20");
  const Bytes chamber(16, 1);
  const Bytes other_chamber(16, 2);
  const std::set<std::string> keys = {
      shown(derive(ikm, chamber, "keys")),           shown(derive(other_ikm, chamber, "keys")),
      shown(derive(ikm, other_chamber, "keys")),     shown(derive(ikm, chamber, "record")),
      shown(derive(ikm, chamber, "keys", Bytes{0})), shown(derive(ikm, chamber, "keys", Bytes{0, 0})),
  };
  EXPECT_EQ(keys.size(), 6U);
}

}  // namespace
}  // namespace cc::crypto
