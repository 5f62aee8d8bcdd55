// The ceremonies over HTTP: replies field by field as the operations guide prints them, and every refusal.
#include <gtest/gtest.h>

#include "api/answer.h"
#include "api/test_signer.h"

namespace cc::api {
namespace {

using test::code_of;
using test::kKeysToken;
using test::kOpsToken;
using test::kSigningToken;
using test::parsed;
using test::TestSigner;
namespace json = boost::json;

std::string header(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

std::string state_of(TestSigner& signer) {
  const http::Response reply = signer.call("GET", "/api/v1/chamber/status", {}, kOpsToken);
  EXPECT_EQ(reply.status, 200);
  return std::string(parsed(reply).at("seal").at("status").as_string());
}

// A chamber with operators, all registered, the KMS lock open.
void registered(TestSigner& signer, const std::string& names = R"("alice","bob","carol")", int threshold = 2) {
  const json::object first = signer.init_operators(names, threshold);
  for (const auto& member : first.at("operator_tokens").as_object()) {
    ASSERT_EQ(signer.enrol(member.key(), first).status, 200);
  }
  ASSERT_TRUE(signer.chamber->run_kms_step().has_value());
  ASSERT_EQ(state_of(signer), "kms_unsealed");
}

TEST(ChamberStatus, OfAFreshSignerIsAsTheGuidePrintsIt) {
  TestSigner signer;
  const http::Response reply = signer.call("GET", "/api/v1/chamber/status", {}, kOpsToken);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(parsed(reply), json::parse(R"({"seal":{"status":"uninitialized"},"keys":null})"));
}

TEST(ChamberStatus, IsNotForEverybody) {
  TestSigner signer;
  const http::Response anonymous = signer.call("GET", "/api/v1/chamber/status");
  EXPECT_EQ(anonymous.status, 401);
  EXPECT_EQ(anonymous.content_type, "application/problem+json");
  EXPECT_NE(header(anonymous, "WWW-Authenticate").find("Bearer"), std::string::npos);
  EXPECT_EQ(anonymous.body.find("uninitialized"), std::string::npos);
  EXPECT_EQ(signer.call("GET", "/api/v1/chamber/status", {}, "a token that is not ours").status, 401);
  EXPECT_EQ(signer.call("GET", "/api/v1/chamber/status", {}, kSigningToken).status, 403);
}

TEST(ChamberStatus, OfAnOpenChamberCountsKeys) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  signer.import_key(1);
  signer.import_key(2);
  const json::value body = parsed(signer.call("GET", "/api/v1/chamber/status", {}, kOpsToken));
  EXPECT_EQ(body.at("seal").at("status"), "unsealed");
  EXPECT_EQ(body.at("seal").at("mode"), "kms_only");
  EXPECT_EQ(body.at("seal").at("kms"), json::parse(R"({"threshold":2,"members":2})"));
  EXPECT_EQ(body.at("keys"), json::parse(R"({"loaded":2,"active":2})"));
}

TEST(ChamberInit, KmsOnlyOpensAtOnce) {
  TestSigner signer;
  const std::string token = signer.setup_token();
  const http::Response reply = signer.init_kms_only();
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(parsed(reply), json::parse(R"({"status":"unsealed","validators_loaded":0})"));
  EXPECT_EQ(signer.changes, 1);
  const http::Response again =
      signer.call("POST", "/api/v1/chamber/init", R"({"kms_key_arns":["local://one"],"kms_threshold":1})", token);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(code_of(again), "already_initialized");
  EXPECT_EQ(parsed(again).at("status").as_int64(), 409);
}

TEST(ChamberInit, TheSetupTokenMayComeInTheBody) {
  TestSigner signer;
  const std::string body =
      R"({"kms_key_arns":["local://one"],"kms_threshold":1,"setup_token":")" + signer.setup_token() + "\"}";
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/init", body).status, 200);
}

TEST(ChamberInit, BadRequestsAreNamedAndLeaveNothing) {
  struct Case {
    const char* body;
    int status;
    const char* code;
  };
  const Case cases[] = {
      {R"({"kms_key_arns":["local://a","local://b"],"kms_threshold":0})", 400, "threshold_invalid"},
      {R"({"kms_key_arns":["local://a","local://b"],"kms_threshold":3})", 400, "threshold_invalid"},
      {R"({"kms_key_arns":["local://a","local://a"],"kms_threshold":1})", 400, "kek_repeated"},
      {R"({"kms_key_arns":["arn:aws:kms:nowhere"],"kms_threshold":1})", 400, "kek_name_invalid"},
      {R"({"kms_key_arns":["local://a"],"kms_threshold":"1"})", 400, "malformed_request"},
      {R"({"kms_key_arns":"local://a","kms_threshold":1})", 400, "malformed_request"},
      {R"({"kms_threshold":1})", 400, "malformed_request"},
      {R"({"kms_key_arns":["local://a"],"kms_threshold":1,"colour":"blue"})", 400, "malformed_request"},
      {R"({"kms_key_arns":["local://a"],"kms_threshold":1,"operators":["alice"],"unseal_threshold":2})", 400,
       "threshold_invalid"},
      {"nonsense", 400, "malformed_request"},
  };
  TestSigner signer;
  for (const Case& one : cases) {
    const http::Response reply = signer.call("POST", "/api/v1/chamber/init", one.body, signer.setup_token());
    EXPECT_EQ(reply.status, one.status) << one.body << reply.body;
    EXPECT_EQ(code_of(reply), one.code) << one.body << reply.body;
    EXPECT_EQ(reply.content_type, "application/problem+json");
  }
  const std::string good = R"({"kms_key_arns":["local://a"],"kms_threshold":1})";
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/init", good).status, 401);
  const http::Response wrong = signer.call("POST", "/api/v1/chamber/init", good, "cc-setup-" + std::string(43, 'A'));
  EXPECT_EQ(wrong.status, 403);
  EXPECT_EQ(code_of(wrong), "setup_token_invalid");
  EXPECT_EQ(state_of(signer), "uninitialized");
}

TEST(ChamberInit, OperatorsRegisterAsTheGuidePrintsIt) {
  TestSigner signer;
  const json::object first = signer.init_operators();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first.at("status"), "awaiting_registration");
  const json::object& tokens = first.at("operator_tokens").as_object();
  ASSERT_EQ(tokens.size(), 3U);
  for (const char* name : {"alice", "bob", "carol"}) {
    EXPECT_TRUE(tokens.at(name).as_string().starts_with("cc-reg-"));
    EXPECT_EQ(tokens.at(name).as_string().size(), 7U + 43U);
  }
  EXPECT_EQ(parsed(signer.enrol("alice", first)), json::parse(R"({"registered":1,"remaining":2})"));
  EXPECT_EQ(signer.enrol("alice", first).status, 403) << "a registration token is good once";
  EXPECT_EQ(parsed(signer.enrol("bob", first)), json::parse(R"({"registered":2,"remaining":1})"));
  EXPECT_EQ(parsed(signer.enrol("carol", first)), json::parse(R"({"registered":3,"remaining":0,"status":"sealed"})"));
  EXPECT_EQ(state_of(signer), "sealed");
}

TEST(ChamberInit, ShortPassphrasesAreRefusedAndTheTokenStaysGood) {
  TestSigner signer;
  const json::object first = signer.init_operators();
  const std::string token(first.at("operator_tokens").at("alice").as_string());
  const http::Response reply =
      signer.call("POST", "/api/v1/chamber/register", R"({"operator":"alice","passphrase":"fifteen chars!!"})", token);
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(code_of(reply), "passphrase_too_short");
  EXPECT_EQ(parsed(reply).at("title"), "passphrase too short");
  EXPECT_EQ(signer.enrol("alice", first).status, 200);
}

TEST(ChamberInit, ResetStartsOverWithANewToken) {
  TestSigner signer;
  const std::string token = signer.setup_token();
  signer.init_operators();
  const http::Response reply = signer.call("POST", "/api/v1/chamber/init/reset", {}, token);
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(parsed(reply), json::parse(R"({"status":"uninitialized"})"));
  EXPECT_NE(signer.setup_token(), token);
  EXPECT_EQ(signer.init_kms_only().status, 200);
}

TEST(ChamberUnseal, AQuorumOpens) {
  TestSigner signer;
  registered(signer);
  EXPECT_EQ(parsed(signer.unseal("alice")), json::parse(R"({"shares_received":1,"shares_required":2})"));
  const http::Response wrong = signer.unseal("bob", "this is not the passphrase of bob");
  EXPECT_EQ(wrong.status, 403);
  EXPECT_EQ(code_of(wrong), "wrong_passphrase");
  const http::Response repeated = signer.unseal("alice");
  EXPECT_EQ(repeated.status, 409);
  EXPECT_EQ(code_of(repeated), "share_repeated");
  EXPECT_EQ(parsed(signer.unseal("carol")), json::parse(R"({"status":"unsealed","validators_loaded":0})"));
  EXPECT_EQ(state_of(signer), "unsealed");
}

TEST(ChamberUnseal, UnknownOperatorsAnswerLikeWrongPassphrases) {
  TestSigner signer;
  registered(signer, R"("alice")", 1);
  const http::Response known = signer.unseal("alice", "quite the wrong passphrase");
  const http::Response unknown = signer.unseal("mallory", "quite the wrong passphrase");
  EXPECT_EQ(known.status, 403);
  EXPECT_EQ(unknown.status, known.status);
  EXPECT_EQ(unknown.body, known.body);
}

TEST(Ceremonies, WhoeverHasNoTokenIsNotToldWhereTheStoresLie) {
  http::Request request;
  request.id = "req-7";
  const auto told = [&request](Error error) {
    const Work work = for_anyone([&error](http::Request&) -> Result<http::Response> { return tl::unexpected(error); });
    return work(request).error();
  };
  for (const ErrorKind kind : {ErrorKind::store_unavailable, ErrorKind::store_in_doubt}) {
    const Error error = told({kind, "cannot read /srv/signer/state.sqlite"});
    EXPECT_EQ(error.kind, kind);
    EXPECT_EQ(error.message.find("/srv"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("req-7"), std::string::npos) << error.message;
  }
  EXPECT_EQ(told({ErrorKind::wrong_passphrase, "as it is"}).message, "as it is");
}

TEST(ChamberUnseal, ResetTakesATokenOrACredential) {
  TestSigner signer;
  registered(signer);
  ASSERT_EQ(signer.unseal("alice").status, 200);
  const http::Response anonymous = signer.call("POST", "/api/v1/chamber/unseal/reset");
  EXPECT_EQ(anonymous.status, 401);
  const http::Response by_token = signer.call("POST", "/api/v1/chamber/unseal/reset", {}, kOpsToken);
  EXPECT_EQ(parsed(by_token), json::parse(R"({"shares_received":0,"shares_required":2})"));
  EXPECT_EQ(parsed(signer.unseal("alice")).at("shares_received").as_int64(), 1);
  const http::Response by_credential =
      signer.call("POST", "/api/v1/chamber/unseal/reset",
                  R"({"operator":"bob","passphrase":")" + TestSigner::passphrase("bob") + "\"}");
  EXPECT_EQ(parsed(by_credential), json::parse(R"({"shares_received":0,"shares_required":2})"));
}

TEST(ChamberCredentials, AreListedForEverybody) {
  TestSigner signer;
  registered(signer);
  const http::Response reply = signer.call("GET", "/api/v1/chamber/unseal/credentials?operator=alice");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(parsed(reply), json::parse(R"({"operator":"alice","credential_ids":["password-1"]})"));
  EXPECT_EQ(signer.call("GET", "/api/v1/chamber/unseal/credentials").status, 400);
}

TEST(ChamberCredentials, AreAddedAndRemovedAsTheGuidePrints) {
  TestSigner signer;
  registered(signer);
  const std::string path = "/api/v1/chamber/unseal/credentials";
  const std::string proof = R"({"operator":"alice","existing_passphrase":")" + TestSigner::passphrase("alice") +
                            R"(","existing_credential_id":"password-1",)";
  const std::string added = R"("new_passphrase":"my-new-passphrase","new_credential_id":"password-2"})";
  EXPECT_EQ(parsed(signer.call("POST", path, proof + added)),
            json::parse(R"({"operator":"alice","credential_id":"password-2"})"));
  EXPECT_EQ(code_of(signer.call("POST", path, proof + added)), "credential_exists");
  EXPECT_EQ(parsed(signer.call("GET", path + "?operator=alice")),
            json::parse(R"({"operator":"alice","credential_ids":["password-1","password-2"]})"));
  const std::string removed = proof + R"("remove_credential_id":"password-2"})";
  EXPECT_EQ(parsed(signer.call("DELETE", path, removed)),
            json::parse(R"({"operator":"alice","removed_credential_id":"password-2"})"));
  const http::Response last = signer.call("DELETE", path, proof + R"("remove_credential_id":"password-1"})");
  EXPECT_EQ(last.status, 409) << last.body;
  EXPECT_EQ(code_of(last), "last_credential");
}

TEST(ChamberCredentials, BadBodiesAreRefusedByName) {
  TestSigner signer;
  registered(signer);
  const std::string path = "/api/v1/chamber/unseal/credentials";
  for (const std::string body :
       {"", "[]", R"({"operator":"alice"})", R"({"operator":"alice","existing_passphrase":1})",
        R"({"operator":"alice","existing_passphrase":"x","existing_credential_id":"password-1","surprise":1})"}) {
    EXPECT_EQ(signer.call("POST", path, body).status, 400) << body;
    EXPECT_EQ(signer.call("DELETE", path, body).status, 400) << body;
  }
  const http::Response plain = signer.call("POST", path, "{}", {}, [](http::Request& request) {
    request.loopback = false;
    request.peer = "203.0.113.7";
  });
  EXPECT_EQ(code_of(plain), "plaintext_refused");
}

TEST(ChamberSeal, StopsAllSigningUntilResumed) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const BlsPublicKey key = signer.import_key(1);
  ASSERT_EQ(signer.sign(key, test::attestation(1, 2)).status, 200);
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/seal").status, 401);
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kSigningToken).status, 403);
  const http::Response reply = signer.call("POST", "/api/v1/chamber/seal", R"({"reason":"maintenance"})", kOpsToken);
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(parsed(reply), json::parse(R"({"status":"sealed"})"));
  EXPECT_EQ(state_of(signer), "sealed");
  EXPECT_EQ(signer.ring.size(), 0U);
  EXPECT_EQ(signer.sign(key, test::attestation(2, 3)).status, 503);
  EXPECT_EQ(signer.call("GET", "/api/v1/eth2/publicKeys", {}, kSigningToken).body, "[]");
  // No background step reopens it; resume allows one again.
  ASSERT_TRUE(signer.chamber->run_kms_step().has_value());
  EXPECT_EQ(state_of(signer), "sealed");
  const int before = signer.changes;
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/resume", {}, kOpsToken).status, 200);
  EXPECT_EQ(signer.changes, before + 1);
  ASSERT_TRUE(signer.chamber->run_kms_step().has_value());
  EXPECT_EQ(state_of(signer), "unsealed");
  EXPECT_EQ(signer.sign(key, test::attestation(2, 3)).status, 200);
}

TEST(ChamberSeal, RefusesWhatItDoesNotUnderstand) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/seal", R"({"hold":"yes"})", kOpsToken).status, 400);
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/seal", R"({"now":true})", kOpsToken).status, 400);
  EXPECT_EQ(state_of(signer), "unsealed");
}

TEST(ChamberSeal, WaitsForNobodysCeremony) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  std::promise<void> go;
  const std::shared_future<void> gate = go.get_future().share();
  ASSERT_TRUE(signer.ceremonies.run("other", [gate] { gate.wait(); }));
  ASSERT_TRUE(signer.key_work.run("other", [gate] { gate.wait(); }));
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  go.set_value();
}

TEST(Ceremonies, AFullQueueIs429WithRetryAfter) {
  TestSigner signer;
  std::promise<void> go;
  const std::shared_future<void> gate = go.get_future().share();
  std::promise<void> running;
  ASSERT_TRUE(signer.ceremonies.run("127.0.0.1", [gate, &running] {
    running.set_value();
    gate.wait();
  }));
  running.get_future().wait();
  while (signer.ceremonies.run("127.0.0.1", [gate] { gate.wait(); })) {
  }
  const http::Response reply = signer.unseal("alice");
  EXPECT_EQ(reply.status, 429);
  EXPECT_FALSE(header(reply, "Retry-After").empty());
  go.set_value();
}

TEST(Ceremonies, SecretsAreNotTakenOverPlainHttpFromAfar) {
  const std::vector<std::string> paths{"/api/v1/chamber/init", "/api/v1/chamber/init/reset", "/api/v1/chamber/register",
                                       "/api/v1/chamber/unseal", "/api/v1/chamber/unseal/reset"};
  const auto remote = [](http::Request& request) {
    request.loopback = false;
    request.peer = "192.0.2.7";
  };
  const auto remote_tls = [&](http::Request& request) {
    remote(request);
    request.encrypted = true;
  };
  TestSigner signer;
  TestSigner lax({.allow_plaintext_ceremonies = true});
  for (const std::string& path : paths) {
    const http::Response refused = signer.call("POST", path, "{}", "cc-setup-x", remote);
    EXPECT_EQ(refused.status, 403) << path;
    EXPECT_EQ(code_of(refused), "plaintext_refused") << path;
    EXPECT_NE(code_of(signer.call("POST", path, "{}", "cc-setup-x", remote_tls)), "plaintext_refused") << path;
    EXPECT_NE(code_of(lax.call("POST", path, "{}", "cc-setup-x", remote)), "plaintext_refused") << path;
  }
  const http::Response keys = signer.call("POST", "/api/v1/chamber/keys", R"({"keys":[]})", kKeysToken, remote);
  EXPECT_EQ(code_of(keys), "plaintext_refused");
}

TEST(Ceremonies, UnknownFieldsAreNamed) {
  TestSigner signer;
  for (const char* path : {"/api/v1/chamber/init", "/api/v1/chamber/init/reset", "/api/v1/chamber/register",
                           "/api/v1/chamber/unseal", "/api/v1/chamber/unseal/reset"}) {
    const http::Response reply = signer.call("POST", path, R"({"colour":"blue"})", "cc-setup-x");
    EXPECT_EQ(reply.status, 400) << path;
    EXPECT_NE(reply.body.find("colour"), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace cc::api
