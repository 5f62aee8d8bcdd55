#include "base/bytes.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

TEST(Hex, RoundTripsAndTakesEitherCaseAndPrefix) {
  const Bytes bytes{0x00, 0x7f, 0x80, 0xff};
  EXPECT_EQ(to_hex(bytes), "007f80ff");
  EXPECT_EQ(to_0x(bytes), "0x007f80ff");
  EXPECT_EQ(*from_hex("0x007F80fF"), bytes);
  EXPECT_EQ(*from_hex("007f80ff"), bytes);
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  EXPECT_FALSE(from_hex("0x123"));
  EXPECT_FALSE(from_hex("zz"));
  EXPECT_FALSE(from_hex("0x0x12"));
  std::array<std::uint8_t, 2> out{};
  const auto wrong = from_hex_exact("0x010203", out);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::malformed_request);
  EXPECT_NE(wrong.error().message.find("expected 2 bytes"), std::string::npos);
}

// RFC 4648 section 10.
TEST(Base64, MatchesTheRfcVectors) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(bytes_of(plain)), encoded);
    const auto back = from_base64(encoded);
    ASSERT_TRUE(back) << encoded;
    EXPECT_EQ(std::string(back->begin(), back->end()), plain);
  }
}

TEST(Base64, RefusesEveryFormThatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zg==\n", "Zg===", "Z", "====", "Zm9v====", "Zm-v"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

TEST(Base64Url, HasNoPaddingAndNoSlash) { EXPECT_EQ(to_base64url(Bytes{0xff, 0xef, 0xbe}), "_---"); }

TEST(ConstantTimeEquality, SeesEveryDifference) {
  const Bytes a{1, 2, 3};
  for (std::size_t i = 0; i < a.size(); ++i) {
    Bytes b = a;
    b[i] ^= 0x80;
    EXPECT_FALSE(equal_constant_time(a, b));
  }
  EXPECT_TRUE(equal_constant_time(a, Bytes{1, 2, 3}));
  EXPECT_FALSE(equal_constant_time(a, Bytes{1, 2}));
}

TEST(BigEndian, AppendsTheMostSignificantByteFirst) {
  Bytes out;
  append_u16_be(out, 0x0102);
  append_u32_be(out, 0x03040506);
  append_u64_be(out, 0x0708090a0b0c0d0eULL);
  EXPECT_EQ(to_hex(out), "0102030405060708090a0b0c0d0e");
}

}  // namespace
}  // namespace cc
