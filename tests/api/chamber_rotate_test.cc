// The rotation endpoints: who may call them, what they take and what they print.
#include "api/test_signer.h"

namespace cc::api {
namespace {

namespace json = boost::json;
using test::code_of;
using test::kOpsToken;
using test::kSigningToken;
using test::parsed;
using test::TestSigner;

const std::string kRotate = "/api/v1/chamber/rotate";

TEST(ChamberRotate, KmsRepliesWhatTheGuidePrintsAndWhatMayGo) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const BlsPublicKey key = signer.import_key(1);
  const std::string body = R"({"kms_key_arns":["local://two","local://three"],"kms_threshold":2})";
  EXPECT_EQ(parsed(signer.call("POST", kRotate + "/kms", body, kOpsToken)),
            json::parse(R"({"status":"ok","shares":2,"threshold":2,"safe_to_disable":["local://one"]})"));
  EXPECT_EQ(signer.sign(key, test::attestation(1, 2)).status, 200);
}

TEST(ChamberRotate, NeedsItsScopeAndAConnectionThatNobodyReads) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  for (const std::string path : {"/kms", "/unseal", "/quorum", "/mode", "/unseal/cancel"}) {
    EXPECT_EQ(signer.call("POST", kRotate + path, "{}").status, 401) << path;
    EXPECT_EQ(signer.call("POST", kRotate + path, "{}", kSigningToken).status, 403) << path;
    const http::Response far = signer.call("POST", kRotate + path, "{}", kOpsToken, [](http::Request& request) {
      request.loopback = false;
      request.peer = "203.0.113.7";
    });
    EXPECT_EQ(code_of(far), "plaintext_refused") << path;
  }
}

TEST(ChamberRotate, OperatorsComeAndGoByEndpointsAlone) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const std::string people = R"("unseal_threshold":2,"operators":["alice","bob"]})";
  const http::Response staged = signer.call("POST", kRotate + "/mode", R"({"mode":"unseal",)" + people, kOpsToken);
  ASSERT_EQ(staged.status, 200) << staged.body;
  const json::object reply = parsed(staged).as_object();
  EXPECT_EQ(reply.at("status").as_string(), "awaiting_rotation");
  EXPECT_EQ(reply.size(), 2U) << "nothing but what the guide prints";
  EXPECT_EQ(
      code_of(signer.call("POST", kRotate + "/kms", R"({"kms_key_arns":["local://x"],"kms_threshold":1})", kOpsToken)),
      "wrong_state");
  EXPECT_EQ(parsed(signer.enrol("alice", reply)), json::parse(R"({"registered":1,"remaining":1})"));
  EXPECT_EQ(parsed(signer.enrol("bob", reply)), json::parse(R"({"registered":2,"remaining":0,"status":"unsealed"})"));

  const json::object back =
      parsed(signer.call("POST", kRotate + "/mode", R"({"mode":"kms_only"})", kOpsToken)).as_object();
  EXPECT_EQ(back.at("approvals_required").as_int64(), 2);
  const std::string rotation(back.at("rotation").as_string());
  const json::object seal = parsed(signer.call("GET", "/api/v1/chamber/status", {}, kOpsToken)).at("seal").as_object();
  EXPECT_EQ(seal.at("status").as_string(), "awaiting_rotation");
  EXPECT_EQ(seal.at("rotation").at("rotation").as_string(), rotation);
  const auto approve = [&](const std::string& name, const std::string& digest) {
    return signer.call("POST", kRotate + "/approve",
                       R"({"operator":")" + name + R"(","passphrase":")" + TestSigner::passphrase(name) +
                           R"(","rotation":")" + digest + "\"}");
  };
  EXPECT_EQ(code_of(approve("alice", std::string(64, '0'))), "rotation_changed");
  EXPECT_EQ(parsed(approve("alice", rotation)), json::parse(R"({"approvals_received":1,"approvals_required":2})"));
  EXPECT_EQ(code_of(approve("alice", rotation)), "approval_repeated");
  EXPECT_EQ(parsed(approve("bob", rotation)),
            json::parse(R"({"approvals_received":2,"approvals_required":2,"status":"unsealed"})"));
}

TEST(ChamberRotate, CancelGivesTheSetInForceBack) {
  TestSigner signer;
  const json::object first = signer.init_operators(R"("alice")", 1);
  ASSERT_EQ(signer.enrol("alice", first).status, 200);
  ASSERT_TRUE(signer.chamber->run_kms_step());
  ASSERT_EQ(signer.unseal("alice").status, 200);
  EXPECT_EQ(code_of(signer.call("POST", kRotate + "/unseal/cancel", {}, kOpsToken)), "wrong_state");
  ASSERT_EQ(
      signer.call("POST", kRotate + "/quorum", R"({"unseal_threshold":1,"operators":["dave"]})", kOpsToken).status,
      200);
  EXPECT_EQ(parsed(signer.call("POST", kRotate + "/unseal/cancel", {}, kOpsToken)),
            json::parse(R"({"status":"unsealed"})"));
}

TEST(ChamberRotate, BadBodiesAreRefusedByName) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const auto refused = [&](const std::string& path, const std::string& body) {
    const http::Response reply = signer.call("POST", kRotate + path, body, kOpsToken);
    EXPECT_EQ(reply.status, 400) << path << " " << body << ": " << reply.body;
  };
  for (const std::string body : {"", "[]", "{}", R"({"surprise":1})", R"({"kms_key_arns":[],"kms_threshold":"2"})"}) {
    refused("/kms", body);
    refused("/unseal", body);
    refused("/mode", body);
  }
  refused("/kms", R"({"kms_key_arns":["local://a"],"kms_threshold":2})");
  refused("/mode", R"({"mode":"sideways"})");
  refused("/mode", R"({"mode":"kms_only","operators":["alice"]})");
  refused("/mode", R"({"mode":"unseal"})");
  refused("/unseal/cancel", R"({"sure":true})");
}

TEST(ChamberDrill, ProvesOneShareAndUnsealsNothing) {
  TestSigner signer;
  const json::object first = signer.init_operators(R"("alice","bob")", 2);
  ASSERT_EQ(signer.enrol("alice", first).status, 200);
  ASSERT_EQ(signer.enrol("bob", first).status, 200);
  ASSERT_TRUE(signer.chamber->run_kms_step());
  const auto body = [](const std::string& name, const std::string& more = "") {
    return R"({"operator":")" + name + R"(","passphrase":")" + TestSigner::passphrase(name) + "\"" + more + "}";
  };
  const json::object reply = parsed(signer.call("POST", "/api/v1/chamber/drill", body("alice"))).as_object();
  EXPECT_EQ(reply.at("credential_id").as_string(), "password-1");
  EXPECT_EQ(reply.at("drilled_at").as_string().size(), 20U);
  EXPECT_EQ(signer.chamber->status().shares_received, 0U);
  const std::string dry = R"(,"dry_run":true)";
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/unseal", body("alice", dry)).status, 200);
  EXPECT_EQ(parsed(signer.call("POST", "/api/v1/chamber/unseal", body("bob", dry))),
            json::parse(R"({"dry_run":true,"shares_received":2,"shares_required":2,"would_unseal":true})"));
  EXPECT_EQ(signer.chamber->status().state, seal::VisibleState::kms_unsealed);
  EXPECT_NE(TestSigner::call(*signer.metrics_router, "GET", "/metrics", {}, {}, {})
                .body.find("containment_operators_margin 0\n"),
            std::string::npos);
}

}  // namespace
}  // namespace cc::api
