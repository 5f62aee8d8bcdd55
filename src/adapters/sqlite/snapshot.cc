#include "adapters/sqlite/snapshot.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <memory>

namespace cc::sqlite {
namespace {

constexpr int kBusyMilliseconds = 10'000;

tl::unexpected<Error> cannot(const std::string& path, const std::string& why) {
  return fail(ErrorKind::store_unavailable, path + " cannot be copied: " + why);
}

}  // namespace

Result<void> copy_database(const std::string& path, const std::string& into) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> handle(raw, &sqlite3_close_v2);
  if (opened != SQLITE_OK) {
    return ::access(path.c_str(), F_OK) == 0 ? cannot(path, sqlite3_errstr(opened))
                                             : fail(ErrorKind::not_found, "there is no file " + path);
  }
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  // SQLite would make it readable for the group; an empty file it takes as it is.
  const int made = ::open(into.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) {
    return fail(ErrorKind::store_unavailable,
                into + " cannot be made: it exists already, or the folder cannot be written");
  }
  ::close(made);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(raw, "VACUUM INTO ?", -1, &statement, nullptr) != SQLITE_OK) {
    return cannot(path, sqlite3_errmsg(raw));
  }
  sqlite3_bind_text(statement, 1, into.c_str(), -1, SQLITE_TRANSIENT);
  const int stepped = sqlite3_step(statement);
  const std::string why = sqlite3_errmsg(raw);
  sqlite3_finalize(statement);
  return stepped == SQLITE_DONE ? Result<void>() : Result<void>(cannot(path, why));
}

}  // namespace cc::sqlite
