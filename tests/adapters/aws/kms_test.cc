#include "adapters/aws/kms.h"

#include <gtest/gtest.h>

#include "adapters/aws/aws_fixture.h"
#include "adapters/aws/aws_kek.h"

namespace cc::aws {
namespace {

const std::string kArn = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd";
const seal::KekContext kContext{{"cc:index", "1"}, {"cc:purpose", "seal-share"}};

class KmsTest : public testing::Test, protected AwsFixture {
 protected:
  CountedSource source;
  Kms kms{client, source};
  AwsKekService keks{kms};
  KeyArn key = KeyArn::parse(kArn).value();
  SecretBytes share = SecretBytes::copy_of(std::string_view("share"));
  const std::string& sent() { return wire.calls.back().body; }
  ErrorKind prepared(const std::string& metadata) {
    wire.script.push_back(answer(200, R"({"KeyMetadata":{"Arn":")" + kArn + "\"," + metadata + "}}"));
    const auto out = keks.prepare(kArn);
    return out ? ErrorKind::internal : out.error().kind;
  }
};

TEST_F(KmsTest, EncryptSendsKeyContextAndPlaintext) {
  wire.script.push_back(answer(200, R"({"CiphertextBlob":"AQID","KeyId":")" + kArn + "\"}"));
  EXPECT_EQ(to_hex(keks.wrap(kArn, kContext, share).value()), "010203");
  EXPECT_EQ(sent(), "{\"KeyId\":\"" + kArn +
                        "\",\"EncryptionContext\":{\"cc:index\":\"1\",\"cc:purpose\":\"seal-share\"},"
                        "\"Plaintext\":\"c2hhcmU=\"}");
  EXPECT_EQ(wire.calls.back().headers.at("x-amz-target"), "TrentService.Encrypt");
  EXPECT_EQ(wire.calls.back().url, "https://kms.eu-west-1.amazonaws.com/");
}

TEST_F(KmsTest, DecryptSendsTheKeyIdAndGivesThePlaintext) {
  wire.script.push_back(answer(200, R"({"KeyId":")" + kArn + R"(","Plaintext":"c2hhcmU="})"));
  EXPECT_TRUE(keks.unwrap(kArn, kContext, Bytes{1, 2, 3}).value() == share);
  EXPECT_EQ(sent(), "{\"KeyId\":\"" + kArn +
                        "\",\"EncryptionContext\":{\"cc:index\":\"1\",\"cc:purpose\":\"seal-share\"},"
                        "\"CiphertextBlob\":\"AQID\"}");
}

TEST_F(KmsTest, AnAnswerAboutAnotherKeyIsRefused) {
  const std::string other = "arn:aws:kms:eu-west-1:111111111111:key/other";
  wire.script.push_back(answer(200, R"({"KeyId":")" + other + R"(","Plaintext":"c2hhcmU="})"));
  EXPECT_EQ(keks.unwrap(kArn, kContext, Bytes{1}).error().kind, ErrorKind::kms_mismatch);
  wire.script.push_back(answer(200, R"({"Plaintext":"c2hhcmU="})"));
  EXPECT_EQ(keks.unwrap(kArn, kContext, Bytes{1}).error().kind, ErrorKind::kms_mismatch);
  wire.script.push_back(answer(200, R"({"CiphertextBlob":"AQID","KeyId":")" + other + "\"}"));
  EXPECT_EQ(keks.wrap(kArn, kContext, share).error().kind, ErrorKind::kms_mismatch);
}

TEST_F(KmsTest, UnreadableAnswersAreErrors) {
  const std::string id = R"({"KeyId":")" + kArn + "\"";
  // A page of something in between: never called a wrong key.
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{"), std::string("<html>Bad Gateway</html>")}) {
    wire.script.push_back(answer(200, bad));
    EXPECT_EQ(keks.unwrap(kArn, kContext, Bytes{1}).error().kind, ErrorKind::kms_unreachable) << bad;
  }
  for (const std::string& bad :
       {id + "}", id + R"(,"Plaintext":7})", id + R"(,"Plaintext":""})", id + R"(,"Plaintext":"!"})"}) {
    wire.script.push_back(answer(200, bad));
    EXPECT_EQ(keks.unwrap(kArn, kContext, Bytes{1}).error().kind, ErrorKind::kms_mismatch) << bad;
  }
}

TEST_F(KmsTest, SizesAreCheckedBeforeAnybodyIsAsked) {
  EXPECT_FALSE(keks.unwrap(kArn, kContext, Bytes{}));
  EXPECT_FALSE(keks.unwrap(kArn, kContext, Bytes(kMaxKmsCiphertext + 1)));
  EXPECT_FALSE(keks.wrap(kArn, kContext, SecretBytes(kMaxKmsPlaintext + 1)));
  EXPECT_TRUE(wire.calls.empty());
}

TEST_F(KmsTest, GenerateDataKeyGivesThirtyTwoBytes) {
  const std::string head = R"({"CiphertextBlob":"AQID","KeyId":")" + kArn + R"(","Plaintext":")";
  wire.script.push_back(answer(200, head + to_base64(Bytes(32, 7)) + "\"}"));
  const auto made = kms.generate_data_key(key, kContext);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->plaintext.size(), 32U);
  wire.script.push_back(answer(200, head + to_base64(Bytes(16, 7)) + "\"}"));
  EXPECT_FALSE(kms.generate_data_key(key, kContext));
}

TEST_F(KmsTest, PrepareLooksAtTheKeysState) {
  const std::string usual = R"("KeyUsage":"ENCRYPT_DECRYPT","KeySpec":"SYMMETRIC_DEFAULT","KeyState":)";
  EXPECT_EQ(prepared(usual + "\"Enabled\""), ErrorKind::internal) << "no error";
  EXPECT_EQ(prepared(usual + "\"Disabled\""), ErrorKind::kms_disabled);
  EXPECT_EQ(prepared(usual + "\"PendingDeletion\""), ErrorKind::kms_pending_deletion);
  EXPECT_EQ(prepared(R"("KeyUsage":"SIGN_VERIFY","KeySpec":"RSA_2048","KeyState":"Enabled")"), ErrorKind::kms_denied);
}

TEST_F(KmsTest, PrepareTakesWhatAnAnswerLeavesOutForNothing) {
  EXPECT_EQ(prepared(R"("Enabled":true)"), ErrorKind::internal) << "no error";
}

TEST_F(KmsTest, PrepareNeedsNoRightToLook) {
  wire.script.push_back(refusal("AccessDeniedException"));
  EXPECT_TRUE(keks.prepare(kArn));
  wire.script.push_back(refusal("NotFoundException"));
  EXPECT_EQ(keks.prepare(kArn).error().kind, ErrorKind::kms_missing);
}

TEST_F(KmsTest, OtherNamesAreRefused) {
  EXPECT_EQ(keks.prepare("local://x").error().kind, ErrorKind::kek_name_invalid);
  EXPECT_EQ(keks.unwrap("arn:aws:kms:nowhere", kContext, Bytes{1}).error().kind, ErrorKind::kek_name_invalid);
}

}  // namespace
}  // namespace cc::aws
