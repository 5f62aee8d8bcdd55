#include "adapters/sqlite/slashing_store.h"

#include <limits>

#include "adapters/sqlite/database_file.h"
#include "adapters/sqlite/slashing_schema.h"
#include "adapters/sqlite/slashing_transaction.h"

namespace cc::sqlite {
namespace {

// The row that says which store this is; drawn once, with the first opening of an empty file.
Result<void> ensure_identity(Database& database, Random& random) {
  return database.transact([&]() -> Result<void> {
    const auto id = random.array<16>();
    const Root no_digest{};
    CC_ASSIGN(Statement* const insert,
              database.statement("INSERT INTO identity (only_row, id, run, commits, highest_epoch, core_digest)"
                                 " VALUES (1, ?, 0, 0, 0, ?) ON CONFLICT (only_row) DO NOTHING"));
    insert->bind(ByteView(id)).bind(ByteView(no_digest));
    CC_TRY(database.run(*insert));
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<SqliteSlashingStore>> SqliteSlashingStore::open(const std::string& path, OpenMode mode,
                                                                       Random& random) {
  const std::string file = resolved(path);
  CC_TRY(make_private_file(file, mode));
  CC_ASSIGN(FileLock lock, FileLock::take(file + ".lock"));
  CC_ASSIGN(auto database, Database::open(file, kSlashingSchema, OpenMode::existing_only, Sharing::exclusive));
  CC_TRY(ensure_identity(*database, random));
  return std::unique_ptr<SqliteSlashingStore>(new SqliteSlashingStore(std::move(lock), std::move(database)));
}

// Every transaction that changes something counts as one commit.
Result<void> SqliteSlashingStore::durable(const std::function<Result<void>()>& work) {
  return database_->transact([&]() -> Result<void> {
    const std::int64_t before = database_->changes();
    CC_TRY(work());
    if (database_->changes() == before) {
      return {};
    }
    CC_ASSIGN(Statement* const count, database_->statement("UPDATE identity SET commits = commits + 1"));
    CC_TRY(database_->run(*count));
    return {};
  });
}

Result<void> SqliteSlashingStore::transact(const std::function<Result<void>(guard::SlashingTransaction&)>& work) {
  const std::lock_guard lock(mutex_);
  return durable([&] {
    SqliteSlashingTransaction transaction(*database_);
    return work(transaction);
  });
}

Result<guard::StoreIdentity> SqliteSlashingStore::select_identity() {
  CC_ASSIGN(Statement* const query,
            database_->statement("SELECT id, run, commits, chamber, highest_epoch, core_digest FROM identity"));
  CC_ASSIGN(const bool row, database_->step(*query));
  if (!row) {
    return fail(ErrorKind::store_unavailable, "the slashing store has lost its identity row: restore a backup");
  }
  guard::StoreIdentity identity;
  identity.id = to_array<16>(query->blob(0));
  identity.run = static_cast<std::uint64_t>(query->integer(1));
  identity.commits = static_cast<std::uint64_t>(query->integer(2));
  if (!query->is_null(3)) {
    identity.chamber = to_array<16>(query->blob(3));
  }
  identity.highest_epoch = static_cast<std::uint64_t>(query->integer(4));
  identity.core_digest = to_array<32>(query->blob(5));
  query->reset();
  return identity;
}

Result<guard::StoreIdentity> SqliteSlashingStore::identity() {
  const std::lock_guard lock(mutex_);
  return select_identity();
}

Result<guard::StoreIdentity> SqliteSlashingStore::begin_run() {
  const std::lock_guard lock(mutex_);
  CC_TRY(durable([&]() -> Result<void> {
    CC_ASSIGN(Statement* const start, database_->statement("UPDATE identity SET run = run + 1"));
    CC_TRY(database_->run(*start));
    return {};
  }));
  return select_identity();
}

Result<void> SqliteSlashingStore::name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                                               const Root& core_digest) {
  const std::lock_guard lock(mutex_);
  if (epoch > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fail(ErrorKind::record_malformed, "the epoch of the seal record is out of range");
  }
  return durable([&]() -> Result<void> {
    CC_ASSIGN(const guard::StoreIdentity now, select_identity());
    if (now.chamber == chamber && epoch < now.highest_epoch) {
      return fail(ErrorKind::record_older, "the slashing store has seen epoch " + std::to_string(now.highest_epoch) +
                                               " of this chamber, and the seal record is at epoch " +
                                               std::to_string(epoch) + ": restore the newer seal record");
    }
    if (now.chamber == chamber && epoch == now.highest_epoch && core_digest == now.core_digest) {
      return {};
    }
    CC_ASSIGN(Statement* const name,
              database_->statement("UPDATE identity SET chamber = ?, highest_epoch = ?, core_digest = ?"));
    name->bind(ByteView(chamber)).bind(static_cast<std::int64_t>(epoch)).bind(ByteView(core_digest));
    CC_TRY(database_->run(*name));
    return {};
  });
}

}  // namespace cc::sqlite
