#include "adapters/aws/client.h"

#include <gtest/gtest.h>

#include "adapters/aws/aws_fixture.h"
#include "adapters/aws/service_error.h"

namespace cc::aws {
namespace {

class ClientTest : public testing::Test, protected AwsFixture {
 protected:
  Result<HttpAnswer> call() {
    return client.call({"kms", "eu-west-1", "kms:Decrypt", "application/x-amz-json-1.1", "TrentService.Decrypt", "{}"},
                       &source);
  }
  ErrorKind kind_after(const HttpAnswer& refused) {
    wire.on_call = [refused](const HttpCall&) { return Result<HttpAnswer>(refused); };
    const auto out = call();
    wire.on_call = nullptr;
    return out ? ErrorKind::internal : out.error().kind;
  }
  CountedSource source;
};

TEST_F(ClientTest, SignsForTheRegionAndSendsToItsEndpoint) {
  wire.script.push_back(answer(200, "{}"));
  ASSERT_TRUE(call());
  const HttpCall& sent = wire.calls.front();
  EXPECT_EQ(sent.url, "https://kms.eu-west-1.amazonaws.com/");
  EXPECT_EQ(sent.headers.at("host"), "kms.eu-west-1.amazonaws.com");
  EXPECT_EQ(sent.headers.at("x-amz-target"), "TrentService.Decrypt");
  EXPECT_NE(sent.headers.at("authorization").find("/eu-west-1/kms/aws4_request"), std::string::npos);
  EXPECT_NE(sent.headers.at("authorization").find("SignedHeaders=content-type;host;x-amz-date;x-amz-target"),
            std::string::npos);
}

TEST_F(ClientTest, TriesFaultsAgainWithGrowingRandomPauses) {
  wire.script.push_back(fail(ErrorKind::kms_unreachable, "reset"));
  wire.script.push_back(refusal("ThrottlingException"));
  wire.script.push_back(refusal("KMSInternalException", "m", 500));
  wire.script.push_back(answer(503, "<html>"));
  wire.script.push_back(answer(200, "{}"));
  ASSERT_TRUE(call());
  ASSERT_EQ(pauses.taken.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LE(pauses.taken[i].count(), 200 << i);
  }
}

TEST_F(ClientTest, GivesUpAfterItsAttemptsAndNamesTheLastTrouble) {
  EXPECT_EQ(kind_after(refusal("ThrottlingException")), ErrorKind::kms_throttled);
  EXPECT_EQ(wire.calls.size(), Patience{}.attempts);
}

TEST_F(ClientTest, GivesUpWhenTheBudgetIsSpent) {
  wire.on_call = [this](const HttpCall& sent) -> Result<HttpAnswer> {
    clock.now_ms += sent.timeout.count();
    return fail(ErrorKind::kms_unreachable, "timeout");
  };
  const auto begun = clock.now_ms;
  EXPECT_EQ(call().error().kind, ErrorKind::kms_unreachable);
  EXPECT_LE(clock.now_ms - begun, Patience{}.budget.count());
}

TEST_F(ClientTest, AnAttemptCutShortByTheBudgetDoesNotHideTheReasonBeforeIt) {
  wire.on_call = [this](const HttpCall& sent) -> Result<HttpAnswer> {
    const bool cut = sent.timeout < Patience{}.attempt;
    clock.now_ms += cut ? sent.timeout.count() : 5000;
    return fail(ErrorKind::kms_unreachable, cut ? "timed out" : "bad certificate");
  };
  EXPECT_EQ(call().error().message, "bad certificate");
}

TEST_F(ClientTest, StopsWaitingWhenTheSignerStops) {
  pauses.stopping = true;
  wire.script.push_back(fail(ErrorKind::kms_unreachable, "reset"));
  EXPECT_FALSE(call());
  EXPECT_EQ(wire.calls.size(), 1U);
}

TEST_F(ClientTest, RenewsRefusedCredentialsOnce) {
  wire.script.push_back(refusal("ExpiredTokenException"));
  wire.script.push_back(answer(200, "{}"));
  ASSERT_TRUE(call());
  EXPECT_NE(wire.calls[0].headers.at("authorization").find("AKID0/"), std::string::npos);
  EXPECT_NE(wire.calls[1].headers.at("authorization").find("AKID1/"), std::string::npos);
  EXPECT_EQ(kind_after(refusal("ExpiredTokenException")), ErrorKind::kms_credentials);
  EXPECT_EQ(wire.calls.size(), 4U);
}

TEST_F(ClientTest, CorrectsAClockThatIsOffByTheDateOfTheAnswer) {
  HttpAnswer skewed = refusal("InvalidSignatureException", "Signature expired");
  skewed.headers["date"] = "Tue, 24 Nov 2026 19:00:00 GMT";
  wire.script.push_back(skewed);
  wire.script.push_back(answer(200, "{}"));
  ASSERT_TRUE(call());
  EXPECT_EQ(wire.calls[1].headers.at("x-amz-date"), "20261124T190000Z");
  wire.script.push_back(answer(200, "{}"));
  ASSERT_TRUE(call());  // remembered
  EXPECT_EQ(wire.calls[2].headers.at("x-amz-date"), "20261124T190000Z");
}

TEST_F(ClientTest, DoesNotRetryAWrongSecretKey) {
  HttpAnswer wrong = refusal("InvalidSignatureException", "does not match");
  wrong.headers["date"] = "Tue, 24 Nov 2026 17:00:20 GMT";
  EXPECT_EQ(kind_after(wrong), ErrorKind::kms_credentials);
  EXPECT_EQ(wire.calls.size(), 1U);
}

TEST_F(ClientTest, TellsTheRefusalsApart) {
  EXPECT_EQ(kind_after(refusal("AccessDeniedException")), ErrorKind::kms_denied);
  EXPECT_EQ(kind_after(refusal("DisabledException")), ErrorKind::kms_disabled);
  EXPECT_EQ(kind_after(refusal("KMSInvalidStateException", "arn is pending deletion.")),
            ErrorKind::kms_pending_deletion);
  EXPECT_EQ(kind_after(refusal("KMSInvalidStateException", "arn is pending import.")), ErrorKind::kms_disabled);
  EXPECT_EQ(kind_after(refusal("NotFoundException")), ErrorKind::kms_missing);
  EXPECT_EQ(kind_after(refusal("IncorrectKeyException")), ErrorKind::kms_mismatch);
  EXPECT_EQ(kind_after(refusal("InvalidCiphertextException", "")), ErrorKind::kms_mismatch);
  EXPECT_EQ(kind_after(refusal("UnrecognizedClientException")), ErrorKind::kms_credentials);
  EXPECT_EQ(kind_after(refusal("SomethingNewException")), ErrorKind::kms_denied);
  EXPECT_EQ(kind_after(answer(403, "<html>a proxy</html>")), ErrorKind::kms_unreachable);
}

TEST(ServiceErrorText, AnEndpointOfAnotherRegionIsNotCalledAClock) {
  const ServiceError refused =
      read_error(refusal("InvalidSignatureException", "Credential should be scoped to a valid region."));
  EXPECT_EQ(remedy_of(refused), Remedy::none);
  const Error out = explain(refused, "kms:Decrypt");
  EXPECT_EQ(out.kind, ErrorKind::kms_credentials);
  EXPECT_NE(out.message.find("another region than the key's"), std::string::npos) << out.message;
}

TEST(ServiceErrorText, SaysWhatToDoAndKeepsStrangersInBounds) {
  HttpAnswer refused = refusal("AccessDeniedException", std::string("line\\nbreak ") + std::string(2000, 'x'));
  refused.headers["x-amzn-requestid"] = "id-1";
  const Error out = explain(read_error(refused), "kms:Decrypt");
  EXPECT_NE(out.message.find("allow kms:Decrypt on this key"), std::string::npos);
  EXPECT_NE(out.message.find("id-1"), std::string::npos);
  EXPECT_EQ(out.message.find('\n'), std::string::npos);
  EXPECT_LT(out.message.size(), 900U);
}

TEST(ServiceErrorText, ReadsHeaderAndXmlForms) {
  HttpAnswer by_header = answer(400, "");
  by_header.headers["x-amzn-errortype"] = "NotFoundException:http://internal.amazon.com/coral/";
  EXPECT_EQ(read_error(by_header).code, "NotFoundException");
  const ServiceError xml = read_error(answer(
      403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>a &lt; b</Message></Error></ErrorResponse>"));
  EXPECT_EQ(xml.code, "AccessDenied");
  EXPECT_EQ(xml.message, "a < b");
}

}  // namespace
}  // namespace cc::aws
