// A thin layer over SQLite's C API: one connection, cached statements, durable transactions, errors an operator can act
// on.
//
// Files are 0600, a folder it makes is 0700; WAL with synchronous=FULL: a commit returns after the flush. A Database is
// used by one thread at a time; its owner holds the mutex. SQLite's result codes stay inside. No secret passes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cc::sqlite {

// What makes a file ours.
struct Schema {
  std::int32_t application_id;            // PRAGMA application_id
  int version;                            // PRAGMA user_version
  const char* sql;                        // creates every table of version 1
  const char* const* upgrades = nullptr;  // version - 1 of them, each from one version to the next; new files run all
};

enum class OpenMode {
  open_or_create,
  existing_only,  // not_found when there is no file
};

enum class Sharing {
  shared,     // other processes may open the file too
  exclusive,  // the connection keeps SQLite's exclusive lock while it lives; store_locked when another process has the
              // file
};

// A prepared statement. Values are bound in order; columns are numbered from 0.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* raw) : raw_(raw) {}
  // Ends a run so that the statement can be used again, and forgets what was bound. Nothing to do when it is fresh.
  void reset();
  // To be called before each step.
  void begin() { fresh_ = false; }
  Statement& bind(std::int64_t value);
  Statement& bind(ByteView value);
  Statement& bind(std::string_view value);
  Statement& bind_null();
  template <class T>
  Statement& bind(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  // Valid until the next step.
  ByteView blob(int column) const;
  bool is_null(int column) const;
  sqlite3_stmt* raw() const { return raw_; }

 private:
  sqlite3_stmt* raw_;
  int next_ = 1;
  bool fresh_ = true;
};

class Database {
 public:
  // Errors: store_unavailable naming path, reason and what to do; store_locked when exclusive; not_found with
  // existing_only.
  static Result<std::unique_ptr<Database>> open(const std::string& path, const Schema& schema, OpenMode mode,
                                                Sharing sharing);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // A cached statement, reset and ready to bind. The text must be a literal: its address is the key.
  Result<Statement*> statement(const char* sql);
  // True while there is a row.
  Result<bool> step(Statement& statement);
  // Runs a statement that gives no rows; returns the number of rows it changed.
  Result<std::int64_t> run(Statement& statement);
  // Rows inserted, changed or deleted since the connection was opened.
  std::int64_t changes() const;

  // BEGIN IMMEDIATE … COMMIT around `work`; rolled back when it fails or throws. Errors: those of `work`;
  // store_unavailable (nothing kept); store_in_doubt when the commit itself failed: the connection is reopened before
  // its next use.
  Result<void> transact(const std::function<Result<void>()>& work);

 private:
  Database(std::string path, const Schema& schema, Sharing sharing)
      : path_(std::move(path)), schema_(schema), sharing_(sharing) {}
  Result<void> connect();
  Result<void> prepare_file();
  Result<void> create_tables();
  Result<void> upgrade_tables(std::int64_t from);
  Result<void> check_pages();
  Result<void> execute(const char* sql);
  Result<void> flush_log();
  Result<void> recover();
  Result<void> commit();
  void roll_back();
  void end_statements();
  void disconnect();
  tl::unexpected<Error> error(std::string_view action) const;

  std::string path_;
  Schema schema_;
  Sharing sharing_;
  sqlite3* handle_ = nullptr;
  std::map<const char*, Statement> statements_;
  bool in_doubt_ = false;
};

}  // namespace cc::sqlite
