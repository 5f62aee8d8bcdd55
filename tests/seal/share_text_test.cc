#include "seal/share_text.h"

#include <gtest/gtest.h>

#include "support/memory_ports.h"

namespace cc::seal {
namespace {

std::string plain(const SecretBytes& text) {
  const auto bytes = expose_secret_bytes(text);
  return {bytes.begin(), bytes.end()};
}
Result<TextShare> parse(const std::string& text) { return parse_share_text(SecretBytes::copy_of(text)); }

struct Fixture {
  test::SeededRandom random{"share text"};
  LockId lock = random.array<16>();
  crypto::Share share{3, random.secret<64>()};
  std::string text = plain(to_text(share, lock));
};

TEST(ShareText, ReadsBackWhatItWrites) {
  const Fixture f;
  EXPECT_EQ(f.text.size(), 4U + 1 + 96 + 1 + 24);
  EXPECT_TRUE(f.text.starts_with("Aw==:"));
  const auto back = parse(f.text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->lock, f.lock);
  EXPECT_EQ(back->share.index, 3);
  EXPECT_TRUE(back->share.value == f.share.value);
  EXPECT_TRUE(parse("  " + f.text + "\r\n"));
}

TEST(ShareText, EveryChangedCharacterAndEveryCutIsNoticed) {
  const Fixture f;
  for (std::size_t at = 0; at < f.text.size(); ++at) {
    for (const char c : std::string("A/9=: z")) {
      std::string changed = f.text;
      if (std::exchange(changed[at], c) != c) {
        ASSERT_FALSE(parse(changed)) << at << " " << c;
      }
    }
    ASSERT_FALSE(parse(f.text.substr(0, at))) << at;
  }
  EXPECT_FALSE(parse(f.text + "A"));
  EXPECT_FALSE(parse(f.text + ":AA=="));
  EXPECT_FALSE(parse(std::string(5000, 'A')));
}

TEST(ShareText, FieldsOfTwoSharesDoNotMix) {
  Fixture f;
  const std::string other = plain(to_text({3, f.random.secret<64>()}, f.random.array<16>()));
  EXPECT_FALSE(parse(f.text.substr(0, 102) + other.substr(102)));
  EXPECT_FALSE(parse("BA==" + f.text.substr(4)));
}

// Known-answer shares of TKeeper's public documentation.
TEST(ShareText, TKeepersOwnSharesAreRefusedByName) {
  for (const char* share :
       {"AQ==:ALcjf8EK6KChwJlpUZ2NDZCeEIuiNrtSeVNKlaWqx8+P:AQVS75RHWIpzH18ei3r+ZOOTBgEBJYyf9XQ/o5IeskIV",
        "BA==:b0CTwPzitfUhxWbSlc/O/ri9Co3ab1nzReuMNX1iyQg=:AQVS75RHWIpzH18ei3r+ZOOTBgEBJYyf9XQ/o5IeskIV"}) {
    const auto parsed = parse(share);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message.find("TKeeper"), std::string::npos) << parsed.error().message;
  }
  EXPECT_EQ(parse("not a share").error().message.find("TKeeper"), std::string::npos);
}

TEST(ShareText, AShareOfAReplacedSetIsNamed) {
  const Fixture f;
  const TextShare share = *parse(f.text);
  EXPECT_TRUE(judge(share, f.lock, {}));
  EXPECT_EQ(judge(share, LockId{1}, {LockId{2}, f.lock}).error().kind, ErrorKind::share_older_set);
  EXPECT_EQ(judge(share, LockId{1}, {LockId{2}}).error().kind, ErrorKind::share_other_set);
}

TEST(ShareText, MessagesNeverRepeatTheShare) {
  const Fixture f;
  std::string changed = f.text;
  changed[50] = changed[50] == 'A' ? 'B' : 'A';
  EXPECT_EQ(parse(changed).error().message.find(changed.substr(10, 12)), std::string::npos);
}

}  // namespace
}  // namespace cc::seal
