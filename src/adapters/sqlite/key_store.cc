#include "adapters/sqlite/key_store.h"

namespace cc::sqlite {
namespace {

constexpr Schema kSchema{
    0x43434B59 /* "CCKY" */, 1,
    "CREATE TABLE keys("
    " public_key BLOB PRIMARY KEY CHECK(length(public_key) = 48), active INTEGER NOT NULL CHECK(active IN (0, 1)), "
    "record BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE sentinel(one INTEGER PRIMARY KEY CHECK(one = 1), sentinel BLOB NOT NULL) STRICT;"};

constexpr std::size_t kPage = 2000;

// -1 stands for "any status" in the queries below.
std::int64_t code(std::optional<keys::KeyStatus> status) {
  return !status ? -1 : *status == keys::KeyStatus::active ? 1 : 0;
}

keys::StoredKey stored(const Statement& row) {
  const ByteView record = row.blob(2);
  return {to_array<48>(row.blob(0)), row.integer(1) == 1 ? keys::KeyStatus::active : keys::KeyStatus::inactive,
          Bytes(record.begin(), record.end())};
}

tl::unexpected<Error> unknown(const BlsPublicKey& key) {
  return fail(ErrorKind::unknown_key, "no sealed key " + to_0x(key) + " is stored here");
}

}  // namespace

Result<std::unique_ptr<SqliteKeyStore>> SqliteKeyStore::open(const std::string& path) {
  CC_ASSIGN(auto database, Database::open(path, kSchema, OpenMode::open_or_create));
  return std::unique_ptr<SqliteKeyStore>(new SqliteKeyStore(std::move(database)));
}

Result<std::vector<keys::StoredKey>> SqliteKeyStore::page_of(std::optional<keys::KeyStatus> only,
                                                             const std::optional<BlsPublicKey>& after,
                                                             std::size_t limit) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query,
            database_->statement(
                "SELECT public_key, active, record FROM keys WHERE public_key > ? AND (?2 < 0 OR active = ?2) "
                "ORDER BY public_key LIMIT ?3"));
  query->bind(after ? ByteView(*after) : ByteView()).bind(code(only)).bind(static_cast<std::int64_t>(limit));
  std::vector<keys::StoredKey> out;
  for (;;) {
    CC_ASSIGN(const bool row, database_->step(*query));
    if (!row) {
      break;
    }
    out.push_back(stored(*query));
  }
  query->reset();
  return out;
}

Result<void> SqliteKeyStore::for_each(std::optional<keys::KeyStatus> only,
                                      const std::function<Result<void>(const keys::StoredKey&)>& visit) {
  std::optional<BlsPublicKey> after;
  for (;;) {
    CC_ASSIGN(const auto page, page_of(only, after, kPage));
    for (const keys::StoredKey& key : page) {
      CC_TRY(visit(key));
    }
    if (page.size() < kPage) {
      return {};
    }
    after = page.back().public_key;
  }
}

Result<std::uint64_t> SqliteKeyStore::count(std::optional<keys::KeyStatus> only) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query, database_->statement("SELECT count(*) FROM keys WHERE ?1 < 0 OR active = ?1"));
  query->bind(code(only));
  CC_TRY(database_->step(*query));
  const auto out = static_cast<std::uint64_t>(query->integer(0));
  query->reset();
  return out;
}

Result<std::vector<keys::StoredKey>> SqliteKeyStore::page(const std::optional<BlsPublicKey>& after, std::size_t limit) {
  return page_of(std::nullopt, after, limit);
}

Result<std::optional<keys::StoredKey>> SqliteKeyStore::find(const BlsPublicKey& key) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query,
            database_->statement("SELECT public_key, active, record FROM keys WHERE public_key = ?"));
  query->bind(ByteView(key));
  CC_ASSIGN(const bool found, database_->step(*query));
  std::optional<keys::StoredKey> out;
  if (found) {
    out = stored(*query);
  }
  query->reset();
  return out;
}

Result<std::vector<bool>> SqliteKeyStore::add(const std::vector<keys::StoredKey>& records) {
  const std::lock_guard lock(mutex_);
  std::vector<bool> added;
  CC_TRY(database_->transact([&]() -> Result<void> {
    for (const keys::StoredKey& key : records) {
      CC_ASSIGN(
          Statement* const insert,
          database_->statement("INSERT INTO keys(public_key, active, record) VALUES(?, ?, ?) ON CONFLICT DO NOTHING"));
      insert->bind(ByteView(key.public_key)).bind(code(key.status)).bind(ByteView(key.record));
      CC_ASSIGN(const std::int64_t changed, database_->run(*insert));
      added.push_back(changed == 1);
    }
    return {};
  }));
  return added;
}

Result<void> SqliteKeyStore::replace(const keys::StoredKey& record) {
  const std::lock_guard lock(mutex_);
  return database_->transact([&]() -> Result<void> {
    CC_ASSIGN(Statement* const update,
              database_->statement("UPDATE keys SET active = ?, record = ? WHERE public_key = ?"));
    update->bind(code(record.status)).bind(ByteView(record.record)).bind(ByteView(record.public_key));
    CC_ASSIGN(const std::int64_t changed, database_->run(*update));
    return changed == 1 ? Result<void>() : unknown(record.public_key);
  });
}

Result<void> SqliteKeyStore::remove(const BlsPublicKey& key) {
  const std::lock_guard lock(mutex_);
  return database_->transact([&]() -> Result<void> {
    CC_ASSIGN(Statement* const remove, database_->statement("DELETE FROM keys WHERE public_key = ?"));
    remove->bind(ByteView(key));
    CC_ASSIGN(const std::int64_t changed, database_->run(*remove));
    return changed == 1 ? Result<void>() : unknown(key);
  });
}

Result<std::optional<Bytes>> SqliteKeyStore::sentinel() {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query, database_->statement("SELECT sentinel FROM sentinel"));
  CC_ASSIGN(const bool found, database_->step(*query));
  std::optional<Bytes> out;
  if (found) {
    const ByteView bytes = query->blob(0);
    out.emplace(bytes.begin(), bytes.end());
  }
  query->reset();
  return out;
}

Result<void> SqliteKeyStore::set_sentinel(ByteView sentinel) {
  const std::lock_guard lock(mutex_);
  return database_->transact([&]() -> Result<void> {
    CC_ASSIGN(
        Statement* const insert,
        database_->statement(
            "INSERT INTO sentinel(one, sentinel) VALUES(1, ?) ON CONFLICT DO UPDATE SET sentinel = excluded.sentinel"));
    insert->bind(sentinel);
    CC_TRY(database_->run(*insert));
    return {};
  });
}

}  // namespace cc::sqlite
