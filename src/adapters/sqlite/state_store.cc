#include "adapters/sqlite/state_store.h"

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

}  // namespace

Result<std::unique_ptr<SqliteStateStore>> SqliteStateStore::open(const std::string& path, OpenMode mode) {
  CC_ASSIGN(auto database, Database::open(path, kSchema, mode, Sharing::shared));
  return std::unique_ptr<SqliteStateStore>(new SqliteStateStore(std::move(database)));
}

Result<std::optional<seal::Document>> SqliteStateStore::select(const std::string& name) {
  CC_ASSIGN(Statement* const query, database_->statement("SELECT revision, content FROM documents WHERE name = ?"));
  query->bind(std::string_view(name));
  CC_ASSIGN(const bool row, database_->step(*query));
  if (!row) {
    return std::nullopt;
  }
  const ByteView content = query->blob(1);
  seal::Document document{static_cast<std::uint64_t>(query->integer(0)), Bytes(content.begin(), content.end())};
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
