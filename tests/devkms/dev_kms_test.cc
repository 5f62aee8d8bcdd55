// dev-kms as the strict fixture: what it accepts is what AWS accepts. AWS's own client is run against it in
// tests/e2e/test_aws.py.
#include "devkms/access.h"

#include <gtest/gtest.h>

#include "adapters/aws/signature.h"
#include "devkms/operations.h"
#include "support/process.h"

namespace cc::devkms {
namespace {

class FixedClock final : public Clock {
 public:
  Milliseconds monotonic() const override { return Milliseconds(0); }
  std::uint64_t unix_seconds() const override { return now; }
  std::uint64_t now = 1'440'938'160;
};

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    std::ofstream(folder / "credentials") << "[default]\naws_access_key_id=AK\naws_secret_access_key=sk\n";
  }

  http::Request signed_request(const std::string& body = "{}") {
    aws::SignedRequest to_sign;
    to_sign.headers = {{"host", "h"}, {"x-amz-date", date}, {"x-amz-target", "TrentService.Encrypt"}};
    to_sign.payload_hash = aws::hex_sha256(body);
    http::Request out;
    out.method = "POST";
    out.path = "/";
    out.body = body;
    for (const auto& [name, value] : to_sign.headers) {
      out.headers[name] = value;
    }
    out.headers["authorization"] =
        aws::authorization(to_sign, {date, "eu-west-1", "kms"}, id, SecretBytes::copy_of(std::string_view(secret)));
    return out;
  }
  std::string check(const http::Request& request) {
    SystemRandom random;
    const auto access = Access::open((folder / "credentials").string(), random);
    Caller caller;
    const auto refused = access->check(request, clock, caller);
    return refused ? refused->code : "good " + caller.region;
  }

  test::TemporaryFolder folder;
  FixedClock clock;
  std::string date = "20150830T123600Z", id = "AK", secret = "sk";
};

TEST_F(AccessTest, TakesAWellSignedRequest) { EXPECT_EQ(check(signed_request()), "good eu-west-1"); }

TEST_F(AccessTest, RefusesWhatIsNotWholeOrNotOurs) {
  auto request = signed_request();
  request.headers.erase("authorization");
  EXPECT_EQ(check(request), "MissingAuthenticationTokenException");
  request = signed_request();
  request.headers["authorization"] = "Bearer x";
  EXPECT_EQ(check(request), "IncompleteSignatureException");
  request = signed_request();
  request.body = "{ }";
  EXPECT_EQ(check(request), "InvalidSignatureException");
  request = signed_request();
  request.headers["x-amz-target"] = "TrentService.Decrypt";
  EXPECT_EQ(check(request), "InvalidSignatureException");
  request = signed_request();
  request.headers["x-amz-more"] = "unsigned";
  EXPECT_EQ(check(request), "IncompleteSignatureException");
  request = signed_request();
  request.headers.erase("x-amz-target");
  EXPECT_EQ(check(request), "IncompleteSignatureException");
  request = signed_request();
  request.headers["x-amz-security-token"] = "t";
  EXPECT_NE(check(request), "good eu-west-1");
}

TEST_F(AccessTest, RefusesStrangersWrongKeysAndWrongTimes) {
  secret = "other";
  EXPECT_EQ(check(signed_request()), "InvalidSignatureException");
  secret = "sk";
  id = "AK2";
  EXPECT_EQ(check(signed_request()), "UnrecognizedClientException");
  id = "AK";
  clock.now += 301;
  EXPECT_EQ(check(signed_request()), "InvalidSignatureException");
  clock.now -= 602;
  EXPECT_EQ(check(signed_request()), "InvalidSignatureException");
}

TEST_F(AccessTest, MakesItsOwnCredentialsOnce) {
  SystemRandom random;
  const std::string file = (folder / "own").string();
  ASSERT_TRUE(Access::open(file, random));
  const std::string made = test::read_text(file);
  ASSERT_TRUE(Access::open(file, random));
  EXPECT_EQ(test::read_text(file), made);
}

class OperationsTest : public testing::Test {
 protected:
  static constexpr const char* kOne = "arn:aws:kms:us-east-1:111111111111:key/one";
  static constexpr const char* kTwo = "arn:aws:kms:us-east-1:111111111111:key/two";
  static constexpr const char* kHere = "arn:aws:kms:us-east-1:111111111111:key/mrk-1";
  static constexpr const char* kThere = "arn:aws:kms:eu-west-1:111111111111:key/mrk-1";
  OperationsTest()
      : operations(Operations::open((folder / "keys").string(), {kOne, kTwo, kHere, kThere}, random).value()) {}

  Outcome run(const std::string& operation, const std::string& body, const std::string& region = "us-east-1") {
    bool never = false;
    Outcome out = operations->run(operation, {"AK", region}, body, faults, never);
    never_answered = never;
    return out;
  }
  std::string code(const std::string& operation, const std::string& body, const std::string& region = "us-east-1") {
    const Outcome out = run(operation, body, region);
    return out.refusal ? out.refusal->code : "good";
  }
  std::string blob(const std::string& key) {
    const Outcome out =
        run("Encrypt", R"({"KeyId":")" + key + R"(","Plaintext":"aGk=","EncryptionContext":{"a":"b"}})");
    const std::string mark = "\"CiphertextBlob\":\"";
    const std::size_t from = out.body.find(mark) + mark.size();
    return out.body.substr(from, out.body.find('"', from) - from);
  }
  static std::string decrypt(const std::string& key, const std::string& blob,
                             const std::string& context = R"({"a":"b"})") {
    return R"({"KeyId":")" + key + R"(","CiphertextBlob":")" + blob + R"(","EncryptionContext":)" + context + "}";
  }

  test::TemporaryFolder folder;
  SystemRandom random;
  std::unique_ptr<Operations> operations;
  Faults faults;
  bool never_answered = false;
};

TEST_F(OperationsTest, WhatIsEncryptedComesBackUnderTheSameKeyAndContext) {
  EXPECT_NE(run("Decrypt", decrypt(kOne, blob(kOne))).body.find("\"Plaintext\":\"aGk=\""), std::string::npos);
  EXPECT_EQ(code("Decrypt", R"({"CiphertextBlob":")" + blob(kOne) + R"(","EncryptionContext":{"a":"b"}})"), "good");
  EXPECT_EQ(code("Decrypt", decrypt(kTwo, blob(kOne))), "IncorrectKeyException");
  EXPECT_EQ(code("Decrypt", decrypt(kOne, blob(kOne), R"({"a":"c"})")), "InvalidCiphertextException");
  EXPECT_EQ(code("Decrypt", decrypt(kOne, blob(kOne), "{}")), "InvalidCiphertextException");
  EXPECT_EQ(code("Decrypt", decrypt(kOne, "AAAA")), "InvalidCiphertextException");
  EXPECT_EQ(code("Decrypt", decrypt(kOne, blob(kOne)), "eu-west-1"), "NotFoundException");
}

TEST_F(OperationsTest, AMultiRegionKeyOpensInTheOtherRegion) {
  const Outcome out = run("Decrypt", decrypt(kThere, blob(kHere)), "eu-west-1");
  ASSERT_FALSE(out.refusal);
  EXPECT_NE(out.body.find(kThere), std::string::npos);
}

TEST_F(OperationsTest, WrongInputIsRefusedInAwsWords) {
  EXPECT_EQ(code("Encrypt", "[]"), "SerializationException");
  EXPECT_EQ(code("Encrypt", R"({"KeyId":7})"), "SerializationException");
  EXPECT_EQ(code("Encrypt", R"({"Plaintext":"aGk="})"), "ValidationException");
  EXPECT_EQ(code("Encrypt", std::string(R"({"KeyId":")") + kOne + "\"}"), "ValidationException");
  EXPECT_EQ(code("ScheduleKeyDeletion", "{}"), "UnknownOperationException");
  EXPECT_EQ(code("DescribeKey", R"({"KeyId":"arn:aws:kms:us-east-1:111111111111:key/none"})"), "NotFoundException");
  EXPECT_EQ(code("GenerateDataKey", std::string(R"({"KeyId":")") + kOne + R"(","KeySpec":"RSA"})"),
            "ValidationException");
  EXPECT_EQ(code("GenerateDataKey", std::string(R"({"KeyId":")") + kOne + R"(","NumberOfBytes":64})"), "good");
}

TEST_F(OperationsTest, FaultsFallOnWhatTheyNameAsOftenAsTheySay) {
  faults.plant({FaultKind::throttled, kTwo, "Decrypt", 2});
  const std::string one = blob(kOne);
  const std::string two = blob(kTwo);
  EXPECT_EQ(code("Decrypt", decrypt(kOne, one)), "good");
  EXPECT_EQ(code("Decrypt", decrypt(kTwo, two)), "ThrottlingException");
  EXPECT_EQ(code("Decrypt", decrypt(kTwo, two)), "ThrottlingException");
  EXPECT_EQ(code("Decrypt", decrypt(kTwo, two)), "good");
  faults.plant({FaultKind::corrupted, "", "", 1});
  EXPECT_EQ(run("Decrypt", decrypt(kOne, one)).body.find("aGk="), std::string::npos);
  faults.plant({FaultKind::wrong_key, "", "", 1});
  const std::string stranger = run("Decrypt", decrypt(kOne, one)).body;
  EXPECT_EQ(stranger.find(kOne), std::string::npos);
  EXPECT_NE(stranger.find("aGk="), std::string::npos);
  faults.plant({FaultKind::wrong_region, "", "", 1});
  EXPECT_EQ(code("Decrypt", decrypt(kOne, one)), "InvalidSignatureException");
  faults.plant({FaultKind::garbled, "", "", 1});
  EXPECT_TRUE(run("Decrypt", decrypt(kOne, one)).body.starts_with("<html>"));
  faults.plant({FaultKind::timeout, "", "", 0});
  run("Decrypt", decrypt(kOne, one));
  EXPECT_TRUE(never_answered);
  faults.clear();
  run("Decrypt", decrypt(kOne, one));
  EXPECT_FALSE(never_answered);
}

}  // namespace
}  // namespace cc::devkms
