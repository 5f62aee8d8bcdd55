#include "api/sign_input.h"

#include <gtest/gtest.h>

namespace cc::api {
namespace {

TEST(SignInput, NoAcceptHeaderMeansText) {
  EXPECT_FALSE(wants_json(""));
  EXPECT_FALSE(wants_json("text/plain"));
  EXPECT_FALSE(wants_json("text/html, application/xml"));
  EXPECT_TRUE(wants_json("application/json"));
  EXPECT_TRUE(wants_json("Application/JSON; q=0.9"));
  EXPECT_TRUE(wants_json("*/*"));
  EXPECT_TRUE(wants_json("text/plain, */*;q=0.1"));
}

TEST(SignInput, AnIdentifierMayHaveAnyCaseAndNoPrefix) {
  const std::string digits =
      "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b94a38e44c";
  std::string upper = digits;
  for (char& c : upper) {
    c = static_cast<char>(std::toupper(c));
  }
  const BlsPublicKey key = public_key_of("0x" + digits).value();
  EXPECT_EQ(key[0], 0xA9);
  EXPECT_EQ(public_key_of(digits).value(), key);
  EXPECT_EQ(public_key_of(upper).value(), key);
  EXPECT_EQ(public_key_of("0X" + upper).value(), key);
}

TEST(SignInput, RefusesEveryOtherIdentifier) {
  const std::string digits(96, 'a');
  for (const std::string& bad :
       {std::string(), std::string("0x"), std::string("0x12"), digits + "aa", digits.substr(2), "0x" + digits + "0",
        "0x0x" + digits, std::string(95, 'a') + "g", " " + digits, "0x" + digits.substr(2) + "zz"}) {
    EXPECT_FALSE(public_key_of(bad).has_value()) << bad;
  }
}

TEST(SignInput, OutlinesTypeAndNetwork) {
  const std::string root = "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95";
  const SignOutline outline =
      outline_of(R"({"type":"attestation","fork_info":{"genesis_validators_root":")" + root + "\"}}");
  EXPECT_EQ(outline.type, "ATTESTATION");
  ASSERT_TRUE(outline.genesis_validators_root.has_value());
  EXPECT_EQ((*outline.genesis_validators_root)[0], 0x4B);
  EXPECT_TRUE(outline_of("nonsense").type.empty());
  EXPECT_FALSE(outline_of(R"({"type":1,"fork_info":{"genesis_validators_root":"0x12"}})").genesis_validators_root);
}

}  // namespace
}  // namespace cc::api
