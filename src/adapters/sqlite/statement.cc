#include <sqlite3.h>

#include "adapters/sqlite/database.h"

namespace cc::sqlite {

void Statement::reset() {
  if (fresh_ && next_ == 1) {
    return;
  }
  sqlite3_reset(raw_);
  sqlite3_clear_bindings(raw_);
  next_ = 1;
  fresh_ = true;
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
  const char* data = value.empty() ? "" : value.data();
  sqlite3_bind_text64(raw_, next_++, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
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

}  // namespace cc::sqlite
