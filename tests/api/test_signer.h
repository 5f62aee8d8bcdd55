// A whole signer in one process, wired as the composition root does it: real chamber, keys, guard, pipeline and
// endpoints, over SQLite and local KEKs in a folder of its own. Requests go straight to the router.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/localkek/local_kek.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/state_store.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "crypto/bls.h"
#include "ethereum/sign_request.h"
#include "guard/rules.h"
#include "support/memory_slashing_store.h"
#include "support/process.h"
#include "support/ring_keys.h"

namespace cc::test {

inline constexpr std::string_view kSigningToken = "signing-token-0000001";
inline constexpr std::string_view kOpsToken = "operations-token-0001";
inline constexpr std::string_view kKeysToken = "key-manager-token-001";
inline constexpr std::string_view kNarrowToken = "narrow-token-00000001";  // key 1 only, attestations only

// Permits in the slashing store.
class StorePermits final : public keys::PermitPort {
 public:
  explicit StorePermits(guard::SlashingStore& store) : store_(store) {}
  Result<void> permit(const std::vector<BlsPublicKey>& keys, bool fresh) override {
    return store_.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      for (const BlsPublicKey& key : keys) {
        CC_TRY(guard::permit(tx, key, fresh));
      }
      return {};
    });
  }
  Result<void> withdraw(const std::vector<BlsPublicKey>& keys) override {
    return store_.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      for (const BlsPublicKey& key : keys) {
        CC_TRY(guard::withdraw(tx, key));
      }
      return {};
    });
  }

 private:
  guard::SlashingStore& store_;
};

class StoreTraces final : public seal::TraceKeeper {
 public:
  StoreTraces(guard::SlashingStore& slashing, keys::KeyStore& keys) : slashing_(slashing), keys_(keys) {}
  Result<seal::Traces> traces() override {
    CC_ASSIGN(const guard::StoreIdentity identity, slashing_.identity());
    CC_ASSIGN(const std::uint64_t count, keys_.count(std::nullopt));
    return seal::Traces{count > 0, identity.chamber, identity.highest_epoch, identity.core_digest};
  }
  Result<void> remember(const seal::ChamberId& chamber, std::uint64_t epoch,
                        const std::array<std::uint8_t, 32>& core_digest) override {
    return slashing_.name_chamber(chamber, epoch, core_digest);
  }

 private:
  guard::SlashingStore& slashing_;
  keys::KeyStore& keys_;
};

class Doorkeeper final : public seal::ChamberListener {
 public:
  Doorkeeper(keys::KeyService& keys, signing::Pipeline& pipeline) : keys_(keys), pipeline_(pipeline) {}
  Result<std::uint64_t> opened(const seal::ChamberId& chamber, const seal::MasterKeys& masters,
                               const StillWanted&) override {
    keys::MasterKeysView view;
    view.current = masters.current;
    for (const auto& [id, key] : masters.keys) {
      view.keys.push_back({id, &key});
    }
    CC_ASSIGN(const std::uint64_t loaded, keys_.load(chamber, view));
    pipeline_.open_gate();
    return loaded;
  }
  Result<seal::Resealed> reseal(const seal::ChamberId& chamber, const seal::MasterKeys& masters,
                                std::size_t most) override {
    keys::MasterKeysView view;
    view.current = masters.current;
    for (const auto& [id, key] : masters.keys) {
      view.keys.push_back({id, &key});
    }
    CC_ASSIGN(const auto moved, keys_.reseal(chamber, view, most));
    return seal::Resealed{moved.done, moved.left};
  }
  void closing() override {
    pipeline_.close_gate(Milliseconds(2000));
    keys_.close();
  }
  void record_exists(bool exists) override {
    if (!exists) {
      pipeline_.open_gate();
    } else if (!keys_.is_open()) {
      pipeline_.close_gate(Milliseconds(2000));
    }
  }

 private:
  keys::KeyService& keys_;
  signing::Pipeline& pipeline_;
};

inline access::PolicyConfig policy(std::string name, std::string_view token, std::vector<std::string> scopes) {
  access::PolicyConfig out;
  out.name = std::move(name);
  out.token = SecretBytes::copy_of(token);
  out.allowed_scopes = std::move(scopes);
  return out;
}

inline access::Policies policies(Random& random) {
  std::vector<access::PolicyConfig> all;
  all.push_back(policy("signing-client", kSigningToken, {"sign", "public_keys"}));
  all.push_back(policy("ops-team", kOpsToken, {"chamber_seal", "chamber_rotate", "chamber_status"}));
  all.push_back(policy("key-manager", kKeysToken,
                       {"chamber_keys_generate", "chamber_keys_write", "chamber_keys_list", "chamber_keys_delete"}));
  all.push_back(policy("validator-keys", "validator-keys-token1", {"list_keys", "import_keystores", "delete_keys"}));
  all.push_back(policy("lister", "list-only-token-00001", {"list_keys"}));
  all.push_back(policy("narrow", kNarrowToken, {"sign"}));
  all.back().allowed_keys = std::vector<std::string>{to_0x(ring_key(1)->public_key)};
  all.back().allowed_operations = std::vector<std::string>{"ATTESTATION"};
  return access::Policies::make(std::move(all), std::nullopt, random).value();
}

class TestSigner {
 public:
  explicit TestSigner(api::ApiOptions options = {}, signing::PipelineOptions pipeline_options = {})
      : pipeline(slashing, pipeline_options),
        context{*chamber_ready(),
                keys,
                ring,
                pipeline,
                policies_,
                network,
                metrics,
                ceremonies,
                key_work,
                sealing,
                [this] { return stores; },
                [this] { ++changes; },
                std::move(options)} {
    context.slashing = &slashing;
    context.clock = &clock;
    api::add_routes(*router, context);
    api::add_metrics_routes(*metrics_router, context);
  }

  // Sends a request as the server would: from this machine unless changed by `edit`.
  http::Response call(const std::string& method, const std::string& path, std::string body = {},
                      std::string_view token = {}, const std::function<void(http::Request&)>& edit = {}) {
    return call(*router, method, path, std::move(body), token, edit);
  }
  static http::Response call(const http::Router& on, const std::string& method, const std::string& target,
                             std::string body, std::string_view token,
                             const std::function<void(http::Request&)>& edit) {
    http::Request request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    for (std::size_t at = target.find('?'); at != std::string::npos;) {
      const std::size_t end = target.find('&', at + 1);
      const std::string pair = target.substr(at + 1, end == std::string::npos ? end : end - at - 1);
      request.query[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
      at = end;
    }
    request.body = std::move(body);
    request.peer = "127.0.0.1";
    request.loopback = true;
    if (!token.empty()) {
      request.headers["authorization"] = "Bearer " + std::string(token);
    }
    if (edit) {
      edit(request);
    }
    const http::Router::Match match = on.match(method, request.path);
    if (match.handler == nullptr) {
      http::Response none;
      none.status = match.path_known ? 405 : 404;
      return none;
    }
    request.captures = match.captures;
    auto promise = std::make_shared<std::promise<http::Response>>();
    auto future = promise->get_future();
    (*match.handler)(std::move(request),
                     [promise](http::Response response) { promise->set_value(std::move(response)); });
    if (future.wait_for(std::chrono::seconds(120)) != std::future_status::ready) {
      ADD_FAILURE() << method << " " << target << " was never answered";
      return {};
    }
    return future.get();
  }

  http::Response sign(const BlsPublicKey& key, std::string body, std::string_view token = kSigningToken,
                      std::string accept = "application/json") {
    return call("POST", "/api/v1/eth2/sign/" + to_0x(key), std::move(body), token,
                [&](http::Request& request) { request.headers["accept"] = accept; });
  }

  // The whole of first boot, both ways.
  http::Response init_kms_only() {
    return call("POST", "/api/v1/chamber/init", R"({"kms_key_arns":["local://one","local://two"],"kms_threshold":2})",
                setup_token());
  }
  boost::json::object init_operators(const std::string& names = R"("alice","bob","carol")", int threshold = 2) {
    const http::Response reply = call("POST", "/api/v1/chamber/init",
                                      R"({"kms_key_arns":["local://one"],"kms_threshold":1,"unseal_threshold":)" +
                                          std::to_string(threshold) + R"(,"operators":[)" + names + "]}",
                                      setup_token());
    EXPECT_EQ(reply.status, 200) << reply.body;
    return boost::json::parse(reply.body).as_object();
  }
  http::Response enrol(const std::string& name, const boost::json::object& init_reply) {
    const std::string token(init_reply.at("operator_tokens").as_object().at(name).as_string());
    return call(
        "POST", "/api/v1/chamber/register",
        R"({"operator":")" + name + R"(","credential_id":"password-1","passphrase":")" + passphrase(name) + "\"}",
        token);
  }
  http::Response unseal(const std::string& name, const std::string& secret = {}) {
    return call(
        "POST", "/api/v1/chamber/unseal",
        R"({"operator":")" + name + R"(","passphrase":")" + (secret.empty() ? passphrase(name) : secret) + "\"}");
  }
  static std::string passphrase(const std::string& name) { return name + " has a long passphrase"; }
  std::string setup_token() { return chamber->setup_token().value_or("cc-setup-none"); }
  BlsPublicKey import_key(std::uint32_t number) {
    const http::Response reply = call("POST", "/api/v1/chamber/keys",
                                      R"({"keys":[{"private_key":")" + to_0x(scalar(number)) + "\"}]}", kKeysToken);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return ring_key(number)->public_key;
  }

  TemporaryFolder folder;
  SystemClock clock;
  SystemRandom random;
  MemorySlashingStore slashing;
  std::unique_ptr<sqlite::SqliteStateStore> state = sqlite::SqliteStateStore::open(folder / "state.sqlite").value();
  std::unique_ptr<sqlite::SqliteKeyStore> key_store = sqlite::SqliteKeyStore::open(folder / "keys.sqlite").value();
  localkek::LocalKekService keks{folder / "kek", random};
  keys::KeyRing ring;
  StorePermits permits{slashing};
  StoreTraces traces{slashing, *key_store};
  keys::KeyService keys{*key_store, ring, permits, random, clock};
  signing::Pipeline pipeline;
  Doorkeeper doorkeeper{keys, pipeline};
  std::unique_ptr<seal::Chamber> chamber;
  access::Policies policies_ = policies(random);
  ethereum::Network network = ethereum::load_network("mainnet").value();
  metrics::Registry metrics{"test"};
  Result<void> stores;
  std::atomic<int> changes{0};
  api::CeremonyQueue ceremonies, key_work, sealing;
  api::Context context;
  std::shared_ptr<http::Router> router = std::make_shared<http::Router>();
  std::shared_ptr<http::Router> metrics_router = std::make_shared<http::Router>();

 private:
  seal::Chamber* chamber_ready() {
    seal::ChamberOptions options;
    options.argon2 = {8192, 1, 1};
    chamber =
        std::make_unique<seal::Chamber>(seal::Chamber::Ports{keks, *state, traces, doorkeeper, clock, random}, options);
    EXPECT_TRUE(chamber->boot().has_value());
    return chamber.get();
  }
};

inline boost::json::value parsed(const http::Response& response) {
  boost::json::error_code error;
  boost::json::value out = boost::json::parse(response.body, error);
  EXPECT_FALSE(error) << response.status << " " << response.body;
  return out;
}
inline std::string code_of(const http::Response& response) {
  const boost::json::value body = parsed(response);
  return body.is_object() && body.as_object().contains("code") ? std::string(body.as_object().at("code").as_string())
                                                               : "";
}

// Mainnet messages.
inline constexpr std::string_view kMainnetRoot = "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95";
inline std::string fork_info(std::string_view genesis_root = kMainnetRoot) {
  return R"("fork_info":{"fork":{"previous_version":"0x04000000","current_version":"0x05000000","epoch":"364032"},)"
         R"("genesis_validators_root":")" +
         std::string(genesis_root) + "\"}";
}
inline std::string attestation(std::uint64_t source, std::uint64_t target, std::uint64_t head = 1,
                               const std::string& extra = {}, std::string_view genesis_root = kMainnetRoot) {
  return R"({"type":"ATTESTATION",)" + fork_info(genesis_root) + R"(,"attestation":{"slot":")" +
         std::to_string(target * 32) + R"(","index":"0","beacon_block_root":")" + to_0x(root_of(head)) +
         R"(","source":{"epoch":")" + std::to_string(source) + R"(","root":")" + to_0x(root_of(2)) +
         R"("},"target":{"epoch":")" + std::to_string(target) + R"(","root":")" + to_0x(root_of(3)) + "\"}}" + extra +
         "}";
}
inline std::string randao(std::uint64_t epoch) {
  return R"({"type":"RANDAO_REVEAL",)" + fork_info() + R"(,"randao_reveal":{"epoch":")" + std::to_string(epoch) +
         "\"}}";
}

}  // namespace cc::test
