// The witness of the audit log at the endpoints: what is asked, what is told, and what it may stop.
#include "api/witness.h"

#include <algorithm>
#include <mutex>

#include "audit/journal.h"
#include "test_signer.h"

namespace cc::test {
namespace {

using audit::Draft;
using audit::Event;

// Keeps what it is told; refuses when it is told to.
class Listener final : public audit::Journal {
 public:
  void keep(Draft what, std::function<void(Result<void>)> then) override {
    {
      const std::lock_guard lock(mutex);
      told.push_back(std::move(what));
    }
    if (then) {
      then(full ? Result<void>(fail(ErrorKind::store_unavailable, "full")) : Result<void>());
    }
  }
  void keep_refusal(Draft what, std::function<void(Result<void>)> then) override {
    keep(std::move(what), std::move(then));
  }
  Result<void> ask(Draft what, bool proven) override {
    EXPECT_EQ(proven, what.by.kind == audit::AuthorKind::policy) << "a name in a request is no proof";
    if (full) {
      return fail(ErrorKind::store_unavailable, "the audit log cannot be written");
    }
    keep(std::move(what), nullptr);
    return {};
  }
  Facts facts() const override { return {}; }
  Result<std::vector<crypto::Digest>> hashes_after(const audit::Head&, std::size_t) const override {
    return std::vector<crypto::Digest>{};
  }

  // "seal asked policy:ops-team, …"
  std::string story() {
    const std::lock_guard lock(mutex);
    std::string out;
    for (const Draft& one : told) {
      out += (out.empty() ? "" : ", ") + std::string(name(one.event)) + " " + std::string(name(one.outcome)) + " " +
             one.by.text();
    }
    told.clear();
    return out;
  }
  std::mutex mutex;
  std::vector<Draft> told;
  std::atomic<bool> full{false};
};

struct Watched {
  Watched() {
    signer.context.journal = &journal;
    router->add("POST", "/something/new",
                [](const http::Request&, const http::Responder& respond) { respond(http::json(200, "{}")); });
    api::add_routes(*router, signer.context);
  }
  http::Response call(const std::string& method, const std::string& path, std::string body = {},
                      std::string_view token = {}) {
    return TestSigner::call(*router, method, path, std::move(body), token,
                            [](http::Request& request) { request.id = "r-1"; });
  }
  http::Response init() {
    return call("POST", "/api/v1/chamber/init", R"({"kms_key_arns":["local://one"],"kms_threshold":1})",
                signer.setup_token());
  }
  static bool has_head(const http::Response& response) {
    return std::ranges::any_of(response.headers, [](const auto& header) { return header.first == "X-Audit-Head"; });
  }
  Listener journal;
  TestSigner signer;
  std::shared_ptr<http::Router> router = std::make_shared<http::Router>();
};

TEST(Witness, AskedBeforeAndToldAfter) {
  Watched world;
  EXPECT_TRUE(Watched::has_head(world.init()));
  EXPECT_EQ(world.journal.story(), "init asked anyone, init done setup-token");
  EXPECT_EQ(world.call("POST", "/api/v1/chamber/keys/generate", R"({"count":2})", kKeysToken).status, 200);
  EXPECT_EQ(world.journal.told.size(), 2U);
  EXPECT_EQ(world.journal.told[1].keys.size(), 2U);
  EXPECT_EQ(world.journal.story(), "key_generate asked policy:key-manager, key_generate done policy:key-manager");
}

TEST(Witness, TheHandOutOfABackupIsTold) {
  Watched world;
  world.init();
  const std::string recipient = "age1prj6ueksk23x6fsl949lqq8k9mt3r9w2yheqj2gjlrjpl399we6s8rg946";
  const http::Response made = world.call("POST", "/api/v1/chamber/keys/generate",
                                         R"({"count":1,"backup_recipients":[")" + recipient + R"("]})", kKeysToken);
  ASSERT_EQ(made.status, 200) << made.body;
  ASSERT_EQ(world.call("POST", "/api/v1/chamber/keys/generate", R"({"count":1})", kKeysToken).status, 200);
  const std::vector<BlsPublicKey> keys{world.journal.told[3].keys.at(0), world.journal.told[5].keys.at(0)};
  world.journal.story();
  for (const auto& [key, word] : {std::pair(keys[0], "handed_out"), std::pair(keys[1], "no_backup")}) {
    const auto ask = [&, name = "0x" + to_hex(key)](http::Request& request) {
      request.id = "r-1";
      request.query["pubkey"] = name;
    };
    ASSERT_EQ(TestSigner::call(*world.router, "GET", "/api/v1/chamber/keys/backup", {}, kKeysToken, ask).status, 200);
    ASSERT_EQ(world.journal.told.size(), 2U);
    EXPECT_EQ(world.journal.told[1].subject->text(), word);
    EXPECT_EQ(world.journal.told[1].keys, std::vector{key});
    EXPECT_EQ(world.journal.story(), "key_backup asked policy:key-manager, key_backup done policy:key-manager");
  }
  EXPECT_EQ(world.call("GET", "/api/v1/chamber/keys/backup", {}, kKeysToken).status, 400);
  EXPECT_EQ(world.journal.story(), "key_backup asked policy:key-manager, key_backup refused policy:key-manager");
  world.journal.full = true;
  const http::Response untold = world.call("GET", "/api/v1/chamber/keys/backup", {}, kKeysToken);
  EXPECT_EQ(untold.status, 503) << "what cannot be told is not handed out";
}

TEST(Witness, ARouteItDoesNotKnowIsAChangeAllTheSame) {
  Watched world;
  EXPECT_EQ(world.call("POST", "/something/new").status, 200);
  ASSERT_EQ(world.journal.told.size(), 1U);
  EXPECT_EQ(world.journal.told[0].event, Event::request);
  EXPECT_EQ(world.journal.told[0].route->text(), "/something/new");
}

TEST(Witness, RefusedCallersAreToldAndNothingOfThemIsAsked) {
  Watched world;
  EXPECT_EQ(world.call("POST", "/api/v1/chamber/seal", R"({"reason":"mine"})", "no-such-token-00001").status, 401);
  EXPECT_EQ(world.call("POST", "/api/v1/chamber/seal", R"({"reason":"mine"})", kKeysToken).status, 403);
  EXPECT_EQ(world.call("GET", "/api/v1/chamber/status", {}, "no-such-token-00001").status, 401);
  for (const Draft& one : world.journal.told) {
    EXPECT_FALSE(one.remark);
    EXPECT_EQ(one.request->text(), "r-1");
  }
  EXPECT_EQ(world.journal.story(), "seal refused anyone, seal refused policy:key-manager, access refused anyone");
  EXPECT_EQ(world.call("GET", "/api/v1/chamber/status", {}, kOpsToken).status, 200);
  EXPECT_EQ(world.call("GET", "/healthcheck").status, 503);
  EXPECT_EQ(world.journal.story(), "") << "reading is not told";
}

TEST(Witness, NothingBeginsThatCannotBeTold) {
  Watched world;
  world.journal.full = true;
  const http::Response refused = world.init();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(code_of(refused), "store_unavailable");
  EXPECT_EQ(world.signer.chamber->status().state, seal::VisibleState::uninitialized);
  world.journal.full = false;
  EXPECT_EQ(world.init().status, 200);
}

TEST(Witness, SealingHappensAnyway) {
  Watched world;
  EXPECT_EQ(world.init().status, 200);
  world.journal.full = true;
  const http::Response sealed = world.call("POST", "/api/v1/chamber/seal", {}, kOpsToken);
  EXPECT_EQ(sealed.status, 200);
  EXPECT_FALSE(Watched::has_head(sealed)) << "there is no head to vouch for";
  EXPECT_EQ(world.signer.chamber->status().state, seal::VisibleState::sealed);
}

TEST(Witness, ATextInTheWrongFieldIsNotKept) {
  Watched world;
  EXPECT_EQ(world.init().status, 200);
  world.journal.story();
  world.call("POST", "/api/v1/chamber/unseal",
             R"({"operator":"a-passphrase-by-mistake","passphrase":"and some more of it"})");
  world.call("POST", "/api/v1/chamber/unseal/credentials",
             R"({"operator":"x","existing_passphrase":"a passphrase of mine","existing_credential_id":"a",)"
             R"("new_passphrase":"a passphrase of mine","new_credential_id":"a-passphrase-by-mistake"})");
  for (const Draft& one : world.journal.told) {
    EXPECT_EQ(one.by, audit::Author::anyone());
    EXPECT_FALSE(one.subject);
  }
}

TEST(Witness, SignaturesAreToldWhenTheyAreRefused) {
  Watched world;
  EXPECT_EQ(world.init().status, 200);
  const BlsPublicKey key = ring_key(1)->public_key;
  EXPECT_EQ(
      world
          .call("POST", "/api/v1/chamber/keys", R"({"keys":[{"private_key":")" + to_0x(scalar(1)) + "\"}]}", kKeysToken)
          .status,
      200);
  world.journal.story();
  const auto sign = [&](const std::string& body, std::string_view token) {
    return world.call("POST", "/api/v1/eth2/sign/" + to_0x(key), body, token).status;
  };
  EXPECT_EQ(sign(attestation(1, 2), kSigningToken), 200);
  EXPECT_EQ(sign("{}", kSigningToken), 400);
  EXPECT_EQ(world.journal.story(), "");
  EXPECT_EQ(sign(attestation(1, 2, 9), kSigningToken), 412);
  EXPECT_EQ(sign(randao(3), kNarrowToken), 403);
  ASSERT_EQ(world.journal.told.size(), 2U);
  EXPECT_EQ(world.journal.told[0].keys, std::vector<BlsPublicKey>{key});
  EXPECT_EQ(world.journal.told[0].subject->text(), "ATTESTATION");
  EXPECT_EQ(world.journal.story(), "sign refused policy:signing-client, sign refused policy:narrow");
}

TEST(Witness, KeysThatWereNotThereAreCounted) {
  Watched world;
  EXPECT_EQ(world.init().status, 200);
  world.journal.story();
  std::string pubkeys;
  for (int i = 0; i < 300; ++i) {
    pubkeys += (i == 0 ? "\"" : ",\"") +
               to_0x(BlsPublicKey{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i / 256)}) + "\"";
  }
  EXPECT_EQ(world.call("DELETE", "/api/v1/chamber/keys", "{\"pubkeys\":[" + pubkeys + "]}", kKeysToken).status, 200);
  ASSERT_EQ(world.journal.told.size(), 2U);
  EXPECT_EQ(world.journal.told[1].failed, 300U) << "none of them was here";
}

}  // namespace
}  // namespace cc::test
