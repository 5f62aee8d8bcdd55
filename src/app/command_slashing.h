// The stores of a stopped signer, opened for a command.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/state_store.h"
#include "app/audit_trail.h"
#include "app/command.h"
#include "app/data_dir.h"
#include "app/slashing_pairing.h"
#include "base/random.h"

namespace cc::app {

// slashing prune | allow-empty-history.
void add_slashing_history_commands(CLI::App& group, Chosen& chosen);
void add_pubkey_option(CLI::App& command, std::vector<std::string>& public_keys, const std::string& help);

Result<std::vector<BlsPublicKey>> public_keys_of(const std::vector<std::string>& texts);

struct OfflineStores {
  Config config;
  DataDir lock;
  std::unique_ptr<SystemRandom> random;
  std::unique_ptr<seal::StateStore> state;
  std::unique_ptr<keys::KeyStore> keys;  // for looking there may be none
  SlashingBackend backend;
  SlashingOpening slashing;
  std::unique_ptr<SystemClock> clock = std::make_unique<SystemClock>();
  std::unique_ptr<AuditTrail> audit = nullptr;  // of a change
  audit::Draft told{};                          // what remember() will say of it

  enum class Stores { must_exist, may_be_new };
  // With a change: it stands in the audit log before this returns. Without one no store is made. The data folder has to
  // exist; where it holds no store of a signer, and one must exist, nothing is made. Errors: store_locked while a
  // server runs; store_unavailable; usage when the folder does not exist; not_found when there is no store.
  static Result<OfflineStores> open(const StoreOptions& options, std::optional<audit::Event> change = std::nullopt,
                                    Stores stores = Stores::must_exist);
  // Errors: slashing_store_mismatch, also when there is no store yet.
  Result<void> need_own_store() const;
  // The same, but a first set-up makes the store.
  Result<void> settle_first_use();
  // Whatever was found becomes this signer's store: every validator known to the store or to the key store gets the
  // floor, and the signer state remembers the store. Returns how many validators. Errors: usage when there is nothing
  // to adopt, record_missing.
  Result<std::size_t> adopt(const guard::Watermarks& floor);
  // Reads and rolls back: a committed look would count, and let an older store catch up with its checkpoint.
  Result<void> look(const std::function<Result<void>(guard::SlashingTransaction&)>& work);
  // Keeps the checkpoint in step with what was just committed, and tells the audit log that it was.
  Result<void> remember();
  // A change that ended with an error.
  void tell_failure(const Error& error);
};

}  // namespace cc::app
