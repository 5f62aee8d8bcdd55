// The signer one would write first, on the same HTTP server, parser, guard and store: each request alone, one durable
// transaction, then blst's full signature, then the reply. `threads` 0 does all of it on the I/O thread; otherwise that
// many threads share the work and take turns at the store. It checks no token, which is in its favour.
#pragma once

#include <memory>
#include <mutex>

#include "api/sign_input.h"
#include "base/bytes.h"
#include "ethereum/network.h"
#include "ethereum/sign_request.h"
#include "guard/rules.h"
#include "guard/slashing_store.h"
#include "http/server.h"
#include "keys/key_ring.h"
#include "signing/workers.h"

namespace cc::bench {

class NaiveSigner {
 public:
  NaiveSigner(std::unique_ptr<guard::SlashingStore> store, const keys::KeyRing& ring, std::size_t threads)
      : store_(std::move(store)), ring_(ring) {
    if (threads != 0) {
      workers_ = std::make_unique<signing::Workers>(threads);
    }
    auto router = std::make_shared<http::Router>();
    router->add("POST", "/api/v1/eth2/sign/{identifier}", [this](http::Request request, http::Responder respond) {
      if (!workers_) {
        respond(answer(request));
        return;
      }
      auto held = std::make_shared<http::Request>(std::move(request));
      auto reply = std::make_shared<http::Responder>(std::move(respond));
      workers_->post([this, held, reply] { (*reply)(answer(*held)); });
    });
    server = http::Server::start({}, router).value();
  }
  ~NaiveSigner() { server->stop(Milliseconds(0)); }

 private:
  http::Response answer(http::Request& request) {
    http::Response out;
    out.content_type = "application/json";
    const Result<BlsSignature> signature = sign(request);
    out.status = signature ? 200 : facts(signature.error().kind).http_status;
    out.body = signature ? R"({"signature":")" + to_0x(*signature) + "\"}" : signature.error().message;
    return out;
  }

  Result<BlsSignature> sign(http::Request& request) {
    CC_ASSIGN(const BlsPublicKey identifier, api::public_key_of(request.captures["identifier"]));
    CC_ASSIGN(const ethereum::SignRequest parsed, ethereum::parse_sign_request(request.body, network_));
    const auto key = ring_.find(identifier);
    if (!key) {
      return fail(ErrorKind::unknown_key, "no such key");
    }
    guard::Check check;
    check.key = identifier;
    check.signing_root = parsed.signing_root;
    check.genesis_validators_root = parsed.genesis_validators_root;
    if (const auto* vote = std::get_if<ethereum::AttestationDuty>(&parsed.duty)) {
      check.duty = guard::AttestationCheck{vote->source, vote->target};
    }
    guard::Verdict verdict;
    {
      const std::lock_guard lock(mutex_);
      CC_TRY(store_->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
        CC_ASSIGN(verdict, guard::check_and_record(tx, {}, check));
        return {};
      }));
    }
    if (verdict) {
      return fail(*verdict);
    }
    return key->secret.sign(parsed.signing_root);
  }

  std::unique_ptr<guard::SlashingStore> store_;
  const keys::KeyRing& ring_;
  ethereum::Network network_ = ethereum::load_network("mainnet").value();
  std::mutex mutex_;
  std::unique_ptr<signing::Workers> workers_;

 public:
  std::unique_ptr<http::Server> server;
};

}  // namespace cc::bench
