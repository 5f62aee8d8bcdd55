#include "formats/keystore.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "formats/json_shape.h"
#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc {
namespace {

constexpr const char* kSecret = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
constexpr const char* kPublicKey =
    "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07";

std::string vector_file(const std::string& name) {
  std::ifstream file(std::string(CC_SOURCE_DIR) + "/tests/vectors/formats/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
SecretBytes eip_password() { return SecretBytes::copy_of(std::string_view("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑")); }

crypto::BlsSecretKey vector_key() { return crypto::BlsSecretKey::from_bytes(test::hex(kSecret)).value(); }

// A keystore that opens in no time.
std::string cheap_keystore(keystore::Kdf kdf = keystore::Kdf::pbkdf2) {
  test::SeededRandom random(3);
  return keystore::write(vector_key(), eip_password(), "m/12381/3600/0/0/0", kdf, 2, random).value();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class EipVector : public testing::TestWithParam<const char*> {};

TEST_P(EipVector, OpensWithTheEipPassword) {
  const auto parsed = keystore::parse(vector_file(GetParam()));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(to_hex(*parsed->public_key), kPublicKey);
  EXPECT_TRUE(parsed->path.starts_with("m/12381/60/"));
  EXPECT_TRUE(parsed->description.starts_with("This is a test keystore"));
  const auto key = keystore::open(*parsed, eip_password());
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(to_hex(expose_secret_bytes(key->bytes())), kSecret);
}

TEST_P(EipVector, ControlCodesInThePasswordDoNotCount) {
  const auto parsed = keystore::parse(vector_file(GetParam()));
  EXPECT_TRUE(keystore::open(*parsed, SecretBytes::copy_of(std::string_view("test\x7fpass\x01word🔑\r\n"))));
}

TEST_P(EipVector, AWrongPasswordIsNamed) {
  const auto parsed = keystore::parse(vector_file(GetParam()));
  const auto key = keystore::open(*parsed, SecretBytes::copy_of(std::string_view("testpassword")));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::keystore_password);
}

INSTANTIATE_TEST_SUITE_P(Eip2335, EipVector, testing::Values("eip2335_scrypt.json", "eip2335_pbkdf2.json"),
                         [](const auto& row) { return std::string(row.param).substr(8, 6); });

TEST(Keystore, WhatIsWrittenOpensAgain) {
  for (const auto kdf : {keystore::Kdf::scrypt, keystore::Kdf::pbkdf2}) {
    const std::string text = cheap_keystore(kdf);
    EXPECT_EQ(text.find(kSecret), std::string::npos);
    const auto parsed = keystore::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->path, "m/12381/3600/0/0/0");
    EXPECT_EQ(parsed->uuid.size(), 36U);
    EXPECT_EQ(parsed->uuid[14], '4');
    EXPECT_EQ(to_hex(*parsed->public_key), kPublicKey);
    const auto key = keystore::open(*parsed, eip_password());
    ASSERT_TRUE(key);
    EXPECT_EQ(key->bytes(), vector_key().bytes());
  }
}

TEST(Keystore, AForeignPublicKeyIsRefused) {
  const std::string other(96, 'a');
  const auto parsed = keystore::parse(replaced(cheap_keystore(), kPublicKey, other));
  ASSERT_TRUE(parsed);
  const auto key = keystore::open(*parsed, eip_password());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::keystore_invalid);
  EXPECT_NE(key.error().message.find("public key"), std::string::npos);
}

TEST(Keystore, ThePublicKeyMayBeMissingOrHaveAPrefix) {
  const std::string text = cheap_keystore();
  const auto without = keystore::parse(replaced(text, std::string("\"pubkey\":\"") + kPublicKey + "\",", ""));
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_FALSE(without->public_key);
  EXPECT_TRUE(keystore::open(*without, eip_password()));
  const auto prefixed = keystore::parse(replaced(text, kPublicKey, std::string("0x") + kPublicKey));
  ASSERT_TRUE(prefixed);
  EXPECT_TRUE(keystore::open(*prefixed, eip_password()));
}

TEST(Keystore, EveryDigitOfTheEncryptedPartsCounts) {
  const std::string text = cheap_keystore();
  int changed = 0;
  for (const std::string& field : {std::string("\"checksum\""), std::string("\"cipher\"")}) {
    const auto message = text.find("\"message\":\"", text.find(field)) + 11;
    for (std::size_t i = 0; i < 64; ++i) {
      std::string altered = text;
      altered[message + i] = altered[message + i] == '0' ? '1' : '0';
      const auto parsed = keystore::parse(altered);
      ASSERT_TRUE(parsed);
      EXPECT_EQ(keystore::open(*parsed, eip_password()).error().kind, ErrorKind::keystore_password);
      ++changed;
    }
  }
  EXPECT_EQ(changed, 128);
}

TEST(Keystore, EveryCutOfTheFileIsRefused) {
  const std::string text = cheap_keystore();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto parsed = keystore::parse(std::string_view(text).substr(0, size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().kind, ErrorKind::keystore_invalid);
  }
}

TEST(Keystore, EachBadFieldIsNamed) {
  struct Case {
    std::string from, to, names;
  };
  const std::vector<Case> cases = {
      {"\"version\":4", "\"version\":3", "version 3"},
      {"\"version\":4", "\"version\":\"4\"", "version"},
      {"\"version\":4", "\"version\":4.5", "version"},
      {"\"path\":\"m/12381/3600/0/0/0\"", "\"path\":7", "path"},
      {"\"crypto\":{", "\"crypt\":{", "crypto"},
      {"\"prf\":\"hmac-sha256\"", "\"prf\":\"hmac-sha1\"", "prf"},
      {"\"c\":2", "\"c\":-1", "\"c\""},
      {"\"c\":2", "\"c\":4294967296", "\"c\""},
      {"\"dklen\":32", "\"dklen\":31", "dklen"},
      {"\"dklen\":32", "\"dklen\":100000", "dklen"},
      {"\"function\":\"pbkdf2\"", "\"function\":\"argon2id\"", "scrypt or pbkdf2"},
      {"\"function\":\"aes-128-ctr\"", "\"function\":\"aes-256-ctr\"", "aes-128-ctr"},
      {"\"function\":\"sha256\"", "\"function\":\"sha512\"", "sha256"},
      {"\"iv\":\"", "\"iv\":\"00", "iv"},
      {"\"salt\":\"", "\"salt\":\"zz", "salt"},
      {"\"pubkey\":\"96", "\"pubkey\":\"", "pubkey"},
      {"\"version\":4", "\"version\":4,\"version\":4", "twice"},
      {"\"c\":2", "\"c\":2,\"c\":2", "twice"},
  };
  for (const Case& one : cases) {
    const auto parsed = keystore::parse(replaced(cheap_keystore(), one.from, one.to));
    ASSERT_FALSE(parsed) << one.to;
    EXPECT_EQ(parsed.error().kind, ErrorKind::keystore_invalid);
    EXPECT_NE(parsed.error().message.find(one.names), std::string::npos) << parsed.error().message;
  }
}

TEST(Keystore, ParametersOutOfBoundsAreRefusedUnrun) {
  for (const char* n : {"\"n\":3", "\"n\":1", "\"n\":0", "\"n\":1152921504606846976"}) {
    const auto parsed = keystore::parse(replaced(cheap_keystore(keystore::Kdf::scrypt), "\"n\":2", n));
    ASSERT_TRUE(parsed) << n;
    EXPECT_EQ(keystore::open(*parsed, eip_password()).error().kind, ErrorKind::keystore_invalid) << n;
  }
  const auto zero = keystore::parse(replaced(cheap_keystore(), "\"c\":2", "\"c\":0"));
  EXPECT_EQ(keystore::open(*zero, eip_password()).error().kind, ErrorKind::keystore_invalid);
}

TEST(Keystore, APasswordThatIsNotTextIsAPasswordError) {
  const auto parsed = keystore::parse(cheap_keystore());
  const auto key = keystore::open(*parsed, SecretBytes::copy_of(test::hex("ff")));
  EXPECT_EQ(key.error().kind, ErrorKind::keystore_password);
}

TEST(JsonShape, RefusesRepeatedMembersAtAnyDepth) {
  EXPECT_TRUE(json::check_shape(R"({"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]})"));
  for (const char* text : {R"({"a":1,"a":2})", R"([{"b":{"a":1,"a":2}}])", R"({"":1,"":2})", R"({"a":1,"\u0061":2})"}) {
    const auto checked = json::check_shape(text);
    ASSERT_FALSE(checked) << text;
    EXPECT_NE(checked.error().message.find("twice"), std::string::npos);
  }
}

TEST(JsonShape, RefusesDepthSizeTrailingBytesAndBrokenText) {
  EXPECT_FALSE(json::check_shape(std::string(10000, '[')));
  EXPECT_FALSE(json::check_shape(std::string(17, '[') + std::string(17, ']')));
  EXPECT_TRUE(json::check_shape(std::string(16, '[') + std::string(16, ']')));
  EXPECT_FALSE(json::check_shape("[1234]", {.bytes = 5, .depth = 4}));
  for (const char* text : {"", " ", "{} {}", "{}x", "{\"a\":\"\xff\"}", "{\"a\":1,}", "nul", "01"}) {
    EXPECT_FALSE(json::check_shape(text)) << text;
  }
}

}  // namespace
}  // namespace cc
