// Web3Signer's contract: reply forms, the order of refusals, health.
#include <gtest/gtest.h>

#include <algorithm>

#include "api/test_signer.h"

namespace cc::api {
namespace {

using test::attestation;
using test::code_of;
using test::kNarrowToken;
using test::kOpsToken;
using test::kSigningToken;
using test::parsed;
using test::ring_key;
using test::TestSigner;
namespace json = boost::json;

class Web3Signer : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(signer.init_kms_only().status, 200);
    key = signer.import_key(1);
  }
  http::Response post(const std::string& identifier, std::string body, std::string_view token = kSigningToken,
                      std::string accept = "application/json") {
    return signer.call("POST", "/api/v1/eth2/sign/" + identifier, std::move(body), token,
                       [&](http::Request& request) { request.headers["accept"] = accept; });
  }
  TestSigner signer;
  BlsPublicKey key{};
};

TEST_F(Web3Signer, AcceptDecidesBetweenJsonAndText) {
  const std::string message = attestation(1, 2);
  const http::Response as_json = signer.sign(key, message);
  EXPECT_EQ(as_json.status, 200);
  EXPECT_EQ(as_json.content_type, "application/json; charset=utf-8");
  const http::Response any = signer.sign(key, message, kSigningToken, "*/*");
  EXPECT_EQ(any.body, as_json.body);
  const http::Response none = signer.call("POST", "/api/v1/eth2/sign/" + to_0x(key), message, kSigningToken);
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(none.body.size(), 2U + 192U);
  EXPECT_EQ(parsed(as_json), json::value({{"signature", none.body}}));
}

TEST_F(Web3Signer, TheSignatureVerifiesOverTheIndependentRoot) {
  const ethereum::SignRequest request = ethereum::parse_sign_request(attestation(1, 2), signer.network).value();
  BlsSignature signature{};
  ASSERT_TRUE(from_hex_exact(signer.sign(key, attestation(1, 2), kSigningToken, "").body, signature));
  EXPECT_TRUE(crypto::verify(key, request.signing_root, signature));
}

TEST_F(Web3Signer, TheIdentifierMayBeWrittenInAnyCaseAndWithoutPrefix) {
  std::string digits = to_hex(key);
  EXPECT_EQ(post(digits, attestation(1, 2)).status, 200);
  std::transform(digits.begin(), digits.end(), digits.begin(), [](unsigned char c) { return std::toupper(c); });
  EXPECT_EQ(post(digits, attestation(1, 2)).status, 200);
  EXPECT_EQ(post("0x" + digits, attestation(1, 2)).status, 200);
  EXPECT_EQ(post("0x12", attestation(1, 2)).status, 400);
  EXPECT_EQ(post("nonsense", attestation(1, 2)).status, 400);
  EXPECT_EQ(post(to_0x(ring_key(7)->public_key), attestation(1, 2)).status, 404);
}

TEST_F(Web3Signer, SlashableMessagesAre412AndSayWhy) {
  ASSERT_EQ(signer.sign(key, attestation(10, 11)).status, 200);
  EXPECT_EQ(signer.sign(key, attestation(10, 11)).status, 200) << "the identical message again";
  const http::Response twice = signer.sign(key, attestation(10, 11, 99));
  EXPECT_EQ(twice.status, 412);
  EXPECT_EQ(code_of(twice), "slashable");
  EXPECT_FALSE(parsed(twice).at("message").as_string().empty());
  EXPECT_EQ(signer.sign(key, attestation(9, 12)).status, 412);
  const http::Response as_text = signer.sign(key, attestation(9, 12), kSigningToken, "text/plain");
  EXPECT_EQ(as_text.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(as_text.body.find('{'), std::string::npos);
  EXPECT_EQ(signer.sign(key, test::randao(5)).status, 200) << "other types have no duty";
}

TEST_F(Web3Signer, MalformedMessagesAre400AndSayWhere) {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("null"), attestation(1, 2) + attestation(1, 2),
        std::string(10'000, '['), std::string("{\"type\":\"\xff\"}"), std::string(R"({"type":"NO_SUCH"})")}) {
    const http::Response reply = signer.sign(key, body);
    EXPECT_EQ(reply.status, 400) << body.substr(0, 80);
    EXPECT_EQ(code_of(reply), "malformed_request");
  }
}

// A body is read once as long as it comes again; every key and every caller is judged by itself all the same.
TEST_F(Web3Signer, TheSameBytesAreJudgedAnewForEveryKeyAndCaller) {
  const BlsPublicKey other = signer.import_key(2);
  const std::string wrong_root = attestation(20, 21, 1, R"(,"signingRoot":")" + to_0x(test::root_of(5)) + "\"");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(signer.sign(key, attestation(10, 11)).status, 200);
    EXPECT_EQ(signer.sign(other, attestation(10, 11)).status, 200);
    EXPECT_NE(signer.sign(other, attestation(10, 11)).body, signer.sign(key, attestation(10, 11)).body);
    EXPECT_EQ(code_of(signer.sign(other, attestation(10, 11), kNarrowToken)), "forbidden");
    EXPECT_EQ(code_of(signer.sign(ring_key(7)->public_key, attestation(10, 11))), "unknown_key");
    EXPECT_EQ(signer.sign(key, attestation(10, 11), "").status, 401);
    EXPECT_EQ(code_of(signer.sign(key, wrong_root)), "signing_root_mismatch");
    EXPECT_EQ(code_of(signer.sign(key, wrong_root)), "signing_root_mismatch");
    EXPECT_EQ(code_of(signer.sign(key, attestation(10, 11) + " x")), "malformed_request");
    EXPECT_EQ(code_of(signer.sign(key, attestation(10, 11, 99))), "slashable");
    EXPECT_EQ(code_of(signer.sign(key, attestation(10, 11, 99))), "slashable");
  }
}

TEST_F(Web3Signer, AWrongSigningRootIs400) {
  const http::Response reply =
      signer.sign(key, attestation(1, 2, 1, R"(,"signingRoot":")" + to_0x(test::root_of(5)) + "\""));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(code_of(reply), "signing_root_mismatch");
}

TEST_F(Web3Signer, AForeignNetworkIs403) {
  const http::Response reply = signer.sign(key, attestation(1, 2, 1, "", to_0x(test::root_of(5))));
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(code_of(reply), "network_mismatch");
}

// Each request below has every fault named after it too; the answer is the first fault of the order.
TEST_F(Web3Signer, FaultsAreAnsweredInTheirOrder) {
  const std::string stranger = to_0x(ring_key(7)->public_key);
  const std::string mine = to_0x(key);
  const std::string wrong_root = R"(,"signingRoot":")" + to_0x(test::root_of(5)) + "\"";
  const std::string foreign = to_0x(test::root_of(5));
  ASSERT_EQ(signer.sign(key, attestation(10, 11)).status, 200);

  EXPECT_EQ(post("0x12", "nonsense", "").status, 401);
  EXPECT_EQ(post("0x12", "nonsense", kOpsToken).status, 403);
  EXPECT_EQ(post("0x12", attestation(10, 11, 99)).status, 400);
  EXPECT_EQ(code_of(post(stranger, "nonsense")), "malformed_request");
  EXPECT_EQ(code_of(post(stranger, attestation(10, 11, 99, wrong_root, foreign), kNarrowToken)), "unknown_key");
  signer.import_key(2);
  EXPECT_EQ(code_of(post(to_0x(ring_key(2)->public_key), attestation(10, 11, 99, wrong_root, foreign), kNarrowToken)),
            "forbidden");
  EXPECT_EQ(code_of(post(mine, test::randao(3), kNarrowToken)), "forbidden");
  EXPECT_EQ(code_of(post(mine, attestation(10, 11, 99, wrong_root, foreign), kNarrowToken)), "network_mismatch");
  EXPECT_EQ(code_of(post(mine, attestation(10, 11, 99, wrong_root), kNarrowToken)), "signing_root_mismatch");
  EXPECT_EQ(code_of(post(mine, attestation(10, 11, 99), kNarrowToken)), "slashable");
  EXPECT_EQ(post(mine, attestation(10, 11), kNarrowToken).status, 200);

  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  EXPECT_EQ(post("0x12", "nonsense", "").status, 401);
  EXPECT_EQ(post("0x12", "nonsense", kOpsToken).status, 403);
  const http::Response sealed = post("0x12", "nonsense");
  EXPECT_EQ(sealed.status, 503);
  EXPECT_EQ(parsed(sealed).at("message"), "signer is sealed");
}

TEST_F(Web3Signer, AStoreInDoubtIs503AndReleasesNothing) {
  signer.slashing.push_fault(test::StoreFault::doubt_lost);
  const http::Response reply = signer.sign(key, attestation(1, 2));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(code_of(reply), "store_in_doubt");
  EXPECT_EQ(reply.body.find("0x"), std::string::npos);
  EXPECT_EQ(signer.sign(key, attestation(1, 2)).status, 200);
}

TEST_F(Web3Signer, AForeignSlashingStoreIs503BeforeTheMessageIsRead) {
  signer.pipeline.refuse_with(Error{ErrorKind::slashing_store_mismatch, "a foreign store"});
  const http::Response reply = signer.sign(key, "nonsense");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(code_of(reply), "slashing_store_mismatch");
}

// The head alone decides what needs no body, in the same order and the same shape.
TEST_F(Web3Signer, TheHeadIsJudgedBeforeTheBody) {
  const auto judged = [&](std::string_view token, const std::string& accept = "application/json") {
    http::Request head;
    head.headers["accept"] = accept;
    if (!token.empty()) {
      head.headers["authorization"] = "Bearer " + std::string(token);
    }
    const http::Router::Match match = signer.router->match("POST", "/api/v1/eth2/sign/" + to_0x(key));
    return (*match.options.admission)(head);
  };
  EXPECT_FALSE(judged(kSigningToken));
  EXPECT_EQ(judged("")->status, 401);
  EXPECT_EQ(code_of(*judged("")), "unauthorized");
  EXPECT_EQ(judged("", "text/plain")->content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(judged("no-such-token-00000001")->status, 401);
  EXPECT_EQ(judged(kOpsToken)->status, 403);
  EXPECT_NE(signer.metrics.render().find("status=\"401\""), std::string::npos);
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  EXPECT_EQ(judged("")->status, 401);
  EXPECT_EQ(code_of(*judged(kSigningToken)), "signer_sealed");
}

TEST(Web3SignerCanaries, ACanaryRaisesAnAlarmAndIsAnsweredAsAnyKey) {
  api::ApiOptions options;
  options.canary_keys = {ring_key(1)->public_key, ring_key(3)->public_key};
  TestSigner signer(options);
  ASSERT_EQ(signer.init_kms_only().status, 200);
  signer.import_key(1);
  signer.import_key(2);
  const auto count = [&](const std::string& result) {
    const std::string text = signer.metrics.render();
    const std::string series = "containment_canary_signing_total{result=\"" + result + "\"} ";
    const std::size_t at = text.find(series);
    return at == std::string::npos ? std::string("none") : text.substr(at + series.size(), 1);
  };
  EXPECT_EQ(count("signed"), "0");
  ASSERT_EQ(signer.sign(ring_key(2)->public_key, attestation(1, 2)).status, 200);
  ASSERT_EQ(signer.sign(ring_key(1)->public_key, attestation(1, 2), "").status, 401);
  EXPECT_EQ(count("signed"), "0");
  EXPECT_EQ(count("refused"), "0");
  EXPECT_EQ(signer.sign(ring_key(1)->public_key, attestation(1, 2)).status, 200);
  EXPECT_EQ(signer.sign(ring_key(1)->public_key, attestation(1, 2, 9)).status, 412);
  EXPECT_EQ(signer.sign(ring_key(3)->public_key, attestation(1, 2)).status, 404);
  EXPECT_EQ(count("signed"), "1");
  EXPECT_EQ(count("refused"), "2");
}

TEST(Web3SignerLimits, AnOverloadedSignerSaysSoBeforeItAsksForAToken) {
  signing::PipelineOptions options;
  options.queue_limit = 0;
  TestSigner signer({}, options);
  const http::Response reply = signer.sign(ring_key(1)->public_key, "nonsense", "");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(code_of(reply), "overloaded");
}

TEST_F(Web3Signer, PublicKeysAreAJsonArray) {
  const BlsPublicKey second = signer.import_key(2);
  EXPECT_EQ(signer.call("GET", "/api/v1/eth2/publicKeys").status, 401);
  const http::Response reply = signer.call("GET", "/api/v1/eth2/publicKeys", {}, kSigningToken);
  EXPECT_EQ(reply.content_type, "application/json; charset=utf-8");
  std::vector<std::string> wanted{to_0x(key), to_0x(second)};
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(parsed(reply), json::value(json::array(wanted.begin(), wanted.end())));
}

TEST_F(Web3Signer, UpcheckIsOkInEveryState) {
  for (const char* accept : {"", "application/json", "text/html"}) {
    const http::Response reply =
        signer.call("GET", "/upcheck", {}, {}, [&](http::Request& request) { request.headers["accept"] = accept; });
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "OK");
  }
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  EXPECT_EQ(signer.call("GET", "/upcheck").body, "OK");
  EXPECT_TRUE(signer.router->match("GET", "/upcheck").options.always);
}

TEST_F(Web3Signer, HealthIsTheTruth) {
  const auto outcome = [&] {
    const http::Response reply = signer.call("GET", "/healthcheck");
    const json::value body = parsed(reply);
    EXPECT_EQ(body.at("status"), body.at("outcome"));
    EXPECT_EQ(reply.status, body.at("status") == "UP" ? 200 : 503);
    for (const json::value& check : body.at("checks").as_array()) {
      EXPECT_TRUE(check.at("id").is_string() && check.at("status").is_string());
    }
    return reply.status;
  };
  EXPECT_EQ(outcome(), 200);
  signer.stores = fail(ErrorKind::store_unavailable, "the disk is full");
  EXPECT_EQ(outcome(), 503);
  signer.stores = {};
  signer.pipeline.refuse_with(Error{ErrorKind::slashing_store_mismatch, "a foreign store"});
  EXPECT_EQ(outcome(), 503);
  signer.pipeline.refuse_with(std::nullopt);
  EXPECT_EQ(outcome(), 200);
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  EXPECT_EQ(outcome(), 503);
}

TEST(Health, ASignerWithoutKeysIsNotHealthy) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  EXPECT_EQ(signer.call("GET", "/healthcheck").status, 503);
}

TEST_F(Web3Signer, MetricsTellWhatHappened) {
  signer.sign(key, attestation(1, 2));
  signer.sign(key, attestation(1, 2, 99));
  signer.sign(key, "nonsense");
  const http::Response reply = TestSigner::call(*signer.metrics_router, "GET", "/metrics", {}, {}, {});
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.content_type.starts_with("text/plain"));
  for (const char* wanted : {"containment_signing_requests_total{operation=\"ATTESTATION\",status=\"200\"} 1",
                             "containment_slashing_rejections_total", "containment_healthy 1",
                             "containment_signer_state{state=\"unsealed\"} 1"}) {
    EXPECT_NE(reply.body.find(wanted), std::string::npos) << wanted << "\n" << reply.body;
  }
  EXPECT_EQ(reply.body.find(to_hex(key)), std::string::npos);
  EXPECT_EQ(TestSigner::call(*signer.metrics_router, "GET", "/upcheck", {}, {}, {}).body, "OK");
}

}  // namespace
}  // namespace cc::api
