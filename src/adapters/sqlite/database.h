// A thin layer over SQLite's C API: one connection, prepared statements, durable transactions, errors an operator can
// act on.
//
// Files are 0600 in a 0700 folder; WAL with synchronous=FULL: a commit returns after the flush. A Database is used by
// one thread at a time; its owner holds the mutex.
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
  std::int32_t application_id;  // PRAGMA application_id
  int version;                  // PRAGMA user_version
  const char* sql;              // creates every table of that version
};

enum class OpenMode {
  open_or_create,
  create_new,     // store_unavailable when the file exists
  existing_only,  // not_found when it does not
};

// A prepared statement. Values are bound in order; step() gives the rows one by one.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* raw) : raw_(raw) {}
  // Ends a run so that the statement can be used again.
  void reset();
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
};

class Database {
 public:
  // Errors: store_unavailable naming path, reason and what to do; not_found with existing_only.
  static Result<std::unique_ptr<Database>> open(const std::string& path, const Schema& schema, OpenMode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // A cached statement, reset and ready to bind. The text must outlive the database (a literal).
  Result<Statement*> statement(const char* sql);
  // True while there is a row.
  Result<bool> step(Statement& statement);
  // Runs a statement that gives no rows; returns the number of rows it changed.
  Result<std::int64_t> run(Statement& statement);
  Result<void> execute(const char* sql);

  // BEGIN IMMEDIATE … COMMIT around `work`; rolled back when it fails. Errors: those of `work`; store_unavailable
  // (nothing kept); store_in_doubt when the commit itself failed: the connection is reopened before the next use.
  Result<void> transact(const std::function<Result<void>()>& work);

  const std::string& path() const { return path_; }

 private:
  Database(std::string path, Schema schema) : path_(std::move(path)), schema_(schema) {}
  Result<void> connect();
  Result<void> prepare_file(bool fresh);
  Result<void> recover();
  void disconnect();
  tl::unexpected<Error> error(std::string_view action) const;

  std::string path_;
  Schema schema_;
  sqlite3* handle_ = nullptr;
  std::map<const char*, Statement> statements_;
  bool in_doubt_ = false;
};

// Flushes a folder, so that a file made in it survives a power cut. Errors: store_unavailable.
Result<void> flush_folder_of(const std::string& path);

}  // namespace cc::sqlite
