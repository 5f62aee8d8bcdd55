// A chamber on memory ports, and the steps that most tests start with.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "seal/chamber.h"
#include "seal/record.h"
#include "support/memory_ports.h"

namespace cc::seal {

inline const char* kGoodPassphrase = "correct horse battery staple ";  // plus the operator's name

inline SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(text); }
inline CredentialSecret passphrase(std::string_view text) { return {"passphrase", secret(text)}; }
inline CredentialSecret passphrase_of(const std::string& operator_name) {
  return passphrase(kGoodPassphrase + operator_name);
}

// The outside world: it outlives chambers, which are dropped and booted like processes.
struct World {
  explicit World(const std::string& seed = "world") : random(seed) {}
  test::StepCounter steps;
  test::MemoryStateStore store{steps};
  test::FakeKekService keks{steps};
  test::MemoryTraces traces{steps};
  test::RecordingListener listener{&steps};
  test::FakeClock clock;
  test::SeededRandom random;
  std::map<std::string, std::string> tokens;  // registration tokens by operator
  RotationApproval approval = RotationApproval::token;

  // The same stored world once more, for another run from there.
  void copy_stored(const World& other) {
    store.documents = other.store.documents;
    store.earlier = other.store.earlier;
    keks.known = other.keks.known;
    traces.kept = other.traces.kept;
    tokens = other.tokens;
    approval = other.approval;
  }

  ChamberOptions options() const {
    ChamberOptions out;
    out.rotation_approval = approval;
    out.argon2 = {8 * 1024, 1, 1};
    out.unseal_timeout = Milliseconds(30 * 60 * 1000);
    return out;
  }
  std::unique_ptr<Chamber> start() {
    auto chamber = std::make_unique<Chamber>(Chamber::Ports{keks, store, traces, listener, clock, random}, options());
    (void)chamber->boot();
    return chamber;
  }
  // Also runs the KMS step, as the composition root does in the background.
  std::unique_ptr<Chamber> start_and_step() {
    auto chamber = start();
    (void)chamber->run_kms_step();
    return chamber;
  }
  SealRecord record() { return std::get<SealRecord>(decode(store.record().content).value()); }
};

inline InitRequest kms_only(unsigned m = 2, unsigned n = 3) {
  InitRequest request;
  for (unsigned i = 1; i <= n; ++i) {
    request.keks.push_back("local://kek-" + std::to_string(i));
  }
  request.kms_threshold = m;
  return request;
}
inline InitRequest with_operators(unsigned m = 2, std::vector<std::string> names = {"alice", "bob", "carol"}) {
  InitRequest request = kms_only();
  request.unseal_threshold = m;
  request.operators = std::move(names);
  return request;
}

inline Result<InitReply> init(World& world, Chamber& chamber, const InitRequest& request) {
  auto reply = chamber.init(request, secret(chamber.setup_token().value_or("none")));
  if (reply) {
    world.tokens.clear();
    for (const auto& [name, token] : reply->operator_tokens) {
      const auto text = expose_secret_bytes(token);
      world.tokens[name] = std::string(text.begin(), text.end());
    }
  }
  return reply;
}
inline Result<RegisterReply> enroll(World& world, Chamber& chamber, const std::string& name,
                                    const std::string& credential_id = "default") {
  return chamber.register_operator(name, secret(world.tokens[name]), credential_id, passphrase_of(name));
}
// init with operators, all registered, KMS lock open: kms_unsealed.
inline std::unique_ptr<Chamber> ready_to_unseal(World& world, const InitRequest& request = with_operators()) {
  auto chamber = world.start();
  EXPECT_TRUE(init(world, *chamber, request).has_value());
  for (const std::string& name : request.operators) {
    const auto reply = enroll(world, *chamber, name);
    EXPECT_TRUE(reply.has_value()) << (reply ? "" : reply.error().message);
  }
  EXPECT_TRUE(chamber->run_kms_step().has_value());
  return chamber;
}

template <class T>
std::string code(const Result<T>& result) {
  return result ? "ok" : std::string(facts(result.error().kind).code);
}

}  // namespace cc::seal
