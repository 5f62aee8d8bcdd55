// The credential chain against scripted endpoints that follow the documented protocols.
#include <gtest/gtest.h>

#include <fstream>

#include "adapters/aws/aws_fixture.h"
#include "adapters/aws/credential_chain.h"
#include "adapters/aws/credential_endpoints.h"
#include "adapters/aws/profile_file.h"
#include "adapters/aws/sts.h"
#include "support/process.h"

namespace cc::aws {
namespace {

std::string secret_text(const SharedCredentials& credentials) {
  const auto raw = expose_secret_bytes(credentials->secret_key);
  return {raw.begin(), raw.end()};
}

std::string sts_xml(const std::string& id, const std::string& expiration = "2026-11-24T18:00:00Z") {
  return "<R><C><Credentials><AccessKeyId>" + id + "</AccessKeyId><SecretAccessKey>s&amp;k</SecretAccessKey>" +
         "<SessionToken>tok</SessionToken><Expiration>" + expiration + "</Expiration></Credentials></C></R>";
}
std::string endpoint_json(const std::string& id, const std::string& expiration = "2026-11-24T18:00:00Z") {
  return R"({"Code":"Success","AccessKeyId":")" + id + R"(","SecretAccessKey":"k","Token":"t","Expiration":")" +
         expiration + "\"}";
}

class CredentialsTest : public testing::Test, protected AwsFixture {
 protected:
  CredentialsTest() {
    environment["HOME"] = folder.string();
    environment["AWS_EC2_METADATA_DISABLED"] = "true";
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
  void profile(const std::string& credentials, const std::string& config = "") {
    write("credentials", credentials);
    write("config", config);
    environment["AWS_SHARED_CREDENTIALS_FILE"] = (folder / "credentials").string();
    environment["AWS_CONFIG_FILE"] = (folder / "config").string();
  }
  CredentialChain& chain() {
    if (!chain_) {
      chain_.emplace(ChainOptions{environment, named, ""}, outside, client);
    }
    return *chain_;
  }
  std::string id() {
    const auto got = chain().current();
    return got ? (*got)->access_key_id : std::string(facts(got.error().kind).code) + ": " + got.error().message;
  }

  test::TemporaryFolder folder;
  Environment environment;
  std::string named;
  std::optional<CredentialChain> chain_;
};

TEST_F(CredentialsTest, EnvironmentComesFirst) {
  profile("[default]\naws_access_key_id=FILE\naws_secret_access_key=x\n");
  environment["AWS_ACCESS_KEY_ID"] = "ENV";
  environment["AWS_SECRET_ACCESS_KEY"] = "k";
  environment["AWS_SESSION_TOKEN"] = "t";
  EXPECT_EQ(id(), "ENV");
  EXPECT_EQ(chain().current().value()->session_token.size(), 1U);
}

TEST_F(CredentialsTest, ANamedProfileGoesBeforeTheEnvironment) {
  profile("[ops]\naws_access_key_id=FILE\naws_secret_access_key=x\n");
  environment["AWS_ACCESS_KEY_ID"] = "ENV";
  environment["AWS_SECRET_ACCESS_KEY"] = "k";
  environment["AWS_PROFILE"] = "ops";
  EXPECT_EQ(id(), "FILE");
}

TEST_F(CredentialsTest, HalfAnEnvironmentAndAMissingProfileAreNamed) {
  environment["AWS_ACCESS_KEY_ID"] = "ENV";
  EXPECT_NE(id().find("AWS_SECRET_ACCESS_KEY is not"), std::string::npos);
  chain_.reset();
  named = "nobody";
  EXPECT_NE(id().find("profile nobody"), std::string::npos);
}

TEST_F(CredentialsTest, TheCredentialsFileWinsOverTheConfigFile) {
  profile("[default]\naws_access_key_id = CRED\naws_secret_access_key = x\n",
          "[default]\naws_access_key_id = CONF\naws_secret_access_key = y\nregion = eu-west-3\n");
  EXPECT_EQ(id(), "CRED");
}

TEST_F(CredentialsTest, AProfileAssumesARoleWithItsSourcesKeys) {
  profile("[base]\naws_access_key_id = BASE\naws_secret_access_key = x\n",
          "[profile ops]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nregion = eu-west-3\nexternal_id = "
          "e/1\n");
  named = "ops";
  wire.script.push_back(answer(200, sts_xml("ROLE")));
  EXPECT_EQ(id(), "ROLE");
  EXPECT_EQ(wire.calls[0].url, "https://sts.eu-west-3.amazonaws.com/");
  EXPECT_NE(wire.calls[0].headers.at("authorization").find("Credential=BASE/"), std::string::npos);
  EXPECT_NE(wire.calls[0].body.find("Action=AssumeRole&"), std::string::npos);
  EXPECT_NE(wire.calls[0].body.find("ExternalId=e%2F1"), std::string::npos);
  EXPECT_EQ(secret_text(chain().current().value()), "s&k");
}

TEST_F(CredentialsTest, SourceProfilesThatGoRoundAreNamed) {
  profile("", "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n");
  named = "a";
  EXPECT_NE(id().find("circle"), std::string::npos);
  EXPECT_TRUE(wire.calls.empty());
}

TEST_F(CredentialsTest, AProfileMayBeItsOwnSource) {
  profile("[a]\naws_access_key_id = BASE\naws_secret_access_key = x\n",
          "[profile a]\nrole_arn = r\nsource_profile = a\n");
  named = "a";
  wire.script.push_back(answer(200, sts_xml("ROLE")));
  EXPECT_EQ(id(), "ROLE");
}

TEST_F(CredentialsTest, WhatIsNotSupportedIsNamed) {
  profile("", "[default]\ncredential_process = /bin/true\n");
  EXPECT_NE(id().find("credential_process is not supported"), std::string::npos);
}

TEST_F(CredentialsTest, WebIdentityReadsTheTokenFileEachTime) {
  environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (folder / "token").string();
  environment["AWS_REGION"] = "ap-south-1";
  write("token", "first.token\n");
  wire.script.push_back(answer(200, sts_xml("WEB1")));
  EXPECT_EQ(id(), "WEB1");
  EXPECT_EQ(wire.calls[0].url, "https://sts.ap-south-1.amazonaws.com/");
  EXPECT_FALSE(wire.calls[0].headers.contains("authorization"));
  EXPECT_NE(wire.calls[0].body.find("WebIdentityToken=first.token"), std::string::npos);
  EXPECT_EQ(wire.calls[0].body.find("%0A"), std::string::npos);
  write("token", "second.token");
  wire.script.push_back(answer(200, sts_xml("WEB2")));
  chain().reject(chain().current().value());
  EXPECT_EQ(id(), "WEB2");
  EXPECT_NE(wire.calls[1].body.find("second.token"), std::string::npos);
}

TEST_F(CredentialsTest, WebIdentityTroublesAreNamed) {
  environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (folder / "token").string();
  EXPECT_NE(id().find("does not exist"), std::string::npos);
  write("token", "t");
  wire.script.push_back(answer(
      400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no</Message></Error></ErrorResponse>"));
  EXPECT_NE(id().find("trust policy"), std::string::npos);
  wire.script.push_back(answer(200, "<nothing/>"));
  EXPECT_NE(id().find("no readable credentials"), std::string::npos);
}

TEST_F(CredentialsTest, TheContainerEndpointGetsItsToken) {
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = (folder / "token").string();
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "not this one";
  write("token", "pod-token\n");
  wire.script.push_back(answer(200, endpoint_json("POD")));
  EXPECT_EQ(id(), "POD");
  EXPECT_EQ(wire.calls[0].method, "GET");
  EXPECT_EQ(wire.calls[0].headers.at("authorization"), "pod-token");
}

TEST_F(CredentialsTest, TheRelativeAddressWinsAndStrangersAreRefused) {
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://evil.example/";
  EXPECT_NE(id().find("must be https"), std::string::npos);
  EXPECT_TRUE(wire.calls.empty());
  chain_.reset();
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1";
  wire.script.push_back(answer(200, endpoint_json("ECS")));
  EXPECT_EQ(id(), "ECS");
  EXPECT_EQ(wire.calls[0].url, "http://169.254.170.2/v2/credentials/1");
}

TEST_F(CredentialsTest, ARelativeAddressCannotLeadElsewhere) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@evil.example/";
  EXPECT_NE(id().find("must be https"), std::string::npos);
  chain_.reset();
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = ".evil.example/";
  EXPECT_NE(id().find("must be https"), std::string::npos);
  EXPECT_TRUE(wire.calls.empty());
}

TEST_F(CredentialsTest, ATokenWithALineBreakIsNotSent) {
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\nX-Evil: 1";
  EXPECT_NE(id().find("line break"), std::string::npos);
  EXPECT_TRUE(wire.calls.empty());
}

TEST_F(CredentialsTest, TheInstanceIsAskedWithAToken) {
  environment.erase("AWS_EC2_METADATA_DISABLED");
  wire.script.push_back(answer(200, "imds-token"));
  wire.script.push_back(answer(200, "my-role\n"));
  wire.script.push_back(answer(200, endpoint_json("IMDS")));
  EXPECT_EQ(id(), "IMDS");
  EXPECT_EQ(wire.calls[0].method, "PUT");
  EXPECT_EQ(wire.calls[0].url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(wire.calls[0].headers.at("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(wire.calls[2].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
  EXPECT_EQ(wire.calls[2].headers.at("x-aws-ec2-metadata-token"), "imds-token");
}

TEST_F(CredentialsTest, VersionOneOfTheMetadataServiceIsNotUsed) {
  environment.erase("AWS_EC2_METADATA_DISABLED");
  wire.script.push_back(answer(403, ""));
  EXPECT_NE(id().find("HttpPutResponseHopLimit"), std::string::npos);
  EXPECT_EQ(wire.calls.size(), 1U);
}

TEST_F(CredentialsTest, AStrangeRoleNameIsNotPutIntoAPath) {
  environment.erase("AWS_EC2_METADATA_DISABLED");
  wire.script.push_back(answer(200, "imds-token"));
  wire.script.push_back(answer(200, "../../user-data"));
  EXPECT_NE(id().find("no role"), std::string::npos);
  EXPECT_EQ(wire.calls.size(), 2U);
}

TEST_F(CredentialsTest, NothingSetUpSaysWhatWasLookedAt) {
  EXPECT_NE(id().find("kms_credentials: no AWS credentials found in the environment"), std::string::npos);
}

TEST_F(CredentialsTest, TheyAreRenewedFiveMinutesBeforeTheyRunOut) {
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/";
  wire.script.push_back(answer(200, endpoint_json("ONE")));
  EXPECT_EQ(id(), "ONE");
  clock.unix_now += 54UL * 60;
  EXPECT_EQ(id(), "ONE");
  clock.unix_now += 2UL * 60;
  wire.script.push_back(answer(200, endpoint_json("TWO", "2026-11-24T20:00:00Z")));
  EXPECT_EQ(id(), "TWO");
  EXPECT_EQ(wire.calls.size(), 2U);
}

TEST_F(CredentialsTest, OldOnesGoOnWhileARenewalFails) {
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/";
  wire.script.push_back(answer(200, endpoint_json("ONE")));
  EXPECT_EQ(id(), "ONE");
  clock.unix_now += 56UL * 60;
  EXPECT_EQ(id(), "ONE");
  const std::size_t asked = wire.calls.size();
  EXPECT_EQ(id(), "ONE");
  EXPECT_EQ(wire.calls.size(), asked) << "not asked again at once";
  clock.unix_now += 5UL * 60;
  EXPECT_NE(id(), "ONE");
}

TEST(ProfileFileText, IsReadAsAwsToolsReadIt) {
  const auto file = ProfileFile::parse(
      "key = before any section\n# c\n[default]\nRegion = eu-west-1 # here\nnested =\n  a = 1\n[profile \"x y\"]\n"
      "region=b\r\n[sso-session s]\nregion=no\n[profile]\nregion=no\n[",
      ProfileFileKind::config);
  ASSERT_NE(file.find("default"), nullptr);
  EXPECT_EQ(file.find("default")->at("region"), "eu-west-1");
  EXPECT_FALSE(file.find("default")->contains("a"));
  ASSERT_NE(file.find("x y"), nullptr);
  EXPECT_EQ(file.find("x y")->at("region"), "b");
  EXPECT_EQ(file.profiles().size(), 2U);
}

TEST(ExpirationText, IsReadStrictly) {
  EXPECT_EQ(parse_expiration("2026-11-24T17:00:00Z"), FakeClock().unix_now);
  EXPECT_EQ(parse_expiration("2026-11-24T17:00:00.123Z"), FakeClock().unix_now);
  for (const char* bad :
       {"", "2026-11-24", "2026-11-24T17:00:00", "2026-11-24T17:00:00+02:00", "1969-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_expiration(bad)) << bad;
  }
}

}  // namespace
}  // namespace cc::aws
