// Sealed key records in SQLite, in order of public key; the sentinel beside them.
//
// Records are sealed (keys/key_record.h), so no secret passes. Thread-safe; the callback of for_each runs without the
// store's lock. Errors: store_unavailable, store_in_doubt, unknown_key.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sqlite/database.h"
#include "keys/key_store.h"

namespace cc::sqlite {

class SqliteKeyStore final : public keys::KeyStore {
 public:
  // Errors: store_unavailable; not_found with OpenMode::existing_only and no file.
  static Result<std::unique_ptr<SqliteKeyStore>> open(const std::string& path,
                                                      OpenMode mode = OpenMode::open_or_create);

  Result<void> for_each(std::optional<keys::KeyStatus> only,
                        const std::function<Result<void>(const keys::StoredKey&)>& visit) override;
  Result<std::uint64_t> count(std::optional<keys::KeyStatus> only) override;
  Result<std::vector<keys::StoredKey>> page(const std::optional<BlsPublicKey>& after, std::size_t limit) override;
  Result<std::optional<keys::StoredKey>> find(const BlsPublicKey& key) override;
  Result<std::vector<bool>> add(const std::vector<keys::StoredKey>& records) override;
  Result<void> replace_all(const std::vector<keys::StoredKey>& records) override;
  Result<bool> exchange(const keys::StoredKey& before, const keys::StoredKey& after) override;
  Result<void> remove(const BlsPublicKey& key) override;
  Result<std::optional<Bytes>> sentinel() override;
  Result<bool> exchange_sentinel(const std::optional<Bytes>& before, ByteView after) override;

 private:
  explicit SqliteKeyStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Result<std::vector<keys::StoredKey>> select_page(std::optional<keys::KeyStatus> only,
                                                   const std::optional<BlsPublicKey>& after, std::size_t limit);

  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace cc::sqlite
