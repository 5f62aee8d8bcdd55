// The real pieces of a signer for benchmarks: HTTP server, endpoints, policies, guard over SQLite, pipeline, keys in
// memory. No chamber record exists, so the keys sign as a keystore-only user's do: same path, same guard, same flush.
#pragma once

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/localkek/local_kek.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/slashing_store.h"
#include "adapters/sqlite/state_store.h"
#include "api/routes.h"
#include "bench/requests.h"
#include "http/server.h"

namespace cc::bench {

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
  Result<std::uint64_t> opened(const seal::ChamberId&, const seal::MasterKeys&, const StillWanted&) override {
    return fail(ErrorKind::wrong_state, "the benchmark has no chamber");
  }
  Result<seal::Resealed> reseal(const seal::ChamberId&, const seal::MasterKeys&, std::size_t) override {
    return fail(ErrorKind::wrong_state, "the benchmark has no chamber");
  }
  void closing() override {}
  void record_exists(bool) override {}
};

// A folder of its own under `base`, removed at the end.
class BenchFolder {
 public:
  explicit BenchFolder(const std::filesystem::path& base) {
    std::string pattern = (base / "cc-bench-XXXXXX").string();
    const char* made = ::mkdtemp(pattern.data());
    if (made == nullptr) {
      std::abort();
    }
    path_ = made;
  }
  ~BenchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<guard::SlashingStore> open_store(const std::filesystem::path& file) {
  SystemRandom random;
  return sqlite::SqliteSlashingStore::open(file, sqlite::OpenMode::open_or_create, random).value();
}

using RingKeys = std::vector<std::shared_ptr<const keys::RingKey>>;

// Fresh keys, made on all cores.
inline RingKeys make_ring_keys(std::size_t count) {
  RingKeys out(count);
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < std::max(1U, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      SystemRandom random;
      for (std::size_t i = next++; i < count; i = next++) {
        Secret<32> scalar = random.secret<32>();
        expose_secret_bytes(scalar)[0] &= 0x3F;
        crypto::BlsSecretKey secret = crypto::BlsSecretKey::from_checked(std::move(scalar));
        const BlsPublicKey key = secret.public_key();
        out[i] = std::make_shared<const keys::RingKey>(key, keys::KeySource::memory, std::move(secret));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return out;
}

class BenchSigner {
 public:
  // `folder` must exist and be empty.
  BenchSigner(const std::filesystem::path& folder, std::size_t key_count, signing::PipelineOptions options = {})
      : BenchSigner(folder, make_ring_keys(key_count), options) {}
  // `store` in place of SQLite when given.
  BenchSigner(const std::filesystem::path& folder, RingKeys keys, signing::PipelineOptions options = {},
              std::unique_ptr<guard::SlashingStore> store = nullptr)
      : ring_keys(std::move(keys)),
        folder_(folder),
        options_(options),
        slashing_(store ? std::move(store) : open_store(folder / "slashing.sqlite")) {
    for (const auto& key : ring_keys) {
      public_keys.push_back(key->public_key);
      ring_.add(key);
    }
    api::add_routes(*router_, context_);
    pipeline.open_gate();
    server = http::Server::start({}, router_).value();
  }

  const RingKeys ring_keys;
  std::vector<BlsPublicKey> public_keys;
  const keys::KeyRing& ring() const { return ring_; }
  std::shared_ptr<const http::Router> router() const { return router_; }
  double batch_size() const {
    const signing::PipelineCounters counters = pipeline.counters();
    return static_cast<double>(counters.signed_total) /
           static_cast<double>(std::max<std::uint64_t>(1, counters.batches_total));
  }

 private:
  signing::PipelineOptions with_metrics() {
    options_.metrics = &metrics_;
    return options_;
  }
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
  std::unique_ptr<guard::SlashingStore> slashing_;
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
  signing::Pipeline pipeline{*slashing_, with_metrics()};

 private:
  api::Context context_{chamber_,    keys_,     ring_,    pipeline, policies_, network_, metrics_,
                        ceremonies_, key_work_, sealing_, {},       {},        {}};
  std::shared_ptr<http::Router> router_ = std::make_shared<http::Router>();

 public:
  std::unique_ptr<http::Server> server;
};

}  // namespace cc::bench
