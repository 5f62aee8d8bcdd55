#include "adapters/sqlite/slashing_store.h"

#include "adapters/sqlite/slashing_transaction.h"

namespace cc::sqlite {
namespace {

constexpr Schema kSchema{
    0x4343534C /* "CCSL" */, 1,
    "CREATE TABLE identity("
    " one INTEGER PRIMARY KEY CHECK(one = 1), id BLOB NOT NULL CHECK(length(id) = 16), run INTEGER NOT NULL, commits "
    "INTEGER NOT NULL,"
    " chamber BLOB, highest_epoch INTEGER NOT NULL DEFAULT 0, core_digest BLOB, genesis_validators_root BLOB"
    ") STRICT;"
    "CREATE TABLE validators("
    " id INTEGER PRIMARY KEY, public_key BLOB NOT NULL UNIQUE CHECK(length(public_key) = 48),"
    " retired INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0, history_known INTEGER NOT NULL "
    "DEFAULT 0,"
    " low_block_slot INTEGER, low_source_epoch INTEGER, low_target_epoch INTEGER"
    ") STRICT;"
    "CREATE TABLE blocks(validator INTEGER NOT NULL REFERENCES validators(id), slot INTEGER NOT NULL, signing_root "
    "BLOB) STRICT;"
    "CREATE INDEX blocks_by_slot ON blocks(validator, slot);"
    "CREATE TABLE attestations(validator INTEGER NOT NULL REFERENCES validators(id), source INTEGER NOT NULL, target "
    "INTEGER NOT NULL,"
    " signing_root BLOB) STRICT;"
    "CREATE INDEX attestations_by_target ON attestations(validator, target, source);"};

}  // namespace

Result<std::unique_ptr<SqliteSlashingStore>> SqliteSlashingStore::create(const std::string& path, Random& random) {
  CC_ASSIGN(auto lock, ProcessLock::take(path));
  CC_ASSIGN(auto database, Database::open(path, kSchema, OpenMode::create_new));
  std::unique_ptr<SqliteSlashingStore> store(new SqliteSlashingStore(std::move(lock), std::move(database)));
  const auto id = random.array<16>();
  CC_TRY(store->database_->transact([&]() -> Result<void> {
    CC_ASSIGN(Statement* const insert,
              store->database_->statement("INSERT INTO identity(one, id, run, commits) VALUES(1, ?, 0, 0)"));
    insert->bind(ByteView(id));
    CC_TRY(store->database_->run(*insert));
    return {};
  }));
  CC_TRY(flush_folder_of(path));
  return store;
}

Result<std::unique_ptr<SqliteSlashingStore>> SqliteSlashingStore::open(const std::string& path) {
  CC_ASSIGN(auto lock, ProcessLock::take(path));
  CC_ASSIGN(auto database, Database::open(path, kSchema, OpenMode::existing_only));
  std::unique_ptr<SqliteSlashingStore> store(new SqliteSlashingStore(std::move(lock), std::move(database)));
  CC_TRY(store->identity());
  return store;
}

Result<guard::StoreIdentity> SqliteSlashingStore::identity() {
  const std::lock_guard lock(mutex_);
  return read_identity();
}

Result<guard::StoreIdentity> SqliteSlashingStore::read_identity() {
  CC_ASSIGN(
      Statement* const query,
      database_->statement("SELECT id, run, commits, chamber, highest_epoch, core_digest FROM identity WHERE one = 1"));
  CC_ASSIGN(const bool found, database_->step(*query));
  if (!found) {
    query->reset();
    return fail(ErrorKind::slashing_store_mismatch,
                database_->path() +
                    " is empty: it has no identity and no history. Restore it from a "
                    "backup, or run `slashing adopt` after raising the watermarks");
  }
  guard::StoreIdentity out;
  out.id = to_array<16>(query->blob(0));
  out.run = static_cast<std::uint64_t>(query->integer(1));
  out.commits = static_cast<std::uint64_t>(query->integer(2));
  if (!query->is_null(3)) {
    out.chamber = to_array<16>(query->blob(3));
  }
  out.highest_epoch = static_cast<std::uint64_t>(query->integer(4));
  out.core_digest = to_array<32>(query->blob(5));
  query->reset();
  return out;
}

// Every committed transaction counts itself, so that an older copy of the file shows.
Result<void> SqliteSlashingStore::commit(const std::function<Result<void>()>& work) {
  return database_->transact([&]() -> Result<void> {
    CC_TRY(work());
    CC_ASSIGN(Statement* const update, database_->statement("UPDATE identity SET commits = commits + 1 WHERE one = 1"));
    CC_ASSIGN(const std::int64_t changed, database_->run(*update));
    if (changed != 1) {
      return fail(ErrorKind::store_unavailable, database_->path() + " has no identity");
    }
    return {};
  });
}

Result<void> SqliteSlashingStore::transact(const std::function<Result<void>(guard::SlashingTransaction&)>& work) {
  const std::lock_guard lock(mutex_);
  return commit([&]() -> Result<void> {
    SqliteSlashingTransaction transaction(*database_);
    return work(transaction);
  });
}

Result<void> SqliteSlashingStore::name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                                               const Root& core_digest) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(const guard::StoreIdentity known, read_identity());
  if (known.chamber == chamber &&
      (known.highest_epoch > epoch || (known.highest_epoch == epoch && known.core_digest == core_digest))) {
    return {};
  }
  return commit([&]() -> Result<void> {
    CC_ASSIGN(
        Statement* const update,
        database_->statement("UPDATE identity SET chamber = ?, highest_epoch = ?, core_digest = ? WHERE one = 1"));
    update->bind(ByteView(chamber)).bind(static_cast<std::int64_t>(epoch)).bind(ByteView(core_digest));
    CC_TRY(database_->run(*update));
    return {};
  });
}

Result<void> SqliteSlashingStore::begin_run() {
  const std::lock_guard lock(mutex_);
  return commit([&]() -> Result<void> {
    CC_ASSIGN(Statement* const update, database_->statement("UPDATE identity SET run = run + 1 WHERE one = 1"));
    CC_TRY(database_->run(*update));
    return {};
  });
}

}  // namespace cc::sqlite
