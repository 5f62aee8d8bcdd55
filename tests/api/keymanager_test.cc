// /eth/v1/keystores as the keymanager API's description has it, and the order of its steps when something fails.
#include <gmock/gmock.h>

#include "api/keymanager_history.h"
#include "api/test_signer.h"
#include "formats/keystore.h"
#include "support/seeded_random.h"

namespace cc::api {
namespace {

using test::kMainnetRoot;
using test::kSigningToken;
using test::parsed;
using test::ring_key;
using test::scalar;
using test::StoreFault;
using test::TestSigner;
namespace json = boost::json;

constexpr const char* kPath = "/eth/v1/keystores";
constexpr std::string_view kToken = "validator-keys-token1";
constexpr std::string_view kListToken = "list-only-token-00001";
constexpr std::string_view kPassword = "correct horse";

ApiOptions enabled() {
  ApiOptions out;
  out.keymanager_enabled = true;
  return out;
}

std::string keystore(std::uint32_t number) {
  test::SeededRandom random(number);
  const auto secret = crypto::BlsSecretKey::from_bytes(scalar(number)).value();
  return keystore::write(secret, SecretBytes::copy_of(kPassword), "", keystore::Kdf::pbkdf2, 2, random).value();
}

std::string import_body(const std::vector<std::uint32_t>& numbers, const std::optional<std::string>& history = {},
                        std::string_view password = kPassword) {
  json::object body;
  json::array keystores;
  json::array passwords;
  for (const std::uint32_t number : numbers) {
    keystores.emplace_back(keystore(number));
    passwords.emplace_back(password);
  }
  body["keystores"] = std::move(keystores);
  body["passwords"] = std::move(passwords);
  if (history) {
    body["slashing_protection"] = *history;
  }
  return json::serialize(body);
}

std::string delete_body(const std::vector<std::uint32_t>& numbers) {
  json::array keys;
  for (const std::uint32_t number : numbers) {
    keys.emplace_back(to_0x(ring_key(number)->public_key));
  }
  return json::serialize(json::object{{"pubkeys", std::move(keys)}});
}

std::string history_of(std::uint32_t number, const std::string& votes, std::string_view root = kMainnetRoot) {
  return R"({"metadata":{"interchange_format_version":"5","genesis_validators_root":")" + std::string(root) +
         R"("},"data":[{"pubkey":")" + to_0x(ring_key(number)->public_key) +
         R"(","signed_blocks":[],"signed_attestations":[)" + votes + "]}]}";
}
std::string vote(int source, int target) {
  return R"({"source_epoch":")" + std::to_string(source) + R"(","target_epoch":")" + std::to_string(target) + "\"}";
}

std::vector<std::string> statuses(const http::Response& reply) {
  EXPECT_EQ(reply.status, 200) << reply.body;
  std::vector<std::string> out;
  const json::value body = parsed(reply);
  for (const json::value& one : body.at("data").as_array()) {
    out.emplace_back(one.at("status").as_string());
    EXPECT_TRUE(one.at("message").is_string());
  }
  return out;
}
json::value leaving(const http::Response& reply) {
  return json::parse(parsed(reply).at("slashing_protection").as_string());
}

class Keymanager : public testing::Test {
 protected:
  http::Response post(const std::string& body) { return signer_.call("POST", kPath, body, kToken); }
  http::Response remove(const std::vector<std::uint32_t>& numbers) {
    return signer_.call("DELETE", kPath, delete_body(numbers), kToken);
  }
  int attest(std::uint32_t number, std::uint64_t source, std::uint64_t target, std::uint64_t head = 1) {
    return signer_.sign(ring_key(number)->public_key, test::attestation(source, target, head)).status;
  }
  TestSigner signer_{enabled()};
};

TEST_F(Keymanager, IsNotThereUnlessItIsTurnedOn) {
  TestSigner off;
  EXPECT_EQ(off.call("GET", kPath, {}, kToken).status, 404);
}

TEST_F(Keymanager, KeysComeIntoTheOpenChamberSignAndGoWithTheirWholeHistory) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  EXPECT_THAT(statuses(post(import_body({1, 2, 1}))), testing::ElementsAre("imported", "imported", "duplicate"));
  EXPECT_EQ(signer_.key_store->count(std::nullopt).value(), 2U);
  const json::value listed = parsed(signer_.call("GET", kPath, {}, kToken));
  ASSERT_EQ(listed.at("data").as_array().size(), 2U);
  for (const json::value& one : listed.at("data").as_array()) {
    EXPECT_TRUE(one.at("validating_pubkey").as_string().starts_with("0x"));
    EXPECT_FALSE(one.at("readonly").as_bool());
    EXPECT_TRUE(one.at("derivation_path").is_string());
  }
  EXPECT_EQ(attest(1, 5, 6), 200);
  const http::Response gone = remove({1, 3});
  EXPECT_THAT(statuses(gone), testing::ElementsAre("deleted", "not_found"));
  const json::value history = leaving(gone);
  EXPECT_EQ(history.at("metadata").at("genesis_validators_root").as_string(), kMainnetRoot);
  ASSERT_EQ(history.at("data").as_array().size(), 1U) << "only of keys that were stopped";
  EXPECT_EQ(history.at("data").at(0).at("signed_attestations").at(0).at("target_epoch").as_string(), "6");
  EXPECT_EQ(attest(1, 6, 7), 404);
  EXPECT_EQ(attest(2, 5, 6), 200) << "the other key goes on";

  const http::Response again = remove({1});
  EXPECT_THAT(statuses(again), testing::ElementsAre("not_active"));
  EXPECT_EQ(leaving(again).at("data").as_array().size(), 1U) << "asked twice, told twice";
}

TEST_F(Keymanager, WithoutAChamberKeysStayInMemory) {
  EXPECT_THAT(statuses(post(import_body({1}))), testing::ElementsAre("imported"));
  EXPECT_EQ(signer_.ring.find(ring_key(1)->public_key)->source, keys::KeySource::memory);
  signer_.pipeline.open_gate();
  EXPECT_EQ(attest(1, 1, 2), 200);
  EXPECT_THAT(statuses(remove({1})), testing::ElementsAre("deleted"));
}

TEST_F(Keymanager, TheHistoryBindsBeforeTheKeySigns) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  EXPECT_THAT(statuses(post(import_body({1}, history_of(1, vote(10, 20))))), testing::ElementsAre("imported"));
  EXPECT_EQ(attest(1, 10, 20), 412);
  EXPECT_EQ(attest(1, 9, 21), 412);
  EXPECT_EQ(attest(1, 10, 21), 200);
  const auto origins = signer_.slashing.state().origins;
  ASSERT_EQ(origins.size(), 1U);
  EXPECT_EQ(origins[0].kind, guard::OriginKind::keymanager);
  EXPECT_TRUE(origins[0].digest.has_value());
}

TEST_F(Keymanager, AHistoryThatCannotBeAppliedStopsTheWholeImport) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  ASSERT_THAT(statuses(post(import_body({9}, history_of(9, vote(1, 2))))), testing::ElementsAre("imported"));
  const std::string foreign = history_of(1, vote(1, 2), "0x" + std::string(64, '7'));
  for (const std::string& history :
       {foreign, std::string("{"), std::string("{}"), history_of(1, R"({"target_epoch":"1"})"),
        history_of(1, vote(1, 2)) + "x", std::string()}) {
    const http::Response reply = post(import_body({1}, history));
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_EQ(parsed(reply).at("code").as_int64(), 400);
    EXPECT_THAT(std::string(parsed(reply).at("message").as_string()), testing::HasSubstr("slashing_protection"));
    EXPECT_EQ(signer_.ring.size(), 1U);
    EXPECT_EQ(signer_.key_store->count(std::nullopt).value(), 1U);
  }
}

TEST_F(Keymanager, AStoreThatFailsInTheMiddleImportsNothing) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  for (const StoreFault fault : {StoreFault::unavailable, StoreFault::failed_commit, StoreFault::doubt_lost}) {
    signer_.slashing.push_fault(StoreFault::none);  // reading the network
    signer_.slashing.push_fault(fault);             // merging the history
    EXPECT_EQ(post(import_body({1}, history_of(1, vote(10, 20)))).status, 503);
    EXPECT_EQ(signer_.ring.size(), 0U);
    EXPECT_EQ(signer_.key_store->count(std::nullopt).value(), 0U);
  }
  EXPECT_THAT(statuses(post(import_body({1}, history_of(1, vote(10, 20))))), testing::ElementsAre("imported"));
}

TEST_F(Keymanager, HistoryOfOtherKeysIsLeftOut) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  EXPECT_THAT(statuses(post(import_body({1, 2}))), testing::ElementsAre("imported", "imported"));
  EXPECT_THAT(statuses(post(import_body({3}, history_of(1, vote(0, 1'000'000))))), testing::ElementsAre("imported"));
  EXPECT_EQ(attest(1, 5, 6), 200) << "whoever imports key 3 cannot stop key 1";
  EXPECT_THAT(statuses(post(import_body({1}, history_of(1, vote(0, 1'000'000)), "wrong"))),
              testing::ElementsAre("error"));
  EXPECT_EQ(attest(1, 6, 7), 200) << "nor whoever only names it";
}

TEST_F(Keymanager, BadKeystoresAreErrorsOfTheirOwn) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  json::value body = json::parse(import_body({1, 2, 3}));
  body.at("passwords").at(0) = "wrong";
  body.at("keystores").at(1) = "no JSON";
  EXPECT_THAT(statuses(post(json::serialize(body))), testing::ElementsAre("error", "error", "imported"));
  EXPECT_EQ(statuses(post(R"({"keystores":[],"passwords":[]})")).size(), 0U);
}

TEST_F(Keymanager, MalformedRequestsAre400InItsOwnShape) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  std::string many = "{\"pubkeys\":[\"" + to_0x(ring_key(1)->public_key) + "\"";
  for (int i = 0; i < 100; ++i) {
    many += ",\"" + to_0x(ring_key(1)->public_key) + "\"";
  }
  const std::vector<std::pair<const char*, std::string>> requests = {
      {"POST", ""},
      {"POST", "[]"},
      {"POST", R"({"keystores":["{}"],"passwords":[]})"},
      {"POST", R"({"keystores":{},"passwords":[]})"},
      {"POST", R"({"keystores":[1],"passwords":["x"]})"},
      {"POST", R"({"keystores":["{}"],"passwords":[1]})"},
      {"POST", R"({"passwords":[]})"},
      {"POST", R"({"keystores":[],"passwords":[],"slashingProtection":"{}"})"},
      {"POST", R"({"keystores":[],"passwords":[],"slashing_protection":5})"},
      {"DELETE", "{}"},
      {"DELETE", R"({"pubkeys":["0x12"]})"},
      {"DELETE", R"({"pubkeys":"all"})"},
      {"DELETE", many + "]}"},
  };
  for (const auto& [method, body] : requests) {
    const http::Response reply = signer_.call(method, kPath, body, kToken);
    EXPECT_EQ(reply.status, 400) << method << body << reply.body;
    EXPECT_EQ(parsed(reply).at("code").as_int64(), 400);
    EXPECT_FALSE(parsed(reply).at("message").as_string().empty());
  }
}

TEST_F(Keymanager, TokensAndScopesDecide) {
  for (const char* method : {"GET", "POST", "DELETE"}) {
    EXPECT_EQ(signer_.call(method, kPath, "{}").status, 401) << method;
    EXPECT_EQ(signer_.call(method, kPath, "{}", kSigningToken).status, 403) << method;
    EXPECT_TRUE(parsed(signer_.call(method, kPath, "{}")).as_object().contains("message"));
  }
  EXPECT_EQ(signer_.call("GET", kPath, {}, kListToken).status, 200);
  EXPECT_EQ(signer_.call("POST", kPath, import_body({1}), kListToken).status, 403);
  EXPECT_EQ(signer_.call("DELETE", kPath, delete_body({1}), kListToken).status, 403);
  const auto remote = [](http::Request& request) { request.loopback = false; };
  EXPECT_EQ(signer_.call("POST", kPath, import_body({1}), kToken, remote).status, 403) << "passwords in the clear";
  const http::Router::Match match = signer_.router->match("POST", kPath);
  http::Request head;
  ASSERT_TRUE(match.options.admission);
  EXPECT_EQ((*match.options.admission)(head)->status, 401) << "asked before the body is read";
  EXPECT_EQ(match.options.reply_timeout, std::chrono::seconds(600));
}

TEST_F(Keymanager, ASealedChamberShowsAndChangesNothing) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  ASSERT_THAT(statuses(post(import_body({1}))), testing::ElementsAre("imported"));
  ASSERT_EQ(signer_.call("POST", "/api/v1/chamber/seal", "{}", test::kOpsToken).status, 200);
  EXPECT_EQ(signer_.call("GET", kPath, {}, kToken).status, 503);
  EXPECT_EQ(post(import_body({2})).status, 503);
  const http::Response reply = remove({1});
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(parsed(reply).at("message").as_string(), "signer is sealed");
  EXPECT_EQ(signer_.key_store->count(std::nullopt).value(), 1U);
}

TEST_F(Keymanager, AStoreInDoubtChangesNothing) {
  signer_.stores = fail(ErrorKind::slashing_store_mismatch, "another store");
  EXPECT_EQ(post(import_body({1})).status, 503);
  EXPECT_EQ(remove({1}).status, 503);
}

TEST_F(Keymanager, AKeyOfAFileIsReadOnlyAndStillStopsForGood) {
  signer_.pipeline.open_gate();
  signer_.ring.add(ring_key(4, keys::KeySource::filesystem));
  EXPECT_TRUE(parsed(signer_.call("GET", kPath, {}, kToken)).at("data").at(0).at("readonly").as_bool());
  EXPECT_EQ(attest(4, 1, 2), 200);
  const http::Response gone = remove({4});
  EXPECT_THAT(statuses(gone), testing::ElementsAre("deleted"));
  EXPECT_THAT(gone.body, testing::HasSubstr("its key file stays"));
  EXPECT_EQ(leaving(gone).at("data").as_array().size(), 1U);
  signer_.ring.add(ring_key(4, keys::KeySource::filesystem));  // as a reload does
  EXPECT_EQ(attest(4, 2, 3), 412);
}

// A key that is not loaded, but known: a file or another replica may bring it back, so its permit goes as well.
TEST_F(Keymanager, AKeyThatIsOnlyKnownLosesItsPermitToo) {
  signer_.pipeline.open_gate();
  signer_.ring.add(ring_key(4, keys::KeySource::filesystem));
  EXPECT_EQ(attest(4, 1, 2), 200);
  signer_.ring.remove(ring_key(4)->public_key);
  EXPECT_THAT(statuses(remove({4})), testing::ElementsAre("not_active"));
  signer_.ring.add(ring_key(4, keys::KeySource::filesystem));
  EXPECT_EQ(attest(4, 2, 3), 412);
}

TEST_F(Keymanager, WhenThePermitCannotBeWithdrawnTheAnswerIsAnErrorWithoutHistory) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  ASSERT_THAT(statuses(post(import_body({1}))), testing::ElementsAre("imported"));
  EXPECT_EQ(attest(1, 1, 2), 200);
  signer_.slashing.push_fault(StoreFault::failed_commit);
  const http::Response reply = remove({1});
  EXPECT_THAT(statuses(reply), testing::ElementsAre("error"));
  EXPECT_EQ(leaving(reply).at("data").as_array().size(), 0U);
  EXPECT_EQ(attest(1, 2, 3), 200) << "it was said that it still signs";
}

TEST_F(Keymanager, ALongHistoryLeavesInItsMinimalForm) {
  ASSERT_EQ(signer_.init_kms_only().status, 200);
  ASSERT_THAT(statuses(post(import_body({1}))), testing::ElementsAre("imported"));
  ASSERT_TRUE(signer_.slashing.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::set_network(tx, signer_.network.genesis_validators_root.value()));
    CC_ASSIGN(const auto row, tx.validator(ring_key(1)->public_key, true));
    for (std::uint64_t i = 1; i <= 1000; ++i) {
      CC_TRY(tx.add_attestation(row->id, {Epoch{i - 1}, Epoch{i}, std::nullopt}));
    }
    return {};
  }));
  EXPECT_EQ(leaving(remove({1})).at("data").at(0).at("signed_attestations").as_array().size(), 1000U);
  signer_.context.options.most_records_in_answer = 999;
  const json::value minimal = leaving(remove({1}));
  ASSERT_EQ(minimal.at("data").at(0).at("signed_attestations").as_array().size(), 1U);
  EXPECT_EQ(minimal.at("data").at(0).at("signed_attestations").at(0).at("target_epoch").as_string(), "1000");
}

TEST_F(Keymanager, EmptyHistoriesAreAllowedByDeclarationOnly) {
  signing::PipelineOptions strict;
  strict.policy.require_history = true;
  TestSigner signer(enabled(), strict);
  ASSERT_EQ(signer.init_kms_only().status, 200);
  ASSERT_EQ(signer.call("POST", kPath, import_body({1, 2}), kToken).status, 200);
  const auto attest = [&](std::uint32_t number) {
    return signer.sign(ring_key(number)->public_key, test::attestation(1, 2)).status;
  };
  EXPECT_EQ(attest(1), 412);
  const std::string declared = R"({"keys":[{"private_key":")" + to_0x(scalar(1)) + R"("}],"allow_empty_history":true})";
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/keys", declared, test::kKeysToken).status, 200);
  EXPECT_EQ(attest(1), 200);
  EXPECT_EQ(attest(2), 412);
  ASSERT_EQ(signer.call("POST", kPath, import_body({2}, history_of(2, vote(0, 1))), kToken).status, 200);
  EXPECT_EQ(attest(2), 200);
}

}  // namespace
}  // namespace cc::api
