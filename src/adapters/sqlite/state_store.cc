#include "adapters/sqlite/state_store.h"

#include <sqlite3.h>

#include <filesystem>

namespace cc::sqlite {
namespace {

constexpr Schema kSchema{
    .application_id = 0x43435354,  // "CCST"
    .version = 1,
    .sql =
        "CREATE TABLE documents ("
        " name TEXT NOT NULL PRIMARY KEY,"
        " revision INTEGER NOT NULL CHECK (revision >= 1),"
        " content BLOB NOT NULL"
        ") STRICT;"
        "CREATE TRIGGER revisions_grow BEFORE UPDATE ON documents WHEN NEW.revision <> OLD.revision + 1"
        " BEGIN SELECT RAISE(ABORT, 'a revision grows by one'); END;"};
constexpr const char* kSelect = "SELECT revision, content FROM documents WHERE name = ?";
constexpr int kBusyMilliseconds = 5000;

seal::Document document_at(const Statement& row) {
  const ByteView content = row.blob(1);
  return {static_cast<std::uint64_t>(row.integer(0)), Bytes(content.begin(), content.end())};
}

// "file:///…" of an absolute path, with whatever is not plain behind a percent sign.
std::string address_of(const std::string& path, bool immutable) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
  std::string out = "file://";
  for (const char c : path) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += kPlain.find(c) != std::string_view::npos ? std::string(1, c) : "%" + to_hex(ByteView(&byte, 1));
  }
  return out + (immutable ? "?immutable=1" : "");
}

using Handle = std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)>;
// Read-only, and without the traces that even a reader leaves: where no log lies beside the file nobody has it open,
// and it is read without one; else the log stays as it is.
Result<Handle> open_to_look(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) {
    return fail(ErrorKind::not_found, path + " does not exist");
  }
  const std::string real = std::filesystem::canonical(path, error).string();
  if (error) {
    return fail(ErrorKind::store_unavailable, path + " cannot be read: " + error.message());
  }
  const bool has_log = std::filesystem::exists(real + "-wal", error) || error;
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(address_of(real, !has_log).c_str(), &raw,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle handle(raw, &sqlite3_close_v2);
  if (opened != SQLITE_OK) {
    return fail(ErrorKind::store_unavailable, path + " cannot be read: " + sqlite3_errstr(opened));
  }
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, static_cast<int*>(nullptr));
  return handle;
}

}  // namespace

Result<std::unique_ptr<SqliteStateStore>> SqliteStateStore::open(const std::string& path, OpenMode mode) {
  CC_ASSIGN(auto database, Database::open(path, kSchema, mode, Sharing::shared));
  return std::unique_ptr<SqliteStateStore>(new SqliteStateStore(std::move(database)));
}

Result<std::optional<seal::Document>> SqliteStateStore::look_up(const std::string& path, const std::string& name) {
  CC_ASSIGN(const auto handle, open_to_look(path));
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(handle.get(), kSelect, -1, &raw, nullptr) != SQLITE_OK) {
    return fail(ErrorKind::store_unavailable, path + " cannot be read: " + sqlite3_errmsg(handle.get()));
  }
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> held(raw, &sqlite3_finalize);
  Statement query(raw);
  query.bind(std::string_view(name));
  const int stepped = sqlite3_step(raw);
  if (stepped != SQLITE_ROW && stepped != SQLITE_DONE) {
    return fail(ErrorKind::store_unavailable, path + " cannot be read: " + sqlite3_errmsg(handle.get()));
  }
  return stepped == SQLITE_ROW ? std::optional(document_at(query)) : std::nullopt;
}

Result<std::optional<seal::Document>> SqliteStateStore::select(const std::string& name) {
  CC_ASSIGN(Statement* const query, database_->statement(kSelect));
  query->bind(std::string_view(name));
  CC_ASSIGN(const bool row, database_->step(*query));
  if (!row) {
    return std::nullopt;
  }
  seal::Document document = document_at(*query);
  query->reset();
  return document;
}

Result<std::optional<seal::Document>> SqliteStateStore::read(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return select(name);
}

Result<std::uint64_t> SqliteStateStore::write(const std::string& name, std::uint64_t expected, ByteView content) {
  const std::lock_guard lock(mutex_);
  CC_TRY(database_->transact([&]() -> Result<void> {
    CC_ASSIGN(const std::optional<seal::Document> stored, select(name));
    const std::uint64_t revision = stored ? stored->revision : 0;
    if (revision != expected) {
      return fail(ErrorKind::record_conflict, "the document " + name + " has revision " + std::to_string(revision) +
                                                  ", not " + std::to_string(expected) +
                                                  ": another process changed it first; read it again");
    }
    CC_ASSIGN(Statement* const upsert,
              database_->statement("INSERT INTO documents (name, revision, content) VALUES (?1, ?2, ?3)"
                                   " ON CONFLICT (name) DO UPDATE SET revision = ?2, content = ?3"));
    upsert->bind(std::string_view(name)).bind(static_cast<std::int64_t>(expected + 1)).bind(content);
    CC_TRY(database_->run(*upsert));
    return {};
  }));
  return expected + 1;
}

}  // namespace cc::sqlite
