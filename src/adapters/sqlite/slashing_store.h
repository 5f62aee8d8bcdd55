// Slashing protection in SQLite (tables in docs/spec/sqlite.md; rules in guard/rules.h).
//
// One process per store: a kernel lock on PATH.lock and SQLite's exclusive lock on the file itself, both of which die
// with the process. Transactions run one at a time; transact() returns after the flush. No secret passes. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/file_lock.h"
#include "base/random.h"
#include "guard/slashing_store.h"

namespace cc::sqlite {

class SqliteSlashingStore final : public guard::SlashingStore {
 public:
  // A new store draws its id from `random`. Opening changes no counter, so that the identity can be compared with the
  // remembered checkpoint first (guard/pairing.h); begin_run() then starts the run.
  // Errors: store_locked naming the holder; store_unavailable; not_found with OpenMode::existing_only and no file.
  static Result<std::unique_ptr<SqliteSlashingStore>> open(const std::string& path, OpenMode mode, Random& random);

  Result<void> transact(const std::function<Result<void>(guard::SlashingTransaction&)>& work) override;
  Result<guard::StoreIdentity> identity() override;
  Result<guard::StoreIdentity> begin_run() override;
  Result<void> name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                            const Root& core_digest) override;

 private:
  SqliteSlashingStore(FileLock lock, std::unique_ptr<Database> database)
      : lock_(std::move(lock)), database_(std::move(database)) {}
  Result<void> durable(const std::function<Result<void>()>& work);
  Result<guard::StoreIdentity> select_identity();

  std::mutex mutex_;
  FileLock lock_;  // outlives the connection
  std::unique_ptr<Database> database_;
};

}  // namespace cc::sqlite
