#include "app/server.h"

#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "adapters/localkek/local_kek.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/state_store.h"
#include "api/routes.h"
#include "app/allowed_keks.h"
#include "app/background.h"
#include "app/data_dir.h"
#include "app/kek_probe.h"
#include "app/listener.h"
#include "app/server_access.h"
#include "app/setup_token.h"
#include "app/slashing_pairing.h"
#include "app/store_ports.h"
#include "app/version.h"
#include "base/log.h"
#include "guard/rules.h"
#include "http/server.h"

namespace cc::app {
namespace {

// SIGTERM and its like, held back from every thread until somebody waits for them.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
      ::sigaddset(&set_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~StopSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  // Afterwards a second signal ends the process at once.
  void wait() {
    int number = 0;
    while (::sigwait(&set_, &number) != 0) {
    }
    log::info("stopping", {{"signal", static_cast<std::uint64_t>(number)}});
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

// The stores of a data directory, opened in the order of DESIGN section 4.
struct Stores {
  DataDir lock;
  std::unique_ptr<sqlite::SqliteStateStore> state;
  std::unique_ptr<sqlite::SqliteKeyStore> keys;
  SlashingOpening slashing;
  std::optional<Error> doubt;                      // slashing_store_mismatch
  std::unique_ptr<guard::SlashingStore> refusing;  // in place of a store in doubt

  guard::SlashingStore& guard_store() { return doubt ? *refusing : *slashing.store; }
};

Result<Stores> open_stores(const Config& config, Random& random) {
  CC_ASSIGN(DataDir lock, DataDir::lock(config.data_dir));
  Stores out{std::move(lock), nullptr, nullptr, {}, std::nullopt, nullptr};
  CC_ASSIGN(out.state, sqlite::SqliteStateStore::open(config.signer_state.path));
  CC_ASSIGN(out.keys, sqlite::SqliteKeyStore::open(config.sealed_keys_path));
  CC_ASSIGN(const auto record, out.state->read(seal::kSealRecordDocument));
  CC_ASSIGN(const std::uint64_t sealed, out.keys->count(std::nullopt));
  CC_ASSIGN(out.slashing,
            open_slashing_store(*out.state, config.anti_slashing.path, record.has_value() || sealed > 0, random));
  if (!guard::may_sign(out.slashing.pairing)) {
    out.doubt = guard::explain(out.slashing.pairing, config.anti_slashing.path);
    out.refusing = std::make_unique<RefusingSlashingStore>(*out.doubt);
    log::error("slashing_store_mismatch", {{"reason", out.doubt->message}});
  }
  return out;
}

Result<void> settle_chain(Stores& stores, const ethereum::Network& network) {
  if (!network.genesis_validators_root || stores.doubt) {
    return {};
  }
  return stores.guard_store().transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto known, tx.genesis_validators_root());
    return known == network.genesis_validators_root ? Result<void>()
                                                    : guard::set_network(tx, *network.genesis_validators_root);
  });
}

std::optional<StoreTraces::Doubt> doubt_of(const Stores& stores) {
  if (!stores.doubt) {
    return std::nullopt;
  }
  // A store that the state never named still tells that a chamber existed here.
  return StoreTraces::Doubt{*stores.doubt, stores.slashing.remembered ? std::nullopt : stores.slashing.identity};
}

signing::PipelineOptions pipeline_options(const Config& config) {
  signing::PipelineOptions out;
  out.workers = config.signing_workers;
  out.policy.strategy = strategy_of(config);
  out.policy.require_history = config.anti_slashing.require_history;
  return out;
}

seal::ChamberOptions chamber_options(const Config& config) {
  seal::ChamberOptions out;
  out.unseal_timeout = std::chrono::minutes(config.signer_state.unseal_timeout_minutes);
  out.rotation_approval =
      config.chamber.rotation_approval == "quorum" ? seal::RotationApproval::quorum : seal::RotationApproval::token;
  out.drill_valid_seconds = config.chamber.drill_valid_days * 24 * 60 * 60;
  return out;
}

// Whoever steals the disk that holds data and KEKs opens a kms_only chamber.
void warn_of_keks_beside_data(const Config& config) {
  struct stat keks{};
  struct stat data{};
  std::error_code error;
  if (::stat(config.kek_local_dir.c_str(), &keks) == 0 && ::stat(config.data_dir.c_str(), &data) == 0 &&
      keks.st_dev == data.st_dev && !std::filesystem::is_empty(config.kek_local_dir, error)) {
    log::warn("local KEKs lie on the same disk as the data: a thief of this disk opens a kms_only chamber",
              {{"kek.local_dir", config.kek_local_dir}});
  }
}

// Every room, in the order of building; they die in the reverse order.
class Signer {
 public:
  static Result<std::unique_ptr<Signer>> open(Config config, SystemClock& clock, Random& random) {
    CC_ASSIGN(Stores stores, open_stores(config, random));
    CC_ASSIGN(ethereum::Network network, make_network(config));
    CC_TRY(settle_chain(stores, network));
    CC_ASSIGN(access::Policies policies, make_policies(config, random));
    return std::unique_ptr<Signer>(
        new Signer(std::move(config), clock, random, std::move(stores), std::move(network), std::move(policies)));
  }

  Result<void> start() {
    warn_of_keks_beside_data(config_);
    if (const Result<void> booted = chamber_.boot(); !booted) {
      log::error("the chamber stays closed",
                 {{"code", facts(booted.error().kind).code}, {"reason", booted.error().message}});
    }
    CC_TRY(notice_.settle());
    auto api = std::make_shared<http::Router>();
    api::add_routes(*api, context_);
    CC_ASSIGN(api_, listen("api", config_.server.listen_address, config_.server.listen_port, api));
    if (config_.metrics.enabled) {
      auto metrics = std::make_shared<http::Router>();
      api::add_metrics_routes(*metrics, context_);
      CC_ASSIGN(metrics_server_,
                listen("metrics", config_.metrics.listen_address, config_.metrics.listen_port, metrics));
    }
    background_.start();
    kek_probe_.start();
    return {};
  }

  // Drain, seal in memory, checkpoint.
  Result<void> stop() {
    const Milliseconds patience = std::chrono::seconds(config_.server.drain_timeout_seconds);
    api_->stop(patience);
    if (metrics_server_) {
      metrics_server_->stop(Milliseconds(0));
    }
    background_.stop();
    kek_probe_.stop();
    listener_.closing();
    return stores_.doubt ? Result<void>() : checkpoint_.write();
  }

 private:
  Signer(Config config, SystemClock& clock, Random& random, Stores stores, ethereum::Network network,
         access::Policies policies)
      : config_(std::move(config)),
        clock_(clock),
        stores_(std::move(stores)),
        network_(std::move(network)),
        policies_(std::move(policies)),
        metrics_(kVersion),
        checkpoint_(*stores_.state, stores_.guard_store()),
        pipeline_(stores_.guard_store(), pipeline_options(config_)),
        permits_(stores_.guard_store()),
        keys_(*stores_.keys, ring_, permits_, random, clock_, key_options()),
        listener_(keys_, pipeline_),
        traces_(*stores_.keys, stores_.guard_store(), doubt_of(stores_)),
        local_keks_(config_.kek_local_dir, random),
        keks_(local_keks_, config_.chamber.allowed_keks),
        chamber_({keks_, *stores_.state, traces_, listener_, clock_, random}, chamber_options(config_)),
        notice_(chamber_, config_.setup_token_file),
        background_(chamber_, clock_, random, [this] { write_checkpoint(); }),
        context_(make_context()) {
    if (stores_.doubt) {
      pipeline_.refuse_with(stores_.doubt);
    }
  }

  keys::KeyServiceOptions key_options() {
    keys::KeyServiceOptions out;
    out.progress = [this](std::uint64_t done, std::uint64_t total) { metrics_.keys_loading(done, total); };
    return out;
  }

  api::Context make_context() {
    api::ApiOptions options;
    options.allow_plaintext_ceremonies = config_.server.allow_plaintext_ceremonies;
    options.generate_enabled = config_.chamber.generate;
    options.import_enabled = config_.chamber.import;
    options.lifecycle_enabled = config_.chamber.lifecycle;
    return {.chamber = chamber_,
            .keys = keys_,
            .ring = ring_,
            .pipeline = pipeline_,
            .policies = policies_,
            .network = network_,
            .metrics = metrics_,
            .ceremonies = ceremonies_,
            .key_work = key_work_,
            .sealing = sealing_,
            .stores_ready = [this] { return stores_.doubt ? Result<void>(fail(*stores_.doubt)) : Result<void>(); },
            .chamber_changed = [this] { chamber_changed(); },
            .options = options};
  }

  void chamber_changed() {
    if (const Result<void> given = notice_.settle(); !given) {
      log::error("the setup token cannot be handed over", {{"reason", given.error().message}});
    }
    background_.wake();
  }

  void write_checkpoint() {
    const Result<void> written = stores_.doubt ? Result<void>() : checkpoint_.write();
    if (!written) {
      log::error("the checkpoint of the slashing store cannot be kept",
                 {{"code", facts(written.error().kind).code}, {"reason", written.error().message}});
    }
  }

  Result<std::unique_ptr<http::Server>> listen(std::string_view name, const std::string& address, std::uint64_t port,
                                               std::shared_ptr<const http::Router> router) const {
    http::ServerOptions options;
    options.address = address;
    options.port = static_cast<std::uint16_t>(port);
    options.max_connections = config_.server.max_connections;
    options.max_in_flight = config_.server.max_in_flight;
    options.header_timeout = std::chrono::seconds(config_.server.header_timeout_seconds);
    options.body_timeout = std::chrono::seconds(config_.server.body_timeout_seconds);
    options.idle_timeout = std::chrono::seconds(config_.server.idle_timeout_seconds);
    options.reply_timeout = std::chrono::seconds(config_.server.reply_timeout_seconds);
    CC_ASSIGN(auto server, http::Server::start(std::move(options), std::move(router)));
    log::info("listening", {{"listener", name}, {"address", address}, {"port", std::uint64_t{server->port()}}});
    return server;
  }

  Config config_;
  SystemClock& clock_;
  Stores stores_;
  ethereum::Network network_;
  access::Policies policies_;
  metrics::Registry metrics_;
  CheckpointWriter checkpoint_;
  keys::KeyRing ring_;
  signing::Pipeline pipeline_;
  SlashingPermits permits_;
  keys::KeyService keys_;
  OpeningListener listener_;
  StoreTraces traces_;
  localkek::LocalKekService local_keks_;
  AllowedKeks keks_;
  seal::Chamber chamber_;
  SetupTokenNotice notice_;
  Background background_;
  KekProbe kek_probe_{chamber_};
  api::CeremonyQueue ceremonies_;
  api::CeremonyQueue key_work_;
  api::CeremonyQueue sealing_;
  api::Context context_;
  std::unique_ptr<http::Server> api_;
  std::unique_ptr<http::Server> metrics_server_;
};

Result<void> settle_memory(const Config& config) {
  const LockMode mode = config.memory_lock == "require" ? LockMode::require
                        : config.memory_lock == "off"   ? LockMode::off
                                                        : LockMode::prefer;
  CC_TRY(configure_locked_memory(mode));
  const LockedMemoryReport report = locked_memory_report();
  if (report.backing == LockBacking::unlocked && mode != LockMode::off) {
    log::warn("memory for secrets is not locked and may reach the swap: raise the limit on locked memory (ulimit -l)");
  }
  log::info("memory for secrets", {{"mode", name(report.mode)}, {"backing", name(report.backing)}});
  return {};
}

}  // namespace

Result<void> serve(Config config, const Environment& environment) {
  log::configure(log::parse_level(config.log_level),
                 config.log_format == "json" ? log::Format::json : log::Format::text);
  StopSignals signals;
  CC_TRY(settle_memory(config));
  CC_TRY(resolve_secrets(config, environment));
  log::info("containment-chamber starts",
            {{"version", kVersion}, {"data_dir", config.data_dir}, {"network", config.network}});
  SystemClock clock;
  SystemRandom random;
  CC_ASSIGN(const auto signer, Signer::open(std::move(config), clock, random));
  CC_TRY(signer->start());
  signals.wait();
  const Result<void> stopped = signer->stop();
  log::info("stopped");
  return stopped;
}

}  // namespace cc::app
