#include "adapters/sqlite/key_store.h"

#include <limits>

namespace cc::sqlite {
namespace {

constexpr Schema kSchema{.application_id = 0x43434b59,  // "CCKY"
                         .version = 1,
                         .sql =
                             "CREATE TABLE keys ("
                             " public_key BLOB NOT NULL PRIMARY KEY CHECK (length(public_key) = 48),"
                             " status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),"
                             " record BLOB NOT NULL"
                             ") STRICT, WITHOUT ROWID;"
                             "CREATE TABLE sentinel ("
                             " only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),"
                             " content BLOB NOT NULL"
                             ") STRICT;"};

constexpr std::size_t kPageSize = 1024;

std::string_view word(keys::KeyStatus status) { return status == keys::KeyStatus::active ? "active" : "inactive"; }

keys::StoredKey stored_key(const Statement& row) {
  const ByteView record = row.blob(2);
  return {to_array<48>(row.blob(0)),
          row.text(1) == word(keys::KeyStatus::active) ? keys::KeyStatus::active : keys::KeyStatus::inactive,
          Bytes(record.begin(), record.end())};
}

tl::unexpected<Error> unknown(const BlsPublicKey& key) {
  return fail(ErrorKind::unknown_key, "the key store has no key " + to_0x(key));
}

}  // namespace

Result<std::unique_ptr<SqliteKeyStore>> SqliteKeyStore::open(const std::string& path, OpenMode mode) {
  CC_ASSIGN(auto database, Database::open(path, kSchema, mode, Sharing::shared));
  return std::unique_ptr<SqliteKeyStore>(new SqliteKeyStore(std::move(database)));
}

Result<std::vector<keys::StoredKey>> SqliteKeyStore::select_page(std::optional<keys::KeyStatus> only,
                                                                 const std::optional<BlsPublicKey>& after,
                                                                 std::size_t limit) {
  CC_ASSIGN(
      Statement* const query,
      database_->statement("SELECT public_key, status, record FROM keys"
                           " WHERE public_key > ?1 AND (?2 IS NULL OR status = ?2) ORDER BY public_key LIMIT ?3"));
  const ByteView start = after ? ByteView(*after) : ByteView();
  const auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  query->bind(start);
  query->bind(only ? std::optional<std::string_view>(word(*only)) : std::nullopt);
  query->bind(static_cast<std::int64_t>(std::min(limit, most)));
  std::vector<keys::StoredKey> page;
  while (true) {
    CC_ASSIGN(const bool row, database_->step(*query));
    if (!row) {
      break;
    }
    page.push_back(stored_key(*query));
  }
  query->reset();
  return page;
}

Result<void> SqliteKeyStore::for_each(std::optional<keys::KeyStatus> only,
                                      const std::function<Result<void>(const keys::StoredKey&)>& visit) {
  std::optional<BlsPublicKey> after;
  while (true) {
    std::vector<keys::StoredKey> rows;
    {
      const std::lock_guard lock(mutex_);
      CC_ASSIGN(rows, select_page(only, after, kPageSize));
    }
    for (const keys::StoredKey& key : rows) {
      CC_TRY(visit(key));
    }
    if (rows.size() < kPageSize) {
      return {};
    }
    after = rows.back().public_key;
  }
}

Result<std::uint64_t> SqliteKeyStore::count(std::optional<keys::KeyStatus> only) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query, database_->statement("SELECT count(*) FROM keys WHERE ?1 IS NULL OR status = ?1"));
  query->bind(only ? std::optional<std::string_view>(word(*only)) : std::nullopt);
  CC_ASSIGN(const bool row, database_->step(*query));
  const std::int64_t rows = row ? query->integer(0) : 0;
  query->reset();
  return static_cast<std::uint64_t>(rows);
}

Result<std::vector<keys::StoredKey>> SqliteKeyStore::page(const std::optional<BlsPublicKey>& after, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  return select_page(std::nullopt, after, limit);
}

Result<std::optional<keys::StoredKey>> SqliteKeyStore::find(const BlsPublicKey& key) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query,
            database_->statement("SELECT public_key, status, record FROM keys WHERE public_key = ?"));
  query->bind(ByteView(key));
  CC_ASSIGN(const bool row, database_->step(*query));
  if (!row) {
    return std::nullopt;
  }
  std::optional<keys::StoredKey> found = stored_key(*query);
  query->reset();
  return found;
}

Result<std::vector<bool>> SqliteKeyStore::add(const std::vector<keys::StoredKey>& records) {
  const std::lock_guard lock(mutex_);
  std::vector<bool> added;
  added.reserve(records.size());
  CC_TRY(database_->transact([&]() -> Result<void> {
    for (const keys::StoredKey& key : records) {
      CC_ASSIGN(Statement* const insert,
                database_->statement("INSERT INTO keys (public_key, status, record) VALUES (?, ?, ?)"
                                     " ON CONFLICT (public_key) DO NOTHING"));
      insert->bind(ByteView(key.public_key)).bind(word(key.status)).bind(ByteView(key.record));
      CC_ASSIGN(const std::int64_t rows, database_->run(*insert));
      added.push_back(rows == 1);
    }
    return {};
  }));
  return added;
}

Result<void> SqliteKeyStore::replace_all(const std::vector<keys::StoredKey>& records) {
  const std::lock_guard lock(mutex_);
  return database_->transact([&]() -> Result<void> {
    for (const keys::StoredKey& record : records) {
      CC_ASSIGN(Statement* const update,
                database_->statement("UPDATE keys SET status = ?2, record = ?3 WHERE public_key = ?1"));
      update->bind(ByteView(record.public_key)).bind(word(record.status)).bind(ByteView(record.record));
      CC_ASSIGN(const std::int64_t rows, database_->run(*update));
      if (rows != 1) {
        return unknown(record.public_key);
      }
    }
    return {};
  });
}

Result<bool> SqliteKeyStore::exchange(const keys::StoredKey& before, const keys::StoredKey& after) {
  const std::lock_guard lock(mutex_);
  bool exchanged = false;
  CC_TRY(database_->transact([&]() -> Result<void> {
    CC_ASSIGN(Statement* const update, database_->statement("UPDATE keys SET status = ?2, record = ?3"
                                                            " WHERE public_key = ?1 AND status = ?4 AND record = ?5"));
    update->bind(ByteView(before.public_key)).bind(word(after.status)).bind(ByteView(after.record));
    update->bind(word(before.status)).bind(ByteView(before.record));
    CC_ASSIGN(const std::int64_t rows, database_->run(*update));
    exchanged = rows == 1;
    return {};
  }));
  return exchanged;
}

Result<void> SqliteKeyStore::remove(const BlsPublicKey& key) {
  const std::lock_guard lock(mutex_);
  return database_->transact([&]() -> Result<void> {
    CC_ASSIGN(Statement* const remove, database_->statement("DELETE FROM keys WHERE public_key = ?"));
    remove->bind(ByteView(key));
    CC_ASSIGN(const std::int64_t rows, database_->run(*remove));
    return rows == 1 ? Result<void>() : unknown(key);
  });
}

Result<std::optional<Bytes>> SqliteKeyStore::sentinel() {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query, database_->statement("SELECT content FROM sentinel"));
  CC_ASSIGN(const bool row, database_->step(*query));
  if (!row) {
    return std::nullopt;
  }
  const ByteView content = query->blob(0);
  std::optional<Bytes> found(std::in_place, content.begin(), content.end());
  query->reset();
  return found;
}

Result<bool> SqliteKeyStore::exchange_sentinel(const std::optional<Bytes>& before, ByteView after) {
  const std::lock_guard lock(mutex_);
  bool exchanged = false;
  CC_TRY(database_->transact([&]() -> Result<void> {
    CC_ASSIGN(Statement* const write,
              database_->statement(before ? "UPDATE sentinel SET content = ?1 WHERE content = ?2"
                                          : "INSERT INTO sentinel (only_row, content) VALUES (1, ?1)"
                                            " ON CONFLICT (only_row) DO NOTHING"));
    write->bind(after);
    if (before) {
      write->bind(ByteView(*before));
    }
    CC_ASSIGN(const std::int64_t rows, database_->run(*write));
    exchanged = rows == 1;
    return {};
  }));
  return exchanged;
}

}  // namespace cc::sqlite
