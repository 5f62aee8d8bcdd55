#include "crypto/password.h"

#include <botan/pwdhash.h>
#include <gtest/gtest.h>

#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

constexpr Argon2Params kSmall{.memory_kib = 8192, .passes = 1, .lanes = 1};

SecretBytes text(std::string_view words) { return SecretBytes::copy_of(words); }
std::string shown(const SecretBytes& secret) { return to_hex(expose_secret_bytes(secret)); }

// Botan takes (passes, memory, lanes) for Argon2 and (n, r, p) for scrypt.
std::string botan(const std::string& family, std::size_t a, std::size_t b, std::size_t c, const SecretBytes& password,
                  const Bytes& salt, std::size_t size) {
  const auto made = Botan::PasswordHashFamily::create_or_throw(family);
  const bool argon = family.rfind("Argon2", 0) == 0;
  const auto hash = argon ? made->from_params(b, a, c) : made->from_params(a, b, c);
  Bytes out(size);
  const auto bytes = expose_secret_bytes(password);
  const std::string words(bytes.begin(), bytes.end());
  hash->derive_key(out.data(), size, words.data(), words.size(), salt.data(), salt.size());
  return to_hex(out);
}

TEST(Argon2id, AgreesWithBotan) {
  test::SeededRandom random(7);
  for (const std::size_t length : {0U, 1U, 16U, 100U}) {
    const auto password = SecretBytes::copy_of(random.bytes(length));
    const Bytes salt = random.bytes(16);
    const auto got = argon2id(password, salt, kSmall);
    ASSERT_TRUE(got);
    EXPECT_EQ(to_hex(expose_secret_bytes(*got)), botan("Argon2id", 1, 8192, 1, password, salt, 64)) << length;
  }
  const Bytes salt = random.bytes(16);
  const auto got = argon2id(text("correct horse battery staple"), salt, {.memory_kib = 9000, .passes = 2, .lanes = 1});
  ASSERT_TRUE(got);
  EXPECT_EQ(to_hex(expose_secret_bytes(*got)),
            botan("Argon2id", 2, 9000, 1, text("correct horse battery staple"), salt, 64));
}

TEST(Argon2id, RefusesParametersOutOfRangeUnrun) {
  const std::vector<Argon2Params> refused = {
      {8191, 1, 1},       {1024 * 1024 + 1, 1, 1},
      {0xFFFFFFFF, 1, 1}, {8192, 0, 1},
      {8192, 17, 1},      {8192, 1, 0},
      {8192, 1, 2},       {0, 0, 0},
  };
  for (const Argon2Params& params : refused) {
    const auto got = argon2id(text("a long passphrase"), Bytes(16), params);
    ASSERT_FALSE(got) << params.memory_kib << " " << params.passes << " " << params.lanes;
    EXPECT_EQ(got.error().kind, ErrorKind::record_malformed);
  }
}

TEST(Argon2id, RefusesASaltOfAnotherLength) {
  for (const std::size_t size : {0U, 8U, 15U, 17U, 32U}) {
    EXPECT_FALSE(argon2id(text("a long passphrase"), Bytes(size), kSmall)) << size;
  }
}

TEST(Scrypt, GivesTheKeysOfRfc7914) {
  const auto first = scrypt(text(""), {}, 16, 1, 1, 64);
  ASSERT_TRUE(first);
  EXPECT_EQ(shown(*first),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
            "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
  const auto second = scrypt(text("password"), bytes_of("NaCl"), 1024, 8, 16, 64);
  ASSERT_TRUE(second);
  EXPECT_EQ(shown(*second),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
  const auto third = scrypt(text("pleaseletmein"), bytes_of("SodiumChloride"), 16384, 8, 1, 64);
  ASSERT_TRUE(third);
  EXPECT_EQ(shown(*third),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

TEST(Scrypt, AgreesWithBotan) {
  test::SeededRandom random(8);
  for (int round = 0; round < 10; ++round) {
    const auto password = SecretBytes::copy_of(random.bytes(random.below(50)));
    const Bytes salt = random.bytes(random.below(50));
    const std::uint64_t n = 2ULL << random.below(8);
    const auto r = static_cast<std::uint32_t>(1 + random.below(8));
    const auto p = static_cast<std::uint32_t>(1 + random.below(3));
    const auto got = scrypt(password, salt, n, r, p, 32);
    ASSERT_TRUE(got);
    EXPECT_EQ(shown(*got), botan("Scrypt", n, r, p, password, salt, 32));
  }
}

TEST(Scrypt, RefusesParametersThatWouldEatTheMachine) {
  struct Params {
    std::uint64_t n;
    std::uint32_t r, p;
    std::size_t size;
  };
  const std::vector<Params> refused = {
      {0, 8, 1, 32},          {1, 8, 1, 32},          {3, 8, 1, 32},         {262143, 8, 1, 32}, {1ULL << 21, 1, 1, 32},
      {1ULL << 63, 1, 1, 32}, {1ULL << 20, 9, 1, 32}, {2, 0, 1, 32},         {2, 1, 0, 32},      {2, 0xFFFFFFFF, 1, 32},
      {2, 1, 0xFFFFFFFF, 32}, {262144, 8, 17, 32},    {2, 65536, 65536, 32}, {16, 1, 1, 0},      {16, 1, 1, 1025},
  };
  for (const Params& params : refused) {
    const auto got = scrypt(text("password"), bytes_of("salt"), params.n, params.r, params.p, params.size);
    ASSERT_FALSE(got) << params.n << " " << params.r << " " << params.p << " " << params.size;
    EXPECT_EQ(got.error().kind, ErrorKind::keystore_invalid);
  }
}

TEST(Pbkdf2, GivesTheKeysOfRfc7914AndOfBip39) {
  const auto first = pbkdf2_sha256(text("passwd"), bytes_of("salt"), 1, 64);
  ASSERT_TRUE(first);
  EXPECT_EQ(shown(*first),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
  const auto second = pbkdf2_sha256(text("Password"), bytes_of("NaCl"), 80000, 64);
  ASSERT_TRUE(second);
  EXPECT_EQ(shown(*second),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
            "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
  const auto seed = pbkdf2_sha512(
      text("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"),
      bytes_of("mnemonicTREZOR"), 2048, 64);
  ASSERT_TRUE(seed);
  EXPECT_EQ(shown(*seed),
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141"
            "630c7a3c4ab7c81b2f001698e7463b04");
}

TEST(Pbkdf2, AgreesWithBotanAlsoWithNothingInHand) {
  test::SeededRandom random(9);
  for (int round = 0; round < 20; ++round) {
    const auto password = SecretBytes::copy_of(random.bytes(round == 0 ? 0 : random.below(150)));
    const Bytes salt = random.bytes(round == 1 ? 0 : 1 + random.below(50));
    const auto iterations = static_cast<std::uint32_t>(1 + random.below(50));
    const auto size = static_cast<std::size_t>(1 + random.below(100));
    const auto short_hash = pbkdf2_sha256(password, salt, iterations, size);
    const auto long_hash = pbkdf2_sha512(password, salt, iterations, size);
    ASSERT_TRUE(short_hash && long_hash);
    EXPECT_EQ(shown(*short_hash), botan("PBKDF2(SHA-256)", iterations, 0, 0, password, salt, size));
    EXPECT_EQ(shown(*long_hash), botan("PBKDF2(SHA-512)", iterations, 0, 0, password, salt, size));
  }
}

TEST(Pbkdf2, RefusesIterationsAndLengthsOutOfRange) {
  for (const std::uint32_t iterations : {0U, 10'000'001U, 0xFFFFFFFFU}) {
    EXPECT_EQ(pbkdf2_sha256(text("p"), bytes_of("s"), iterations, 32).error().kind, ErrorKind::keystore_invalid);
    EXPECT_EQ(pbkdf2_sha512(text("p"), bytes_of("s"), iterations, 32).error().kind, ErrorKind::keystore_invalid);
  }
  EXPECT_FALSE(pbkdf2_sha256(text("p"), bytes_of("s"), 1, 0));
  EXPECT_FALSE(pbkdf2_sha256(text("p"), bytes_of("s"), 1, 1025));
}

}  // namespace
}  // namespace cc::crypto
