// KeyService: the ring follows a store that other signers change too.
#include <set>

#include "base/log.h"
#include "keys/key_service_parts.h"

namespace cc::keys {

Result<bool> KeyService::follow() {
  return without_exceptions([&] { return follow_proven(); });
}

Result<bool> KeyService::follow_proven() {
  const OpenPtr open = opened();
  const std::lock_guard change(change_mutex_);
  if (!open || !still(open)) {
    return false;
  }
  // Read before the records: what changes meanwhile is seen the next time.
  CC_ASSIGN(const std::uint64_t changes, store_.changes());
  if (changes == changes_seen_) {
    return false;
  }
  std::vector<std::shared_ptr<const RingKey>> arriving;
  std::set<BlsPublicKey> staying;
  CC_TRY(store_.for_each(std::nullopt, [&](const StoredKey& stored) -> Result<void> {
    CC_ASSIGN(const KeyRecord record, open->prove(stored));
    if (!belongs_in_ring(record)) {
      return {};
    }
    staying.insert(record.public_key);
    const auto there = ring_.find(record.public_key);
    if (!there || there->source != KeySource::sealed) {
      CC_ASSIGN(crypto::BlsSecretKey secret, open_key(open->keys.at(record.master_key), record));
      arriving.push_back(std::make_shared<const RingKey>(record.public_key, KeySource::sealed, std::move(secret)));
    }
    return {};
  }));
  std::uint64_t left = 0;
  for (const BlsPublicKey& key : ring_.public_keys()) {
    const auto there = ring_.find(key);
    if (there && there->source == KeySource::sealed && !staying.contains(key)) {
      left += ring_.remove(key) ? 1 : 0;
    }
  }
  for (auto& key : arriving) {
    admit(open, std::move(key));
  }
  changes_seen_ = changes;
  log::info("followed the key store", {{"arrived", arriving.size()}, {"left", left}});
  return true;
}

}  // namespace cc::keys
