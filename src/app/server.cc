#include "app/server.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "api/routes.h"
#include "app/allowed_keks.h"
#include "app/audit_trail.h"
#include "app/background.h"
#include "app/cautions.h"
#include "app/data_dir.h"
#include "app/dynamodb_tables.h"
#include "app/kek_probe.h"
#include "app/kek_services.h"
#include "app/key_file_loader.h"
#include "app/key_work.h"
#include "app/listener.h"
#include "app/listeners.h"
#include "app/master_key_work.h"
#include "app/pruning.h"
#include "app/server_access.h"
#include "app/setup_token.h"
#include "app/slashing_pairing.h"
#include "app/stop_signals.h"
#include "app/store_ports.h"
#include "app/version.h"
#include "base/log.h"
#include "guard/rules.h"

namespace cc::app {
namespace {

// The stores of a data directory, opened in the order of DESIGN section 4.
struct Stores {
  DataDir lock;
  std::unique_ptr<seal::StateStore> state;
  std::unique_ptr<keys::KeyStore> keys;
  SlashingBackend backend;
  SlashingOpening slashing;
  std::optional<Error> doubt;                      // slashing_store_mismatch
  std::unique_ptr<guard::SlashingStore> refusing;  // in place of a store in doubt

  guard::SlashingStore& guard_store() { return doubt ? *refusing : *slashing.store; }
};

Result<Stores> open_stores(const Config& config, Random& random) {
  CC_ASSIGN(DataDir lock, DataDir::lock(config.data_dir));
  Stores out{std::move(lock), nullptr, nullptr, {}, {}, std::nullopt, nullptr};
  CC_ASSIGN(StateAndKeys opened, open_state_and_keys(config));
  out.state = std::move(opened.state);
  out.keys = std::move(opened.keys);
  CC_ASSIGN(const auto record, out.state->read(seal::kSealRecordDocument));
  CC_ASSIGN(const std::uint64_t sealed, out.keys->count(std::nullopt));
  CC_ASSIGN(out.backend, make_slashing_backend(config, *out.state, random));
  CC_ASSIGN(out.slashing, open_slashing_store(*out.state, out.backend, record.has_value() || sealed > 0));
  if (!guard::may_sign(out.slashing.pairing)) {
    out.doubt = guard::explain(out.slashing.pairing, out.backend.place);
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

signing::PipelineOptions pipeline_options(const Config& config, metrics::Registry& metrics) {
  signing::PipelineOptions out;
  out.metrics = &metrics;
  out.workers = config.signing_workers;
  out.queue_limit = config.signing_queue_limit;
  out.same_message = config.signing_same_message == "on";
  out.vector_kernel = config.signing_vector_kernel == "on";
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
  if (config.signer_state.backend != "sqlite") {
    // A few readings of the record by every replica, slow ones too.
    out.master_key_overlap = std::chrono::seconds(5 + 3 * config.signer_state.refresh_interval_seconds);
  }
  return out;
}

// Every room, in the order of building; they die in the reverse order.
class Signer {
 public:
  static Result<std::unique_ptr<Signer>> open(Config config, const Environment& environment, SystemClock& clock,
                                              Random& random) {
    CC_ASSIGN(auto kek_services, KekServices::make(config, environment, clock, random));
    CC_ASSIGN(Stores stores, open_stores(config, random));
    CC_ASSIGN(auto audit, AuditTrail::open(config, *stores.state, clock, random));
    CC_ASSIGN(ethereum::Network network, make_network(config));
    CC_TRY(settle_chain(stores, network));
    CC_ASSIGN(access::Policies policies, make_policies(config, random));
    return std::unique_ptr<Signer>(new Signer(std::move(config), clock, random, std::move(stores), std::move(audit),
                                              std::move(network), std::move(policies), std::move(kek_services)));
  }

  Result<void> start() {
    if (const Result<void> booted = chamber_.boot(); !booted) {
      log::error("the chamber stays closed",
                 {{"code", facts(booted.error().kind).code}, {"reason", booted.error().message}});
    }
    CC_TRY(notice_.settle());
    auto api = std::make_shared<http::Router>();
    api::add_routes(*api, context_);
    auto scrape = std::make_shared<http::Router>();
    api::add_metrics_routes(*scrape, context_);
    // Whoever needs no token may be a web page behind a rebound name.
    const bool tokenless = policies_.open() || config_.unauthenticated_policy.has_value();
    CC_TRY(listeners_.start(config_, tokenless, clock_, metrics_, api, scrape));
    background_.start();
    master_key_work_.start();
    key_files_.start();
    if (config_.anti_slashing.pruning && !stores_.doubt) {
      pruner_.start();
    }
    kek_probe_.start();
    return {};
  }

  // SIGHUP. False when there is nothing that could be read again.
  bool reload() {
    const bool certificates = listeners_.reload();
    return key_files_.reload() || certificates;
  }

  // Drain, seal in memory, checkpoint.
  Result<void> stop() {
    const Milliseconds patience = std::chrono::seconds(config_.server.drain_timeout_seconds);
    listeners_.stop(patience);
    pruner_.stop();
    kek_services_->stop();
    background_.stop();
    master_key_work_.stop();
    key_files_.stop();
    kek_probe_.stop();
    audited_.closing();
    audit_->stop();
    return stores_.doubt ? Result<void>() : checkpoint_.write();
  }

 private:
  Signer(Config config, SystemClock& clock, Random& random, Stores stores, std::unique_ptr<AuditTrail> audit,
         ethereum::Network network, access::Policies policies, std::unique_ptr<KekServices> kek_services)
      : config_(std::move(config)),
        clock_(clock),
        stores_(std::move(stores)),
        audit_(std::move(audit)),
        network_(std::move(network)),
        policies_(std::move(policies)),
        metrics_(kVersion),
        checkpoint_(*stores_.state, stores_.guard_store()),
        pipeline_(stores_.guard_store(), pipeline_options(config_, metrics_)),
        permits_(stores_.guard_store()),
        keys_(*stores_.keys, ring_, permits_, random, clock_, key_options()),
        key_files_(config_, ring_, metrics_, clock_, random),
        pair_check_(ring_, random),
        listener_(keys_, key_files_, pipeline_, pair_check_),
        traces_(*stores_.keys, stores_.guard_store(), doubt_of(stores_)),
        kek_services_(std::move(kek_services)),
        keks_(*kek_services_, config_.chamber.allowed_keks, config_.signer_state.backend == "sqlite"),
        chamber_({keks_, *stores_.state, traces_, audited_, clock_, random}, chamber_options(config_)),
        notice_(chamber_, config_.setup_token_file),
        background_(chamber_, clock_, random, background_work()),
        pruner_(stores_.guard_store(), keep_of(config_, network_), pruning_interval(config_)),
        context_(make_context()) {
    if (stores_.doubt) {
      pipeline_.refuse_with(stores_.doubt);
    }
  }

  keys::KeyServiceOptions key_options() {
    keys::KeyServiceOptions out;
    out.progress = [this](std::uint64_t done, std::uint64_t total) { metrics_.keys_loading(done, total); };
    out.load_inactive = std::ranges::count(config_.dynamodb.status_filter, "inactive") > 0;
    return out;
  }

  BackgroundWork background_work() {
    BackgroundWork out;
    out.checkpoint = [this] { write_checkpoint(); };
    out.follow_keys = [this] { return keys_.follow(); };
    out.stale = [this](const std::optional<Error>& why) {
      if (!stores_.doubt) {
        pipeline_.refuse_with(why);
      }
    };
    out.follow = std::chrono::seconds(config_.signer_state.refresh_interval_seconds);
    out.keys_interval = std::chrono::seconds(config_.dynamodb.keys_refresh_seconds);
    out.max_stale = std::chrono::seconds(config_.signer_state.max_stale_seconds);
    return out;
  }

  api::Context make_context() {
    api::ApiOptions options;
    options.allow_plaintext_ceremonies = config_.server.allow_plaintext_ceremonies;
    options.generate_enabled = config_.chamber.generate;
    options.import_enabled = config_.chamber.import;
    options.lifecycle_enabled = config_.chamber.lifecycle;
    set_key_work(options, config_);
    options.canary_keys = canary_keys(config_);
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
            .stores_ready = [this] { return stores_ready(); },
            .chamber_changed = [this] { chamber_changed(); },
            .options = options,
            .server_counters = [this] { return listeners_.counters(); },
            .key_files = &key_files_,
            .slashing = &stores_.guard_store(),
            .strategy = strategy_of(config_),
            .clock = &clock_,
            .many_keys = &many_keys_,
            .journal = &audit_->journal(),
            .describe = [this](audit::Draft& what) { audit_->describe(chamber_, what); }};
  }

  void chamber_changed() {
    if (const Result<void> given = notice_.settle(); !given) {
      log::error("the setup token cannot be handed over", {{"reason", given.error().message}});
    }
    background_.wake();
    master_key_work_.wake();
  }

  Result<void> stores_ready() const {
    if (stores_.doubt) {
      return fail(*stores_.doubt);
    }
    const std::scoped_lock lock(trouble_mutex_);
    return checkpoint_trouble_ ? Result<void>(fail(*checkpoint_trouble_)) : Result<void>();
  }

  void write_checkpoint() {
    audit_->observe(chamber_);
    if (const Result<void> kept = audit_->remember(); !kept) {
      log::warn("the head of the audit log cannot be remembered", {{"reason", kept.error().message}});
    }
    const Result<void> written = stores_.doubt ? Result<void>() : checkpoint_.write();
    {
      const std::scoped_lock lock(trouble_mutex_);
      checkpoint_trouble_ = written ? std::nullopt : std::optional(written.error());
    }
    if (!written) {
      log::error("the checkpoint of the slashing store cannot be kept",
                 {{"code", facts(written.error().kind).code}, {"reason", written.error().message}});
    }
  }

  Config config_;
  SystemClock& clock_;
  Stores stores_;
  std::unique_ptr<AuditTrail> audit_;
  ethereum::Network network_;
  access::Policies policies_;
  metrics::Registry metrics_;
  CheckpointWriter checkpoint_;
  keys::KeyRing ring_;
  signing::Pipeline pipeline_;
  mutable std::mutex trouble_mutex_;
  std::optional<Error> checkpoint_trouble_;  // the stores could not be written when last tried
  SlashingPermits permits_;
  keys::KeyService keys_;
  KeyFileLoader key_files_;
  KeyPairCheck pair_check_;
  OpeningListener listener_;
  AuditedListener audited_{listener_, audit_->journal()};
  StoreTraces traces_;
  std::unique_ptr<KekServices> kek_services_;
  AllowedKeks keks_;
  seal::Chamber chamber_;
  SetupTokenNotice notice_;
  Background background_;
  Pruner pruner_;
  KekProbe kek_probe_{chamber_};
  MasterKeyWork master_key_work_{chamber_};
  api::CeremonyQueue ceremonies_;
  api::CeremonyQueue key_work_;
  api::CeremonyQueue sealing_;
  api::CeremonyQueue many_keys_{{.per_source = 16, .total = 32}};
  api::Context context_;
  Listeners listeners_;
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
  for (const std::string& caution : cautions(config)) {
    log::warn(caution);
  }
  CC_TRY(resolve_secrets(config, environment));
  log::info("containment-chamber starts",
            {{"version", kVersion}, {"data_dir", config.data_dir}, {"network", config.network}});
  SystemClock clock;
  SystemRandom random;
  CC_ASSIGN(const auto signer, Signer::open(std::move(config), environment, clock, random));
  CC_TRY(signer->start());
  signals.wait([&signer] { return signer->reload(); });
  const Result<void> stopped = signer->stop();
  log::info("stopped");
  return stopped;
}

}  // namespace cc::app
