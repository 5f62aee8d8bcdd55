#include "formats/mnemonic.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash.h"
#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc {
namespace {

constexpr const char* kEnglish[] = {
#include "formats/bip39_english.inc"
};

SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(text); }
std::string text_of(const SecretBytes& words) {
  const auto view = expose_secret_bytes(words);
  return {view.begin(), view.end()};
}
std::string spaced(std::string text) {
  std::ranges::replace(text, '_', ' ');
  return text;
}
const char* const kZeroWords =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

TEST(Mnemonic, TheWordListIsThePublishedOne) {
  std::string list;
  for (const char* word : kEnglish) {
    list += word;
    list += '\n';
  }
  EXPECT_EQ(std::size(kEnglish), 2048U);
  EXPECT_EQ(to_hex(crypto::sha256(bytes_of(list))), "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

TEST(Mnemonic, TheOfficialVectorsGiveTheirWordsAndSeeds) {
  for (const auto& row : test::read_vectors("formats/bip39.txt", 3)) {
    const auto words = mnemonic::from_entropy(SecretBytes::copy_of(test::hex(row[0])));
    ASSERT_TRUE(words);
    EXPECT_EQ(text_of(*words), spaced(row[1]));
    EXPECT_TRUE(mnemonic::check(*words)) << row[1];
    const auto seed = mnemonic::to_seed(*words, secret("TREZOR"));
    ASSERT_TRUE(seed);
    EXPECT_EQ(to_hex(expose_secret_bytes(*seed)), row[2]);
  }
}

TEST(Mnemonic, ValidatorKeysAreThoseOfOtherWallets) {
  for (const auto& row : test::read_vectors("formats/eip2334.txt", 4)) {
    const auto words = mnemonic::from_entropy(SecretBytes::copy_of(test::hex(row[0])));
    const auto seed = mnemonic::to_seed(*words, SecretBytes());
    const auto index = static_cast<std::uint32_t>(std::stoul(row[1]));
    const auto key = mnemonic::validator_key(*seed, index);
    ASSERT_TRUE(key);
    EXPECT_EQ(to_hex(expose_secret_bytes(key->bytes())), row[2]);
    EXPECT_EQ(to_hex(key->public_key()), row[3]);
    const auto branch = mnemonic::validator_branch(*seed);
    EXPECT_EQ(mnemonic::validator_key(*branch, index).bytes(), key->bytes());
  }
}

TEST(Mnemonic, ThePassphraseIsNormalised) {
  const auto composed = mnemonic::to_seed(secret(kZeroWords), secret("caf\u00e9"));
  const auto decomposed = mnemonic::to_seed(secret(kZeroWords), secret("cafe\u0301"));
  const auto other = mnemonic::to_seed(secret(kZeroWords), secret("cafe"));
  EXPECT_TRUE(*composed == *decomposed);
  EXPECT_FALSE(*composed == *other);
}

TEST(Mnemonic, EachGeneratedMnemonicHas24WordsAndItsChecksum) {
  test::SeededRandom random(7);
  std::string last;
  for (int i = 0; i < 20; ++i) {
    const SecretBytes words = mnemonic::generate(random);
    const std::string text = text_of(words);
    EXPECT_EQ(std::ranges::count(text, ' '), 23);
    EXPECT_TRUE(mnemonic::check(words));
    EXPECT_NE(text, last);
    last = text;
  }
}

TEST(Mnemonic, NamesThePositionOfABadWordAndNeverTheWord) {
  const auto checked = mnemonic::check(
      secret("abandon abandon abandon abandon abandon abandon xyzzy abandon abandon abandon abandon about"));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::malformed_request);
  EXPECT_NE(checked.error().message.find("word 7 "), std::string::npos);
  EXPECT_EQ(checked.error().message.find("xyzzy"), std::string::npos);
}

TEST(Mnemonic, AWrongOrSwappedWordFailsTheChecksum) {
  for (const char* words :
       {"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon",
        "winner legal thank year wave sausage worth useful legal winner thank yellow"}) {
    const auto checked = mnemonic::check(secret(words));
    ASSERT_FALSE(checked) << words;
    EXPECT_NE(checked.error().message.find("checksum"), std::string::npos);
  }
}

TEST(Mnemonic, RefusesOtherWordCountsSpacesAndPrefixes) {
  const std::string good = kZeroWords;
  const std::string twice = good + " " + good;
  for (const std::string& words :
       {std::string(), std::string("about"), good + " about", good + " ", " " + good, good + "\n",
        "abando" + good.substr(7), "abandonabandonabandon " + good, twice + twice, good.substr(0, good.size() - 6)}) {
    EXPECT_FALSE(mnemonic::check(secret(words))) << words;
  }
}

TEST(Mnemonic, RefusesEntropyOfAnyOtherLength) {
  for (std::size_t size = 0; size < 40; ++size) {
    const bool good = size == 16 || size == 20 || size == 24 || size == 28 || size == 32;
    EXPECT_EQ(mnemonic::from_entropy(SecretBytes(size)).has_value(), good) << size;
  }
}

TEST(Mnemonic, EveryWordOfTheListIsFound) {
  // Twelve words carry 128 free bits: eleven words and seven bits of the last one.
  constexpr std::uint32_t kFree = 11;
  for (std::uint32_t first = 0; first < 2048; first += kFree) {
    SecretBytes entropy(16);
    const auto bytes = expose_secret_bytes(entropy);
    std::string expected;
    for (std::uint32_t i = 0; i < kFree; ++i) {
      const std::uint32_t word = (first + i) % 2048;
      expected += kEnglish[word];
      expected += ' ';
      for (std::uint32_t bit = 0; bit < 11; ++bit) {
        const std::uint32_t at = i * 11 + bit;
        bytes[at / 8] = static_cast<std::uint8_t>(bytes[at / 8] | (word >> (10 - bit) & 1U) << (7 - at % 8));
      }
    }
    const auto words = mnemonic::from_entropy(entropy);
    EXPECT_TRUE(text_of(*words).starts_with(expected)) << expected;
    EXPECT_TRUE(mnemonic::check(*words));
  }
}

}  // namespace
}  // namespace cc
