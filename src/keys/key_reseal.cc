// KeyService: key records that move from one master key to the next, while their keys sign on.
#include <algorithm>

#include "keys/key_service_parts.h"

namespace cc::keys {
namespace {

constexpr std::size_t kPage = 64;
constexpr int kTries = 5;

}  // namespace

Result<KeyService::Resealed> KeyService::reseal(const ChamberId& chamber, const MasterKeysView& master_keys,
                                                std::size_t most) {
  return without_exceptions([&]() -> Result<Resealed> {
    const std::lock_guard change(change_mutex_);
    CC_ASSIGN(const OpenPtr open, take_master_keys(chamber, master_keys));
    if (held_ != open->current) {
      CC_TRY(settle_sentinel(*open));
    }
    if (open->keys.size() == 1) {
      return Resealed{};
    }
    if (most == 0) {
      return Resealed{0, reseal_left_.value_or(1)};
    }
    if (!reseal_left_) {
      CC_ASSIGN(reseal_left_, count_retiring(*open));
    }
    Resealed out;
    bool at_end = *reseal_left_ == 0;
    while (!at_end && out.done < most && still(open)) {
      CC_ASSIGN(const std::vector<StoredKey> page, store_.page(reseal_after_, kPage));
      for (const StoredKey& stored : page) {
        if (out.done == most || !still(open)) {
          break;
        }
        CC_ASSIGN(const bool moved, reseal_record(*open, stored));
        out.done += moved ? 1 : 0;
        reseal_after_ = stored.public_key;
      }
      at_end = page.empty();
    }
    if (at_end) {
      // Also those that came, or were changed by somebody else, behind the place where this one stood.
      reseal_after_.reset();
      CC_ASSIGN(reseal_left_, count_retiring(*open));
    } else {
      *reseal_left_ -= std::min(*reseal_left_, out.done);
    }
    out.left = at_end ? *reseal_left_ : std::max<std::uint64_t>(*reseal_left_, 1);
    return still(open) ? Result<Resealed>(out) : Result<Resealed>(sealed_error());
  });
}

Result<KeyService::OpenPtr> KeyService::take_master_keys(const ChamberId& chamber, const MasterKeysView& master_keys) {
  const OpenPtr before = opened();
  if (!before) {
    return sealed_error();
  }
  if (before->current == master_keys.current && before->keys.size() == master_keys.keys.size()) {
    return OpenPtr(before);
  }
  auto next = std::make_shared<Open>();
  next->session = before->session;
  next->current = master_keys.current;
  for (const MasterKeyView& one : master_keys.keys) {
    next->keys.emplace(one.id, derive_record_keys(chamber, one.id, *one.key));
  }
  if (!next->keys.contains(next->current)) {
    return fail(ErrorKind::internal, "the current master key is not among those handed over");
  }
  const std::lock_guard lock(open_mutex_);
  if (!same_session(open_, before)) {
    return sealed_error();
  }
  open_ = next;
  reseal_after_.reset();
  reseal_left_.reset();
  return OpenPtr(next);
}

Result<void> KeyService::settle_sentinel(const Open& open) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    CC_ASSIGN(const std::optional<Bytes> sentinel, store_.sentinel());
    if (sentinel) {
      CC_ASSIGN(const SentinelNames names, sentinel_names(*sentinel));
      const auto found = open.keys.find(names.master_key);
      CC_TRY(check_sentinel(found == open.keys.end() ? open.sealing() : found->second, *sentinel));
      if (names.master_key == open.current) {
        store_.hold_to(*sentinel);
        held_ = open.current;
        return {};
      }
    }
    CC_ASSIGN(const bool settled, store_.exchange_sentinel(sentinel, seal_sentinel(open.sealing(), random_)));
    if (settled) {
      held_ = open.current;
      return {};
    }
  }
  return fail(ErrorKind::record_conflict, "other signers keep changing the sentinel of the key store; try again");
}

// False when there was nothing to do, or somebody else changed the record meanwhile.
Result<bool> KeyService::reseal_record(const Open& open, const StoredKey& stored) {
  CC_ASSIGN(const KeyRecord record, open.prove(stored));
  if (record.master_key == open.current) {
    return false;
  }
  CC_ASSIGN(const KeyRecord next, reseal_key(open.keys.at(record.master_key), open.sealing(), record, random_));
  return store_.exchange(stored, {stored.public_key, stored.status, encode(next)});
}

Result<StoredKey> KeyService::restate(const Open& open, const KeyRecord& record, KeyStatus status) {
  KeyRecord out = record;
  if (record.master_key != open.current) {
    CC_ASSIGN(out, reseal_key(open.keys.at(record.master_key), open.sealing(), record, random_));
  }
  CC_TRY(keys::set_status(open.sealing(), out, status, clock_.unix_seconds()));
  return StoredKey{out.public_key, out.status, encode(out)};
}

Result<std::uint64_t> KeyService::count_retiring(const Open& open) {
  std::uint64_t out = 0;
  CC_TRY(store_.for_each(std::nullopt, [&](const StoredKey& stored) -> Result<void> {
    CC_ASSIGN(const KeyRecord record, open.prove(stored));
    out += record.master_key == open.current ? 0 : 1;
    return {};
  }));
  return out;
}

}  // namespace cc::keys
