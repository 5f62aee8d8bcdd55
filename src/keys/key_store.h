// Where sealed key records live: the port, and the record itself (bytes in docs/spec/key-record.md).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/chain.h"
#include "base/result.h"

namespace cc::keys {

enum class KeyStatus { active, inactive };
std::string_view name(KeyStatus status);

// One stored record as the store sees it: opaque bytes beside the columns it selects by.
struct StoredKey {
  BlsPublicKey public_key{};
  KeyStatus status = KeyStatus::active;
  Bytes record;  // the encoded key record
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  // Every record with one of the statuses, in pages, in order of public key. Stops at the callback's first error.
  virtual Result<void> for_each(std::optional<KeyStatus> only,
                                const std::function<Result<void>(const StoredKey&)>& visit) = 0;
  virtual Result<std::uint64_t> count(std::optional<KeyStatus> only) = 0;
  // At most `limit` records with a public key above `after`.
  virtual Result<std::vector<StoredKey>> page(const std::optional<BlsPublicKey>& after, std::size_t limit) = 0;
  virtual Result<std::optional<StoredKey>> find(const BlsPublicKey& key) = 0;
  // Adds those that are not there yet, all in one durable transaction; false marks a public key that was already
  // stored. Errors: record_conflict (hold_to).
  virtual Result<std::vector<bool>> add(const std::vector<StoredKey>& records) = 0;
  // Replaces records that exist, all or none in one durable transaction. Errors: unknown_key, record_conflict
  // (hold_to).
  virtual Result<void> replace_all(const std::vector<StoredKey>& records) = 0;
  Result<void> replace(const StoredKey& record) { return replace_all({record}); }
  // Replaces the record of before's public key by `after`, if it is stored exactly as `before` still. Durable. False:
  // another one is stored, or none; nothing changed.
  virtual Result<bool> exchange(const StoredKey& before, const StoredKey& after) = 0;
  // Errors: unknown_key.
  virtual Result<void> remove(const BlsPublicKey& key) = 0;
  // The sentinel sealed under the master key; empty while there is none.
  virtual Result<std::optional<Bytes>> sentinel() = 0;
  // Puts `after` in place of `before` (nothing: of none) and holds to it. Durable. False: another one stands there;
  // nothing changed.
  virtual Result<bool> exchange_sentinel(const std::optional<Bytes>& before, ByteView after) = 0;
  // From now on add() and replace_all() of this object write only while the sentinel is this one, judged in the same
  // transaction: of several signers, one that has not heard of a new master key adds nothing under the old one. A store
  // that one process has to itself need not ask.
  virtual void hold_to(ByteView /*sentinel*/) {}
  // A number that grows with every change, whoever made it; 0 of a store that nobody else can change.
  virtual Result<std::uint64_t> changes() { return std::uint64_t{0}; }
};

}  // namespace cc::keys
