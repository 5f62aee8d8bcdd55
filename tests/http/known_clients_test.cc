#include "http/known_clients.h"

#include <gtest/gtest.h>

namespace cc::http {
namespace {

const std::string kDigits = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
const std::string kColons =
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";
const std::string kMeant = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

TEST(KnownClients, TakesBothFormsOfAFingerprint) {
  const auto parsed = parse_known_clients("one " + kDigits + "\r\n  # note\n\n two words\t" + kColons);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ(parsed->at(0).name, "one");
  EXPECT_EQ(parsed->at(0).fingerprint, kMeant);
  EXPECT_EQ(parsed->at(1).name, "two words");
  EXPECT_EQ(parsed->at(1).fingerprint, kMeant);
}

TEST(KnownClients, NamesTheBadLine) {
  for (const std::string& bad : {std::string("one"), kDigits, "one " + kDigits.substr(1), "one " + kDigits + "0",
                                 "one " + kDigits.substr(1) + "g", "one " + kColons.substr(0, kColons.size() - 1),
                                 "one 0" + kColons.substr(1, 1) + ";" + kColons.substr(3)}) {
    const auto parsed = parse_known_clients("good " + kDigits + "\n" + bad + "\n");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, ErrorKind::config_invalid);
    EXPECT_NE(parsed.error().message.find("line 2"), std::string::npos);
  }
}

TEST(KnownClients, AnEmptyFileKnowsNobody) {
  EXPECT_TRUE(parse_known_clients("")->empty());
  EXPECT_TRUE(parse_known_clients("\n# nobody\n\n")->empty());
}

}  // namespace
}  // namespace cc::http
