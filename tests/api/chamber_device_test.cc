// Credentials of hardware keys over HTTP: enrolled, asked for, used, and every malformed body refused.
#include <gtest/gtest.h>

#include "api/device_json.h"
#include "api/test_signer.h"

namespace cc::api {
namespace {

using test::code_of;
using test::parsed;
using test::TestSigner;
namespace json = boost::json;

const std::string kCredentials = "/api/v1/chamber/unseal/credentials";
const std::string kAnswer(40, 'a');  // 20 bytes
const std::string kChallenge(64, '1');

http::Response challenge(TestSigner& signer, const std::string& name) {
  return signer.call("POST", "/api/v1/chamber/unseal/challenge", json::serialize(json::object{{"operator", name}}));
}
json::object yubikey_device() { return {{"challenge", kChallenge}}; }

// Alice alone, registered with her passphrase; the KMS lock is open.
void alice_alone(TestSigner& signer) {
  const json::object first = signer.init_operators(R"("alice")", 1);
  ASSERT_EQ(signer.enrol("alice", first).status, 200);
  ASSERT_TRUE(signer.chamber->run_kms_step().has_value());
}
json::object adding() {
  return {{"operator", "alice"},
          {"existing_credential_id", "password-1"},
          {"existing_passphrase", TestSigner::passphrase("alice")},
          {"new_credential_id", "yubikey-1"},
          {"new_passphrase", kAnswer},
          {"new_kind", "yubikey"},
          {"new_device", yubikey_device()}};
}
std::string with(json::object body, std::string_view field, json::value value) {
  body[field] = std::move(value);
  return json::serialize(body);
}

TEST(HardwareCredential, IsAddedAskedForUsedAndRemoved) {
  TestSigner signer;
  alice_alone(signer);
  EXPECT_EQ(parsed(challenge(signer, "alice")), json::parse(R"({"challenges":[]})"));
  const auto added = signer.call("POST", kCredentials, json::serialize(adding()));
  ASSERT_EQ(added.status, 200) << added.body;
  EXPECT_EQ(parsed(added), json::parse(R"({"operator":"alice","credential_id":"yubikey-1"})"));
  const json::value asked = parsed(challenge(signer, "alice"));
  const json::object expected{
      {"challenges",
       json::array{json::object{{"credential_id", "yubikey-1"}, {"kind", "yubikey"}, {"device", yubikey_device()}}}}};
  EXPECT_EQ(asked, expected);
  EXPECT_EQ(challenges_from_json(json::serialize(asked)).value().front().credential_id, "yubikey-1");

  const auto use = [&](const std::string& path, json::object body) {
    body["operator"] = "alice";
    return signer.call("POST", "/api/v1/chamber" + path, json::serialize(body));
  };
  const json::object proof{{"kind", "yubikey"}, {"secret", kAnswer}};
  EXPECT_EQ(code_of(use("/unseal", {{"kind", "yubikey"}, {"secret", std::string(40, 'b')}})), "wrong_passphrase");
  EXPECT_EQ(code_of(use("/unseal", {{"passphrase", kAnswer}})), "wrong_passphrase") << "the kind is part of the secret";
  EXPECT_EQ(use("/drill", proof).status, 200);
  EXPECT_EQ(parsed(use("/unseal", proof)).at("status"), "unsealed");

  json::object removing{{"operator", "alice"},
                        {"existing_credential_id", "yubikey-1"},
                        {"existing_kind", "yubikey"},
                        {"existing_passphrase", kAnswer},
                        {"remove_credential_id", "password-1"}};
  EXPECT_EQ(signer.call("DELETE", kCredentials, json::serialize(removing)).status, 200);
  removing["remove_credential_id"] = "yubikey-1";
  EXPECT_EQ(code_of(signer.call("DELETE", kCredentials, json::serialize(removing))), "last_credential");
}

TEST(HardwareCredential, RegistersAnOperatorWithoutAPassphrase) {
  TestSigner signer;
  const json::object first = signer.init_operators(R"("alice")", 1);
  const std::string token(first.at("operator_tokens").at("alice").as_string());
  json::object body{{"operator", "alice"}, {"kind", "fido2"}, {"secret", std::string(64, 'c')}};
  const auto give = [&] { return signer.call("POST", "/api/v1/chamber/register", json::serialize(body), token); };
  EXPECT_EQ(code_of(give()), "malformed_request") << "no device";
  body["device"] = json::object{
      {"rp_id", "signer.example"}, {"credential", "0102"}, {"salt", std::string(64, '2')}, {"verification", true}};
  const auto done = give();
  ASSERT_EQ(done.status, 200) << done.body;
  ASSERT_TRUE(signer.chamber->run_kms_step().has_value());
  const json::value asked = parsed(challenge(signer, "alice"));
  EXPECT_EQ(asked.at_pointer("/challenges/0/device"), body["device"]);
  EXPECT_EQ(asked.at_pointer("/challenges/0/credential_id"), "default");
}

TEST(HardwareCredential, EveryMalformedBodyIsRefusedAndChangesNothing) {
  TestSigner signer;
  alice_alone(signer);
  const auto refused = [&](const std::string& body) { return code_of(signer.call("POST", kCredentials, body)); };
  const json::object good = adding();
  EXPECT_EQ(refused(with(good, "new_kind", "carrier-pigeon")), "unsupported");
  EXPECT_EQ(refused(with(good, "new_kind", 7)), "malformed_request");
  EXPECT_EQ(refused(with(good, "new_kind", "fido2")), "malformed_request");
  EXPECT_EQ(refused(with(good, "new_kind", "passphrase")), "malformed_request") << "with a device";
  for (const std::string& answer : {std::string(), std::string(39, 'a'), std::string(42, 'a'), std::string(40, 'A'),
                                    std::string(40, 'g'), std::string(100000, 'a')}) {
    EXPECT_EQ(refused(with(good, "new_passphrase", answer)), "malformed_request") << answer.size();
  }
  for (const json::value& device :
       {json::value(nullptr), json::value("text"), json::value(json::object{}), json::value(json::array{1}),
        json::value(json::object{{"challenge", std::string(62, '1')}}), json::value(json::object{{"challenge", 1}}),
        json::value(json::object{{"challenge", kChallenge}, {"more", 1}})}) {
    EXPECT_EQ(refused(with(good, "new_device", device)), "malformed_request") << json::serialize(device);
  }
  EXPECT_EQ(refused(with(good, "existing_kind", "yubikey")), "malformed_request") << "a passphrase is no answer";
  EXPECT_EQ(code_of(signer.call("POST", "/api/v1/chamber/unseal/challenge", R"({"operator":["alice"]})")),
            "malformed_request");
  EXPECT_EQ(code_of(signer.call("POST", "/api/v1/chamber/unseal/challenge", "{}")), "malformed_request");
  const auto list = signer.call("GET", kCredentials + "?operator=alice");
  EXPECT_EQ(parsed(list).at("credential_ids"), json::array{"password-1"});
}

TEST(HardwareCredential, AChallengeForNobodyLooksLikeOne) {
  TestSigner signer;
  alice_alone(signer);
  const auto first = challenge(signer, "mallory");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, challenge(signer, "mallory").body);
  EXPECT_EQ(challenges_from_json(first.body).value().size(), 1U);
}

TEST(HardwareCredential, AnswersOfASignerThatAreNoneAreRefused) {
  for (const std::string_view text :
       {"", "[]", "{}", R"({"challenges":{}})", R"({"challenges":[1]})", R"({"challenges":[{}]})",
        R"({"challenges":[{"credential_id":"a","kind":"passphrase","device":{}}]})",
        R"({"challenges":[{"credential_id":"a","kind":"yubikey","device":{"challenge":"00"}}]})"}) {
    EXPECT_FALSE(challenges_from_json(text)) << text;
  }
  const SecretBytes bytes = SecretBytes::copy_of(Bytes{0x00, 0x9f, 0xff});
  EXPECT_TRUE(answer_to_hex(bytes) == SecretBytes::copy_of("009fff"));
  EXPECT_TRUE(*answer_from_hex(answer_to_hex(bytes)) == bytes);
}

}  // namespace
}  // namespace cc::api
