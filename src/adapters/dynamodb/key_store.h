// Sealed key records in a DynamoDB table that all replicas share: one item per key, in partitions by the first byte of
// the public key, so that a hundred thousand keys load over many partitions at once, in order of public key.
//
// Every change counts in one item (`store`/`changes`), in the same transaction: how many keys of each status there are,
// and how often anything changed, which is what replicas poll. add() takes up to 98 keys in one transaction; of more,
// an error on the way leaves those before it stored, and doing it again completes them.
//
// The same item repeats the sentinel, and every transaction that adds or replaces a record asks that it is the one this
// object holds to (hold_to): so no replica writes under a master key that another one has replaced. exchange() to the
// same status is a write of one item that counts as no change: it moves a record that stands to another master key.
//
// Thread-safe. No secret passes: records are sealed. An altered item is found when its record is proven
// (key_record_tampered) or cannot be read (record_malformed).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "adapters/dynamodb/table.h"
#include "keys/key_store.h"

namespace cc::dynamodb {

inline constexpr const char* kKeysKind = "sealed-keys";

class DynamoKeyStore final : public keys::KeyStore {
 public:
  // `parallel`: partitions read at once. Errors: config_invalid for a table of another kind; store_unavailable, also
  // when there is no table.
  static Result<std::unique_ptr<DynamoKeyStore>> open(std::shared_ptr<Table> table, std::size_t parallel);

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
  void hold_to(ByteView sentinel) override;
  Result<std::uint64_t> changes() override;

 private:
  DynamoKeyStore(std::shared_ptr<Table> table, std::size_t parallel) : table_(std::move(table)), parallel_(parallel) {}
  Result<std::vector<keys::StoredKey>> read_partition(std::size_t partition, const std::optional<BlsPublicKey>& after,
                                                      std::size_t limit);
  Result<void> add_some(const std::vector<const keys::StoredKey*>& records, std::vector<bool>& added);
  Result<void> replace_some(std::span<const keys::StoredKey> records);
  // The write that counts a change, on the condition that the sentinel is the one held to.
  Write held_count(const std::map<keys::KeyStatus, std::int64_t>& differences) const;
  // Carries out a write on one key, on the condition that it is still as `before`; false when it is not.
  Result<bool> change(const keys::StoredKey& before, Write write, std::optional<keys::KeyStatus> after);

  std::shared_ptr<Table> table_;
  std::size_t parallel_;
  mutable std::mutex mutex_;
  std::optional<Bytes> held_;  // the sentinel
};

}  // namespace cc::dynamodb
