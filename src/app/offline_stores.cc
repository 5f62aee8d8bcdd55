#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "app/command_slashing.h"
#include "app/dynamodb_tables.h"
#include "guard/rules.h"
#include "seal/record.h"
#include "seal/record_keys.h"

namespace cc::app {
namespace {

namespace fs = std::filesystem;

// The chamber the store must serve from now on; nothing while there is none.
Result<std::optional<seal::SealRecord>> seal_record_of(seal::StateStore& state) {
  CC_ASSIGN(const auto document, state.read(seal::kSealRecordDocument));
  if (!document) {
    return std::nullopt;
  }
  CC_ASSIGN(seal::StoredRecord stored, seal::decode(document->content));
  auto* record = std::get_if<seal::SealRecord>(&stored);
  return record == nullptr ? std::nullopt : std::optional<seal::SealRecord>(std::move(*record));
}

tl::unexpected<Error> no_history_in(const std::string& place) {
  return fail(ErrorKind::not_found,
              "there is no slashing history in " + place + " yet; is --config or --data-dir the signer's own?");
}

// Looked at before the first file of a signer is made. What lies outside of this machine is asked later.
Result<void> need_files_of_a_signer(const Config& config) {
  const bool own_history = config.anti_slashing.backend == "sqlite";
  std::vector<std::string> files{config.signer_state.path, config.sealed_keys_path};
  if (own_history) {
    files.push_back(config.anti_slashing.path);
  }
  std::error_code ignored;
  const bool found = config.signer_state.backend == "dynamodb" ||
                     std::ranges::any_of(files, [&](const auto& file) { return fs::exists(file, ignored); });
  return found ? Result<void>() : no_history_in(own_history ? config.anti_slashing.path : config.data_dir);
}

// The state of a signer whose state file is gone, for looking only.
class NoState final : public seal::StateStore {
 public:
  Result<std::optional<seal::Document>> read(const std::string& /*name*/) override { return std::nullopt; }
  Result<std::uint64_t> write(const std::string& name, std::uint64_t /*expected*/, ByteView /*content*/) override {
    return fail(ErrorKind::internal, name + " was to be written by a command that only looks");
  }
};

// For looking: what is missing stays missing. There may be no key store then.
Result<StateAndKeys> open_what_is_there(const Config& config) {
  if (config.signer_state.backend == "dynamodb") {
    return open_state_and_keys(config);
  }
  StateAndKeys out{std::make_unique<NoState>(), nullptr};
  std::error_code ignored;
  if (fs::exists(config.signer_state.path, ignored)) {
    CC_ASSIGN(out.state, sqlite::SqliteStateStore::open(config.signer_state.path, sqlite::OpenMode::existing_only));
  }
  if (fs::exists(config.sealed_keys_path, ignored)) {
    CC_ASSIGN(out.keys, sqlite::SqliteKeyStore::open(config.sealed_keys_path, sqlite::OpenMode::existing_only));
  }
  return out;
}

}  // namespace

Result<OfflineStores> OfflineStores::open(const StoreOptions& options, std::optional<audit::Event> change,
                                          Stores stores) {
  CC_ASSIGN(Config config, load_store_config(options));
  std::error_code ignored;
  if (stores == Stores::must_exist && fs::is_directory(config.data_dir, ignored)) {
    CC_TRY(need_files_of_a_signer(config));
  }
  CC_TRY(resolve_database_secrets(config, process_environment()));
  CC_ASSIGN(DataDir lock, DataDir::lock_existing(config.data_dir));
  OfflineStores out{std::move(config), std::move(lock), std::make_unique<SystemRandom>(), nullptr, nullptr, {}, {}};
  CC_ASSIGN(StateAndKeys opened, change ? open_state_and_keys(out.config) : open_what_is_there(out.config));
  out.state = std::move(opened.state);
  out.keys = std::move(opened.keys);
  if (change) {
    CC_ASSIGN(out.audit, AuditTrail::open_offline(out.config, *out.state, *out.clock, *out.random));
    out.told.event = *change;
    out.told.outcome = audit::Outcome::asked;
    out.told.by = audit::Author::local(::getuid());
    CC_TRY(out.audit->journal().ask(out.told, true));
    out.told.outcome = audit::Outcome::done;
  }
  CC_ASSIGN(const auto record, out.state->read(seal::kSealRecordDocument));
  std::uint64_t sealed = 0;
  if (out.keys) {
    CC_ASSIGN(sealed, out.keys->count(std::nullopt));
  }
  CC_ASSIGN(out.backend, make_slashing_backend(out.config, *out.state, *out.random));
  CC_ASSIGN(out.slashing, find_slashing_store(*out.state, out.backend, record.has_value() || sealed > 0));
  return out;
}

Result<void> OfflineStores::need_own_store() const {
  if (guard::may_sign(slashing.pairing)) {
    return {};
  }
  if (slashing.pairing == guard::Pairing::create || slashing.pairing == guard::Pairing::name ||
      slashing.pairing == guard::Pairing::join) {
    return no_history_in(backend.place);
  }
  return fail(guard::explain(slashing.pairing, backend.place));
}

Result<void> OfflineStores::settle_first_use() {
  if (slashing.pairing == guard::Pairing::create) {
    CC_ASSIGN(slashing.store, backend.open(true));
    slashing.pairing = guard::Pairing::name;
  }
  if (slashing.pairing == guard::Pairing::name || slashing.pairing == guard::Pairing::join) {
    CC_TRY(CheckpointWriter(*state, *slashing.store).write());
    slashing.pairing = guard::Pairing::proceed;
  }
  return need_own_store();
}

Result<std::size_t> OfflineStores::adopt(const guard::Watermarks& floor) {
  if (guard::may_sign(slashing.pairing) || slashing.pairing == guard::Pairing::create ||
      slashing.pairing == guard::Pairing::join) {
    return fail(ErrorKind::wrong_state, "there is nothing to adopt: the slashing store is this signer's own");
  }
  CC_ASSIGN(const auto record, seal_record_of(*state));
  if (!record && slashing.identity && slashing.identity->chamber) {
    return fail(ErrorKind::record_missing,
                "the store serves a chamber, but there is no seal record here; restore the seal record first");
  }
  if (!slashing.store) {
    CC_ASSIGN(slashing.store, backend.open(true));
  }
  std::vector<std::pair<BlsPublicKey, keys::KeyStatus>> sealed;
  CC_TRY(keys->for_each(std::nullopt, [&](const keys::StoredKey& key) -> Result<void> {
    sealed.emplace_back(key.public_key, key.status);
    return {};
  }));
  std::size_t validators = 0;
  CC_TRY(slashing.store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (const auto& [key, status] : sealed) {
      CC_TRY(guard::raise_watermarks(tx, key, floor));
      // A new store knows no withdrawn permit; a deactivated key must not get one back by that.
      if (status == keys::KeyStatus::inactive) {
        CC_TRY(guard::withdraw(tx, key));
      }
    }
    CC_TRY(guard::adopt(tx, floor));
    CC_ASSIGN(const auto all, tx.validators());
    validators = all.size();
    return {};
  }));
  if (record) {
    CC_TRY(slashing.store->name_chamber(record->core.chamber, record->core.epoch, seal::epoch_digest(record->core)));
  }
  told.count = validators;
  CC_TRY(remember());
  return validators;
}

Result<void> OfflineStores::look(const std::function<Result<void>(guard::SlashingTransaction&)>& work) {
  return slashing.store->look(work);
}

Result<void> OfflineStores::remember() {
  CC_TRY(CheckpointWriter(*state, *slashing.store).write(true));
  if (!audit) {
    return {};
  }
  CC_TRY(audit->journal().tell(told));
  return audit->remember();
}

void OfflineStores::tell_failure(const Error& error) {
  told.outcome = audit::Outcome::refused;
  told.code = error.kind;
}

}  // namespace cc::app
