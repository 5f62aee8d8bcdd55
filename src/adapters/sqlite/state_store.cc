#include "adapters/sqlite/state_store.h"

namespace cc::sqlite {
namespace {

constexpr Schema kSchema{0x43435354 /* "CCST" */, 1,
                         "CREATE TABLE documents("
                         " name TEXT PRIMARY KEY, revision INTEGER NOT NULL CHECK(revision > 0), content BLOB NOT NULL"
                         ") STRICT, WITHOUT ROWID;"};

}  // namespace

Result<std::unique_ptr<SqliteStateStore>> SqliteStateStore::open(const std::string& path) {
  CC_ASSIGN(auto database, Database::open(path, kSchema, OpenMode::open_or_create));
  return std::unique_ptr<SqliteStateStore>(new SqliteStateStore(std::move(database)));
}

Result<std::optional<seal::Document>> SqliteStateStore::read(const std::string& name) {
  const std::lock_guard lock(mutex_);
  CC_ASSIGN(Statement* const query, database_->statement("SELECT revision, content FROM documents WHERE name = ?"));
  query->bind(std::string_view(name));
  CC_ASSIGN(const bool found, database_->step(*query));
  std::optional<seal::Document> out;
  if (found) {
    const ByteView content = query->blob(1);
    out = seal::Document{static_cast<std::uint64_t>(query->integer(0)), Bytes(content.begin(), content.end())};
  }
  query->reset();
  return out;
}

Result<std::uint64_t> SqliteStateStore::write(const std::string& name, std::uint64_t expected, ByteView content) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t next = expected + 1;
  CC_TRY(database_->transact([&]() -> Result<void> {
    CC_ASSIGN(
        Statement* const change,
        database_->statement(
            expected == 0 ? "INSERT INTO documents(revision, content, name) VALUES(?, ?, ?) ON CONFLICT DO NOTHING"
                          : "UPDATE documents SET revision = ?, content = ? WHERE name = ? AND revision = ?"));
    change->bind(static_cast<std::int64_t>(next)).bind(content).bind(std::string_view(name));
    if (expected != 0) {
      change->bind(static_cast<std::int64_t>(expected));
    }
    CC_ASSIGN(const std::int64_t changed, database_->run(*change));
    if (changed != 1) {
      return fail(ErrorKind::record_conflict,
                  "the document " + name + " was changed by another process: read it again");
    }
    return {};
  }));
  return next;
}

}  // namespace cc::sqlite
