#include "formats/unicode.h"

#include <gtest/gtest.h>

#include "support/vector_table.h"

namespace cc {
namespace {

std::string text_of(const Result<SecretBytes>& secret) {
  const auto view = expose_secret_bytes(*secret);
  return to_hex(view);
}

TEST(Unicode, NormalFormsAgreeWithAnotherImplementation) {
  for (const auto& row : test::read_vectors("formats/unicode.txt", 5)) {
    const SecretBytes text = SecretBytes::copy_of(test::hex(row[0]));
    EXPECT_EQ(text_of(unicode::nfc(text)), row[1]);
    EXPECT_EQ(text_of(unicode::nfkd(text)), row[2]) << row[0];
    EXPECT_EQ(text_of(unicode::eip2335_password(text)), row[3]) << row[0];
    EXPECT_EQ(unicode::code_points(text).value(), std::stoul(row[4]));
  }
}

TEST(Unicode, TheEipPasswordIsEncodedAsTheEipSays) {
  const SecretBytes password = SecretBytes::copy_of(std::string_view("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"));
  EXPECT_EQ(text_of(unicode::eip2335_password(password)), "7465737470617373776f7264f09f9491");
}

TEST(Unicode, RefusesBytesThatAreNotUtf8) {
  for (const char* bytes : {"ff", "c0af", "eda080", "f4908080", "e282", "61ff"}) {
    const Bytes raw = test::hex(bytes);
    EXPECT_FALSE(unicode::is_utf8({reinterpret_cast<const char*>(raw.data()), raw.size()})) << bytes;
    const SecretBytes text = SecretBytes::copy_of(raw);
    EXPECT_EQ(unicode::nfc(text).error().kind, ErrorKind::passphrase_invalid);
    EXPECT_EQ(unicode::nfkd(text).error().kind, ErrorKind::passphrase_invalid);
    EXPECT_EQ(unicode::eip2335_password(text).error().kind, ErrorKind::passphrase_invalid);
    EXPECT_EQ(unicode::code_points(text).error().kind, ErrorKind::passphrase_invalid);
  }
}

TEST(Unicode, ANulByteIsACodePointLikeAnyOther) {
  const SecretBytes text = SecretBytes::copy_of(std::string_view("a\0b", 3));
  EXPECT_EQ(unicode::code_points(text).value(), 3U);
  EXPECT_EQ(unicode::nfc(text)->size(), 3U);
  EXPECT_EQ(unicode::eip2335_password(text)->size(), 2U);
}

TEST(Unicode, TextOfManyCodePointsSurvives) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "\ufdfa";  // grows eighteenfold under NFKD
  }
  const auto out = unicode::nfkd(SecretBytes::copy_of(text));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->size(), 5000U * 33);
}

}  // namespace
}  // namespace cc
