#include "adapters/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace cc::sqlite {
namespace {

std::string reason(int code) { return std::strerror(code); }

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string advice(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full: free some space";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "it cannot be written: check owner, mode (0600) and mount";
    case SQLITE_NOTADB:
      return "it is not a database: restore it from a backup, do not delete it";
    case SQLITE_CORRUPT:
      return "it is damaged: restore it from a backup, do not delete it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process uses it";
    case SQLITE_IOERR:
      return "the disk reports an error: check the volume";
    default:
      return "see the message of the database";
  }
}

// Makes the folder (0700) and an empty file (0600), both flushed. Returns whether the file is new.
Result<bool> make_file(const std::string& path, OpenMode mode) {
  std::error_code made;
  const std::string folder = folder_of(path);
  if (!std::filesystem::exists(folder)) {
    std::filesystem::create_directories(folder, made);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, made);
    if (made) {
      return fail(ErrorKind::store_unavailable, "cannot make the folder " + folder + ": " + made.message());
    }
  }
  if (::access(path.c_str(), F_OK) == 0) {
    if (mode == OpenMode::create_new) {
      return fail(ErrorKind::store_unavailable, path + " exists already");
    }
    return false;
  }
  if (mode == OpenMode::existing_only) {
    return fail(ErrorKind::not_found, path + " does not exist");
  }
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(ErrorKind::store_unavailable, "cannot create " + path + ": " + reason(errno));
  }
  const bool flushed = ::fsync(fd) == 0;
  ::close(fd);
  if (!flushed) {
    return fail(ErrorKind::store_unavailable, "cannot flush " + path + ": " + reason(errno));
  }
  CC_TRY(flush_folder_of(path));
  return true;
}

}  // namespace

Result<void> flush_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = fd >= 0 && ::fsync(fd) == 0;
  const int code = errno;
  if (fd >= 0) {
    ::close(fd);
  }
  if (!flushed) {
    return fail(ErrorKind::store_unavailable, "cannot flush the folder " + folder + ": " + reason(code));
  }
  return {};
}

void Statement::reset() {
  sqlite3_reset(raw_);
  sqlite3_clear_bindings(raw_);
  next_ = 1;
}
Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(raw_, next_++, value);
  return *this;
}
Statement& Statement::bind(ByteView value) {
  // A null pointer would bind NULL; an empty blob is a blob.
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  sqlite3_bind_blob64(raw_, next_++, data, value.size(), SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind(std::string_view value) {
  sqlite3_bind_text64(raw_, next_++, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_null() {
  sqlite3_bind_null(raw_, next_++);
  return *this;
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(raw_, column); }
std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(raw_, column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(raw_, column)));
}
ByteView Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(raw_, column));
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))};
}
bool Statement::is_null(int column) const { return sqlite3_column_type(raw_, column) == SQLITE_NULL; }

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const Schema& schema, OpenMode mode) {
  CC_ASSIGN(const bool fresh, make_file(path, mode));
  std::unique_ptr<Database> database(new Database(path, schema));
  CC_TRY(database->connect());
  CC_TRY(database->prepare_file(fresh));
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
  return fail(ErrorKind::store_unavailable,
              path_ + ": " + std::string(action) + " failed (" + said + "); " + advice(code));
}

Result<void> Database::connect() {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path_.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    auto failed = error("opening");
    disconnect();
    return failed;
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, 5000);
  // The checkpoint leaves the WAL file in place and the sync of every commit is of the WAL alone.
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                             "PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON"}) {
    CC_TRY(execute(pragma));
  }
  return {};
}

Result<void> Database::prepare_file(bool fresh) {
  CC_ASSIGN(Statement* const about,
            statement("SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "
                      "FROM pragma_application_id, pragma_user_version"));
  CC_TRY(step(*about));
  const std::int64_t application = about->integer(0);
  const std::int64_t version = about->integer(1);
  const bool empty = about->integer(2) == 0;
  about->reset();
  // An empty file that is not fresh: a crash between making it and filling it, unless something stood in it before.
  if (fresh || (empty && application == 0 && version == 0)) {
    const std::string marks = "PRAGMA application_id=" + std::to_string(schema_.application_id) +
                              "; PRAGMA user_version=" + std::to_string(schema_.version) + ";";
    CC_TRY(transact([&]() -> Result<void> {
      CC_TRY(execute(schema_.sql));
      return execute(marks.c_str());
    }));
    return {};
  }
  if (application != schema_.application_id) {
    return fail(ErrorKind::store_unavailable,
                path_ + " belongs to another application or another store of this one: check the paths");
  }
  if (version != schema_.version) {
    return fail(ErrorKind::store_unavailable, path_ + " has schema version " + std::to_string(version) +
                                                  ", this program knows " + std::to_string(schema_.version) +
                                                  ": use the version that wrote it");
  }
  CC_ASSIGN(Statement* const check, statement("PRAGMA quick_check(1)"));
  CC_ASSIGN(const bool row, step(*check));
  if (!row || check->text(0) != "ok") {
    return fail(ErrorKind::store_unavailable, path_ + " is damaged: restore it from a backup, do not delete it");
  }
  check->reset();
  return {};
}

Result<Statement*> Database::statement(const char* sql) {
  CC_TRY(recover());
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

Result<void> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("writing");
  }
  return {};
}

// After a commit of unknown outcome: a new connection reads what is there, and a full checkpoint writes and flushes it
// anew, so that nothing counts as recorded that only the page cache knows.
Result<void> Database::recover() {
  if (!in_doubt_) {
    return {};
  }
  disconnect();
  CC_TRY(connect());
  CC_TRY(execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  CC_TRY(flush_folder_of(path_));
  in_doubt_ = false;
  return {};
}

Result<void> Database::transact(const std::function<Result<void>()>& work) {
  CC_TRY(recover());
  CC_TRY(execute("BEGIN IMMEDIATE"));
  if (auto done = work(); !done) {
    for (auto& [sql, statement] : statements_) {
      sqlite3_reset(statement.raw());
    }
    if (sqlite3_get_autocommit(handle_) == 0 &&
        sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr) != SQLITE_OK) {
      in_doubt_ = true;
    }
    return done;
  }
  for (auto& [sql, statement] : statements_) {
    sqlite3_reset(statement.raw());
  }
  if (sqlite3_exec(handle_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) {
    auto failed = error("committing");
    in_doubt_ = true;
    return fail(ErrorKind::store_in_doubt, std::move(failed).value().message);
  }
  return {};
}

}  // namespace cc::sqlite
