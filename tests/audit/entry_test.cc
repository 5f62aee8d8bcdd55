// The written form of an entry, and that no secret gets in.
#include <gtest/gtest.h>

#include <type_traits>

#include "log_of.h"

namespace cc::audit {
namespace {

// By type: there is no way from a secret to anything an entry is made of.
static_assert(!std::is_constructible_v<Word, const SecretBytes&>);
static_assert(!std::is_constructible_v<Word, SecretBytes>);
static_assert(!std::is_constructible_v<Remark, const SecretBytes&>);
static_assert(!std::is_constructible_v<Word, std::string>);
static_assert(!std::is_constructible_v<Remark, std::string_view>);
static_assert(!std::is_convertible_v<Secret<32>, crypto::Digest>);
static_assert(!std::is_convertible_v<SecretBytes, std::string_view>);
static_assert(!std::is_assignable_v<std::optional<Word>&, std::string>);

Entry full_entry() {
  Entry out;
  out.number = 8;
  out.time = test::kTime;
  out.what = test::full_draft();
  out.head = crypto::sha256(bytes_of("head"));
  return out;
}

TEST(Entry, IsWrittenAndReadBackTheSame) {
  const std::string line = encode(full_entry());
  const auto read = decode(line);
  ASSERT_TRUE(read.has_value()) << read.error().message << "\n" << line;
  EXPECT_EQ(*read, full_entry());
  EXPECT_EQ(encode(*read), line);
  EXPECT_EQ(hashed_part(line), body_of(full_entry()));
}

TEST(Entry, EveryChangedOrMissingByteIsAnotherEntryOrNone) {
  const std::string line = encode(full_entry());
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (const char other : {'0', 'x', '"', ' ', ',', '\\', '\n'}) {
      std::string changed = line;
      changed[i] = other;
      if (other == line[i]) {
        continue;
      }
      if (const auto read = decode(changed)) {
        EXPECT_NE(*read, full_entry()) << changed;
        EXPECT_EQ(encode(*read), changed);
      }
    }
    EXPECT_FALSE(decode(line.substr(0, i)).has_value()) << i;
  }
}

TEST(Entry, HasOneWrittenFormOnly) {
  const std::string line = encode(full_entry());
  const auto replaced = [&](const std::string& what, const std::string& by) {
    std::string out = line;
    const auto at = out.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return out.replace(at, what.size(), by);
  };
  EXPECT_FALSE(decode(replaced(R"("n":8)", R"("n":08)")));
  EXPECT_FALSE(decode(replaced(R"("n":8)", R"("n": 8)")));
  EXPECT_FALSE(decode(replaced(R"("epoch":3)", R"("epoch":3,"epoch":3)")));
  EXPECT_FALSE(decode(line + " "));
  EXPECT_FALSE(decode(" " + line));
  EXPECT_FALSE(decode(replaced("alice", "alic\\u0065")));
  EXPECT_FALSE(decode(replaced("0xb1", "0xB1")));
  EXPECT_FALSE(decode(replaced("wrong_state", "no_such_code")));
  EXPECT_FALSE(decode(replaced("rotate_unseal", "rotate_nothing")));
  EXPECT_FALSE(decode(replaced("policy:ops-team", "policy:")));
  EXPECT_FALSE(decode(replaced("policy:ops-team", "system:ops-team")));
  EXPECT_FALSE(decode(replaced(R"("n":8)", R"("n":1)"))) << "the first entry starts a log";
  EXPECT_FALSE(decode(replaced(R"("n":8)", R"("n":18446744073709551616)")));
}

TEST(Entry, ATokenOfOursIsNoWord) {
  EXPECT_FALSE(Word::of("cc-setup-QsWnjKVkGtbwC29fiA4-r4V_TM_F29yWe3YdNyvDhXU"));
  EXPECT_FALSE(Word::of("x-CC-Reg-QsWnjKVkGtbwC29fiA4"));
  EXPECT_FALSE(Word::of("pkcs11:token=a?pin-value=1234"));
  EXPECT_FALSE(Word::of("two words"));
  EXPECT_FALSE(Word::of("quo\"te"));
  EXPECT_FALSE(Word::of(""));
  EXPECT_FALSE(Word::of(std::string(kMaxWordBytes + 1, 'a')));
  EXPECT_TRUE(Word::of("pkcs11:token=a;object=kek"));
}

TEST(Entry, ARemarkIsCutAndCleaned) {
  EXPECT_EQ(Remark::of("it's \"over\"\n\xc3\xa9")->text(), "it's ?over????");
  EXPECT_EQ(Remark::of(std::string(1000, 'a'))->text().size(), kMaxRemarkBytes);
  EXPECT_EQ(Remark::of("the token was cc-reg-abc")->text(), "(left out: it held a token)");
  EXPECT_FALSE(Remark::of(""));
  EXPECT_FALSE(Remark::written("a\nb"));
}

TEST(Entry, AnAuthorIsOneOfTheKinds) {
  EXPECT_EQ(Author::of_operator("alice").text(), "operator:alice");
  EXPECT_EQ(Author::policy("cc-admin-xyz").text(), "anyone");
  for (const char* text : {"system", "policy:a", "operator:b", "local:uid-0", "setup-token", "anyone"}) {
    ASSERT_TRUE(Author::parse(text)) << text;
    EXPECT_EQ(Author::parse(text)->text(), text);
  }
  for (const char* text : {"", "policy", "anyone:x", "root", "operator:", "operator:a b"}) {
    EXPECT_FALSE(Author::parse(text)) << text;
  }
}

}  // namespace
}  // namespace cc::audit
