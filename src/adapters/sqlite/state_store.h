// The signer state in SQLite: named documents with conditional writes, one row each.
//
// Several processes may open the same file; a conditional write runs in one immediate transaction. Thread-safe. No
// secret passes: documents hold wrapped material only. Errors: store_unavailable, store_in_doubt, record_conflict.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "adapters/sqlite/database.h"
#include "seal/ports.h"

namespace cc::sqlite {

class SqliteStateStore final : public seal::StateStore {
 public:
  // Errors: store_unavailable; not_found with OpenMode::existing_only and no file.
  static Result<std::unique_ptr<SqliteStateStore>> open(const std::string& path,
                                                        OpenMode mode = OpenMode::open_or_create);

  // One document of a file that may be another's: nothing is written or repaired, and a signer that runs is not
  // disturbed. Errors: not_found without a file; store_unavailable.
  static Result<std::optional<seal::Document>> look_up(const std::string& path, const std::string& name);

  Result<std::optional<seal::Document>> read(const std::string& name) override;
  Result<std::uint64_t> write(const std::string& name, std::uint64_t expected, ByteView content) override;

 private:
  explicit SqliteStateStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Result<std::optional<seal::Document>> select(const std::string& name);

  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace cc::sqlite
