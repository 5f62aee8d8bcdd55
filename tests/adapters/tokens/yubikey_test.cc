// A YubiKey over a smart-card interface: the answer, and every way in which there is none.
#include "adapters/tokens/yubikey.h"

#include <gtest/gtest.h>

#include "adapters/tokens/fake_cards.h"

namespace cc::tokens {
namespace {

using test::FakeKey;
using test::FakeReaders;

struct Desk {
  FakeReaders readers;
  std::vector<std::string> told;
  Bytes challenge = Bytes(32, 0x41);

  Result<Secret<kHmacBytes>> answer(std::optional<std::uint32_t> serial = {}) {
    return answer_challenge(readers, challenge, {serial}, [this](const std::string& text) { told.push_back(text); });
  }
  void refuses(ErrorKind kind, const std::string& words, std::optional<std::uint32_t> serial = {}) {
    const auto got = answer(serial);
    ASSERT_FALSE(got.has_value()) << "expected: " << words;
    EXPECT_EQ(got.error().kind, kind) << got.error().message;
    EXPECT_NE(got.error().message.find(words), std::string::npos) << got.error().message;
  }
};

std::string hex(const Secret<kHmacBytes>& answer) { return to_hex(expose_secret_bytes(answer)); }

// RFC 2202, test case 1: the key 0b × 20, "Hi There".
TEST(Yubikey, AnswersAsRfc2202Says) {
  Desk desk;
  FakeKey key;
  desk.readers.readers["a"] = &key;
  const std::string_view text = "Hi There";
  desk.challenge.assign(text.begin(), text.end());
  EXPECT_EQ(hex(*desk.answer()), "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_TRUE(desk.told.empty()) << "no touch is needed";
}

TEST(Yubikey, ReceivesTheWholeChallengeWhateverItsLastByte) {
  Desk desk;
  FakeKey key;
  desk.readers.readers["a"] = &key;
  for (const unsigned last : {0x00U, 0x01U, 0x41U, 0xffU}) {
    desk.challenge.back() = static_cast<std::uint8_t>(last);
    ASSERT_TRUE(desk.answer().has_value());
    EXPECT_EQ(key.challenge, desk.challenge);
  }
}

TEST(Yubikey, ReadsAnswersThatComeInParts) {
  Desk desk;
  FakeKey key;
  desk.readers.readers["a"] = &key;
  const std::string whole = hex(*desk.answer());
  key.in_parts = true;
  EXPECT_EQ(hex(*desk.answer()), whole);
}

TEST(Yubikey, AsksForTheTouchThatTheKeyWants) {
  Desk desk;
  FakeKey key;
  key.status[4] |= 0x08;
  desk.readers.readers["a"] = &key;
  ASSERT_TRUE(desk.answer().has_value());
  ASSERT_EQ(desk.told.size(), 1U);
  EXPECT_NE(desk.told[0].find("Touch"), std::string::npos);
  key.hmac_word = 0x6985;
  desk.refuses(kNotReady, "not touched in time");
}

TEST(Yubikey, IsFoundAmongOtherCardsAndEmptyReaders) {
  Desk desk;
  FakeKey key;
  FakeKey bank_card;
  bank_card.select_word = 0x6A82;
  FakeKey held;
  held.cannot_open = Error{kNotReady, "another program holds the hardware key"};
  desk.readers.readers = {{"a", nullptr}, {"b", &bank_card}, {"c", &held}, {"d", &key}};
  EXPECT_TRUE(desk.answer().has_value());
  desk.readers.readers.erase("d");
  desk.refuses(kNotReady, "another program holds");
  desk.readers.readers.erase("c");
  desk.refuses(kNotThere, "no YubiKey is plugged in");
  desk.readers.readers.clear();
  desk.refuses(kNotThere, "no smart-card reader and no YubiKey");
  desk.readers.no_service = Error{kNotReady, "the smart-card service does not run"};
  desk.refuses(kNotReady, "does not run");
}

TEST(Yubikey, OfSeveralIsChosenByNumber) {
  Desk desk;
  FakeKey one;
  FakeKey two;
  two.serial = {0, 0, 0, 7};
  two.secret = Bytes(20, 1);
  desk.readers.readers = {{"a", &one}, {"b", &two}};
  desk.refuses(ErrorKind::usage, "12345, 7");
  EXPECT_NE(hex(*desk.answer(7)), hex(*desk.answer(12345)));
  desk.refuses(kNotThere, "number 8 is not plugged in", 8);
  one.serial.clear();
  desk.refuses(ErrorKind::usage, "one that hides its number, 7");
}

TEST(Yubikey, ThatIsNotSetUpIsNamedWithWhatToDo) {
  Desk desk;
  FakeKey key;
  desk.readers.readers["a"] = &key;
  key.status[4] = 0x01;
  desk.refuses(kNotReady, "slot 2 of the YubiKey is empty");
  key.status[4] = 0x02;
  key.hmac_word = 0x6985;
  desk.refuses(kNotReady, "not set up for HMAC-SHA1");
  key.hmac_word = 0x6D00;
  desk.refuses(kNotReady, "6d00");
  key.status = {2, 1, 9, 0, 2, 0};
  desk.refuses(kNotReady, "too old");
  key.status = {5};
  desk.refuses(kNotReady, "does not say its version");
}

TEST(Yubikey, PulledOutAtAnyMomentIsSaidSo) {
  for (std::size_t commands = 0; commands < 3; ++commands) {
    Desk desk;
    FakeKey key;
    key.removed_after = commands;
    desk.readers.readers["a"] = &key;
    desk.refuses(kNotThere, "pulled out");
  }
}

TEST(CardAnswers, TooShortOrOfAnotherLengthAreNoAnswer) {
  EXPECT_FALSE(read_answer(SecretBytes()));
  EXPECT_FALSE(read_answer(SecretBytes(1)));
  for (std::size_t size = 0; size <= 256; ++size) {
    const Bytes data(size, 1);
    const auto read = read_hmac({data, 0x9000}, false);
    EXPECT_EQ(read.has_value(), size == kHmacBytes) << size;
    EXPECT_EQ(read_serial({data, 0x9000}).has_value(), size == 4) << size;
  }
}

}  // namespace
}  // namespace cc::tokens
