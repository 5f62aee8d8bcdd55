// The real pieces of a signer for benchmarks: HTTP server, endpoints, policies, guard over SQLite, pipeline, keys in
// memory. No chamber record exists, so the keys sign as a keystore-only user's do: same path, same guard, same flush.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/localkek/local_kek.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/slashing_store.h"
#include "adapters/sqlite/state_store.h"
#include "api/routes.h"
#include "http/server.h"

namespace cc::bench {

inline constexpr std::string_view kToken = "benchmark-token-000001";

// Ports that a signer without a chamber never needs.
class NoPermits final : public keys::PermitPort {
 public:
  Result<void> permit(const std::vector<BlsPublicKey>&, bool) override { return {}; }
  Result<void> withdraw(const std::vector<BlsPublicKey>&) override { return {}; }
};
class NoTraces final : public seal::TraceKeeper {
 public:
  Result<seal::Traces> traces() override { return seal::Traces{}; }
  Result<void> remember(const seal::ChamberId&, std::uint64_t, const std::array<std::uint8_t, 32>&) override {
    return {};
  }
};
class NoChamber final : public seal::ChamberListener {
 public:
  Result<std::uint64_t> opened(const seal::ChamberId&, const seal::MasterKeys&) override {
    return fail(ErrorKind::wrong_state, "the benchmark has no chamber");
  }
  Result<seal::Resealed> reseal(const seal::ChamberId&, const seal::MasterKeys&, std::size_t) override {
    return fail(ErrorKind::wrong_state, "the benchmark has no chamber");
  }
  void closing() override {}
  void record_exists(bool) override {}
};

class BenchSigner {
 public:
  // `folder` must exist and be empty.
  BenchSigner(const std::filesystem::path& folder, std::size_t key_count, signing::PipelineOptions options = {})
      : folder_(folder), options_(options) {
    options_.metrics = &metrics_;
    for (std::size_t i = 0; i < key_count; ++i) {
      Secret<32> scalar;
      auto bytes = expose_secret_bytes(scalar);
      bytes[30] = static_cast<std::uint8_t>((i + 1) >> 8);
      bytes[31] = static_cast<std::uint8_t>(i + 1);
      random_.fill(bytes.subspan(1, 16));
      crypto::BlsSecretKey secret = crypto::BlsSecretKey::from_checked(std::move(scalar));
      const BlsPublicKey public_key = secret.public_key();
      public_keys.push_back(public_key);
      ring_.add(std::make_shared<const keys::RingKey>(public_key, keys::KeySource::memory, std::move(secret)));
    }
    api::add_routes(*router_, context_);
    pipeline.open_gate();
    server = http::Server::start({}, router_).value();
  }

  std::vector<BlsPublicKey> public_keys;
  const keys::KeyRing& ring() const { return ring_; }

 private:
  static access::Policies policies(Random& random) {
    std::vector<access::PolicyConfig> all(1);
    all[0].name = "benchmark";
    all[0].token = SecretBytes::copy_of(kToken);
    all[0].allowed_scopes = std::vector<std::string>{"sign"};
    return access::Policies::make(std::move(all), std::nullopt, random).value();
  }

  std::filesystem::path folder_;
  signing::PipelineOptions options_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<sqlite::SqliteSlashingStore> slashing_ =
      sqlite::SqliteSlashingStore::open(folder_ / "slashing.sqlite", sqlite::OpenMode::open_or_create, random_).value();
  std::unique_ptr<sqlite::SqliteStateStore> state_ = sqlite::SqliteStateStore::open(folder_ / "state.sqlite").value();
  std::unique_ptr<sqlite::SqliteKeyStore> key_store_ = sqlite::SqliteKeyStore::open(folder_ / "keys.sqlite").value();
  localkek::LocalKekService keks_{folder_ / "kek", random_};
  NoPermits permits_;
  NoTraces traces_;
  NoChamber listener_;
  keys::KeyRing ring_;
  keys::KeyService keys_{*key_store_, ring_, permits_, random_, clock_};
  metrics::Registry metrics_{"benchmark"};
  seal::Chamber chamber_{seal::Chamber::Ports{keks_, *state_, traces_, listener_, clock_, random_}, {}};
  access::Policies policies_ = policies(random_);
  ethereum::Network network_ = ethereum::load_network("mainnet").value();
  api::CeremonyQueue ceremonies_, key_work_, sealing_;

 public:
  signing::Pipeline pipeline{*slashing_, options_};

 private:
  api::Context context_{chamber_,    keys_,     ring_,    pipeline, policies_, network_, metrics_,
                        ceremonies_, key_work_, sealing_, {},       {},        {}};
  std::shared_ptr<http::Router> router_ = std::make_shared<http::Router>();

 public:
  std::unique_ptr<http::Server> server;
};

}  // namespace cc::bench
