#include "adapters/sqlite/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <exception>

#include "adapters/sqlite/database_file.h"
#include "base/log.h"

namespace cc::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;
// Larger files are not read whole at every start; damage is then found by the pages that are used.
constexpr std::int64_t kPagesReadAtStart = 65536;
constexpr int kLogChunk = 65536;

std::string_view advice(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "disk full: free some space on its volume";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "it cannot be written: check owner, mode (file 0600, folder 0700) and mount";
    case SQLITE_NOTADB:
      return "it is not a database: check the path or restore a backup, do not delete it";
    case SQLITE_CORRUPT:
      return "it is truncated or damaged: restore a backup, do not delete it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process uses it: close that process (a database shell?) and try again";
    case SQLITE_IOERR:
      return "the disk reports an error: check the volume and the kernel's log";
    default:
      return "this is a defect or a lack of memory: keep the file and the log";
  }
}

// Every byte again at its own place, then a flush.
int rewrite(sqlite3_file& file) {
  sqlite3_int64 size = 0;
  int code = file.pMethods->xFileSize(&file, &size);
  if (code != SQLITE_OK || size == 0) {
    return code;
  }
  Bytes chunk(kLogChunk);
  for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += kLogChunk) {
    const int part = static_cast<int>(std::min<sqlite3_int64>(kLogChunk, size - at));
    code = file.pMethods->xRead(&file, chunk.data(), part, at);
    if (code == SQLITE_OK) {
      code = file.pMethods->xWrite(&file, chunk.data(), part, at);
    }
  }
  return code == SQLITE_OK ? file.pMethods->xSync(&file, SQLITE_SYNC_NORMAL) : code;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const Schema& schema, OpenMode mode,
                                                 Sharing sharing) {
  CC_TRY(make_private_file(path, mode));
  std::unique_ptr<Database> database(new Database(path, schema, sharing));
  CC_TRY(database->connect());
  CC_TRY(database->flush_log());
  CC_TRY(database->prepare_file());
  return database;
}

Database::~Database() { disconnect(); }

void Database::disconnect() {
  for (auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement.raw());
  }
  statements_.clear();
  sqlite3_close(handle_);
  handle_ = nullptr;
}

tl::unexpected<Error> Database::error(std::string_view action) const {
  const int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_);
  const std::string said = handle_ == nullptr ? "no connection" : sqlite3_errmsg(handle_);
  const bool held = sharing_ == Sharing::exclusive && (code & 0xff) == SQLITE_BUSY;
  return fail(held ? ErrorKind::store_locked : ErrorKind::store_unavailable,
              path_ + ": " + std::string(action) + " failed (" + said + "); " + std::string(advice(code)));
}

Result<void> Database::connect() {
  if (sqlite3_open_v2(path_.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    auto failed = error("opening");
    disconnect();
    return failed;
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, sharing_ == Sharing::shared ? kBusyTimeoutMs : 0);
  if (sharing_ == Sharing::exclusive) {
    CC_TRY(execute("PRAGMA locking_mode=EXCLUSIVE"));
  }
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                             "PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON"}) {
    CC_TRY(execute(pragma));
  }
  // SQLite opens a file read-only when it may not write it, and says nothing.
  if (sqlite3_db_readonly(handle_, "main") != 0) {
    return fail(ErrorKind::store_unavailable, path_ + ": " + std::string(advice(SQLITE_READONLY)));
  }
  CC_ASSIGN(Statement* const mode, statement("PRAGMA journal_mode"));
  CC_ASSIGN(const bool row, step(*mode));
  const bool write_ahead = row && mode->text(0) == "wal";
  mode->reset();
  if (!write_ahead) {
    return fail(ErrorKind::store_unavailable,
                path_ + ": its volume does not allow a write-ahead log: put it on a local disk");
  }
  return {};
}

Result<void> Database::prepare_file() {
  CC_ASSIGN(Statement* const about,
            statement("SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "
                      "FROM pragma_application_id, pragma_user_version"));
  CC_ASSIGN(const bool row, step(*about));
  const std::int64_t application = row ? about->integer(0) : 0;
  const std::int64_t version = row ? about->integer(1) : 0;
  const bool empty = row && about->integer(2) == 0;
  about->reset();
  // Without tables: new, or a crash between making the file and filling it. Whether a file with content stood here
  // before is for the owner of the store to know (guard/pairing.h).
  if (empty && application == 0 && version == 0) {
    return create_tables();
  }
  if (application != schema_.application_id) {
    return fail(ErrorKind::store_unavailable,
                path_ + " belongs to another application, or is another store of this one: check the configured paths");
  }
  if (version < 1 || version > schema_.version) {
    return fail(ErrorKind::store_unavailable, path_ + " has schema version " + std::to_string(version) +
                                                  " and this program knows version " + std::to_string(schema_.version) +
                                                  ": run the program that wrote it, or upgrade");
  }
  CC_TRY(check_pages());
  return version < schema_.version ? upgrade_tables(version) : Result<void>();
}

// One transaction: an interrupted upgrade leaves the older version whole.
Result<void> Database::upgrade_tables(std::int64_t from) {
  const std::string mark = "PRAGMA user_version=" + std::to_string(schema_.version);
  CC_TRY(transact([&]() -> Result<void> {
    // Another process may have been first.
    CC_ASSIGN(Statement* const about, statement("SELECT user_version FROM pragma_user_version"));
    CC_ASSIGN(const bool row, step(*about));
    const std::int64_t now = row ? about->integer(0) : from;
    about->reset();
    for (auto version = static_cast<int>(now); version < schema_.version; ++version) {
      CC_TRY(execute(schema_.upgrades[version - 1]));
    }
    return execute(mark.c_str());
  }));
  log::info("store upgraded",
            {{"path", path_}, {"from", std::to_string(from)}, {"to", std::to_string(schema_.version)}});
  return {};
}

Result<void> Database::create_tables() {
  const std::string marks = "PRAGMA application_id=" + std::to_string(schema_.application_id) +
                            "; PRAGMA user_version=" + std::to_string(schema_.version) + ";";
  return transact([&]() -> Result<void> {
    // Another process may have been first.
    CC_ASSIGN(Statement* const tables, statement("SELECT count(*) FROM sqlite_schema"));
    CC_ASSIGN(const bool row, step(*tables));
    const bool empty = row && tables->integer(0) == 0;
    tables->reset();
    if (!empty) {
      return {};
    }
    CC_TRY(execute(schema_.sql));
    for (int version = 1; version < schema_.version; ++version) {
      CC_TRY(execute(schema_.upgrades[version - 1]));
    }
    return execute(marks.c_str());
  });
}

Result<void> Database::check_pages() {
  CC_ASSIGN(Statement* const count, statement("PRAGMA page_count"));
  CC_ASSIGN(const bool counted, step(*count));
  const std::int64_t pages = counted ? count->integer(0) : 0;
  count->reset();
  if (pages > kPagesReadAtStart) {
    return {};
  }
  CC_ASSIGN(Statement* const check, statement("PRAGMA quick_check(1)"));
  CC_ASSIGN(const bool row, step(*check));
  const std::string verdict = row ? check->text(0) : "no answer";
  check->reset();
  if (verdict != "ok") {
    return fail(ErrorKind::store_unavailable,
                path_ + ": the check at start found '" + verdict + "'; " + std::string(advice(SQLITE_CORRUPT)));
  }
  return {};
}

Result<Statement*> Database::statement(const char* sql) {
  if (in_doubt_) {
    CC_TRY(recover());
  }
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK) {
      return error("preparing a statement");
    }
    found = statements_.emplace(sql, Statement(raw)).first;
  }
  found->second.reset();
  return &found->second;
}

Result<bool> Database::step(Statement& statement) {
  statement.begin();
  const int code = sqlite3_step(statement.raw());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  auto failed = error("reading or writing");
  statement.reset();
  return failed;
}

Result<std::int64_t> Database::run(Statement& statement) {
  CC_TRY(step(statement));
  statement.reset();
  return sqlite3_changes64(handle_);
}

std::int64_t Database::changes() const { return handle_ == nullptr ? 0 : sqlite3_total_changes64(handle_); }

Result<void> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("reading or writing");
  }
  return {};
}

// Writes the log anew in its place and flushes it: after a failed flush the kernel shows pages that never reached the
// disk and counts them as clean, and nothing that only the page cache knows may count as recorded. The write lock keeps
// others out.
Result<void> Database::flush_log() {
  CC_TRY(execute("BEGIN IMMEDIATE"));
  sqlite3_file* log = nullptr;
  int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  if (code == SQLITE_OK && log != nullptr && log->pMethods != nullptr) {
    code = rewrite(*log);
  }
  roll_back();
  if (code != SQLITE_OK) {
    return fail(ErrorKind::store_unavailable,
                path_ + ": writing its log anew failed (" + sqlite3_errstr(code) + "); " + std::string(advice(code)));
  }
  return {};
}

Result<void> Database::recover() {
  disconnect();
  in_doubt_ = false;
  auto recovered = connect();
  if (recovered) {
    recovered = flush_log();
  }
  in_doubt_ = !recovered.has_value();
  return recovered;
}

void Database::end_statements() {
  for (auto& [sql, statement] : statements_) {
    statement.reset();
  }
}

void Database::roll_back() {
  end_statements();
  // Some failures have rolled back already. A rollback that fails leaves nothing behind in the log, but a connection of
  // no use.
  if (sqlite3_get_autocommit(handle_) == 0 &&
      sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr) != SQLITE_OK) {
    in_doubt_ = true;
  }
}

Result<void> Database::commit() {
  end_statements();
  if (sqlite3_exec(handle_, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK) {
    return {};
  }
  auto failed = error("committing");
  if ((sqlite3_errcode(handle_) & 0xff) == SQLITE_BUSY) {
    roll_back();
    return failed;
  }
  in_doubt_ = true;
  return fail(ErrorKind::store_in_doubt, failed.value().message + ". The outcome of the write is unknown");
}

Result<void> Database::transact(const std::function<Result<void>()>& work) {
  if (in_doubt_) {
    CC_TRY(recover());
  }
  CC_TRY(execute("BEGIN IMMEDIATE"));
  Result<void> done;
  try {
    done = work();
  } catch (const std::exception& thrown) {
    done = fail(ErrorKind::internal, std::string("the work of a transaction broke off: ") + thrown.what());
  }
  if (!done) {
    roll_back();
    return done;
  }
  return commit();
}

}  // namespace cc::sqlite
