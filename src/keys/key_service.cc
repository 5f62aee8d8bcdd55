#include "keys/key_service.h"

#include "base/log.h"
#include "keys/key_service_parts.h"

namespace cc::keys {

std::string_view name(KeyOutcome outcome) {
  switch (outcome) {
    case KeyOutcome::generated:
      return "generated";
    case KeyOutcome::imported:
      return "imported";
    case KeyOutcome::restored:
      return "restored";
    case KeyOutcome::duplicate:
      return "duplicate";
    case KeyOutcome::active:
      return "active";
    case KeyOutcome::inactive:
      return "inactive";
    case KeyOutcome::deleted:
      return "deleted";
    case KeyOutcome::not_found:
      return "not_found";
    case KeyOutcome::error:
      return "error";
  }
  return "?";
}

Result<KeyRecord> decode_stored(const StoredKey& stored) {
  auto record = decode(stored.record);
  if (!record) {
    return fail(record.error().kind,
                "the record of key " + to_0x(stored.public_key) + " cannot be read: " + record.error().message);
  }
  if (record->public_key != stored.public_key || record->status != stored.status) {
    return fail(ErrorKind::key_record_tampered,
                "the record of key " + to_0x(stored.public_key) +
                    " says something else than the key store's columns: restore the key store from a backup");
  }
  return record;
}

Result<KeyRecord> KeyService::Open::prove(const StoredKey& stored) const {
  CC_ASSIGN(KeyRecord record, decode_stored(stored));
  const auto found = keys.find(record.master_key);
  if (found == keys.end()) {
    return fail(ErrorKind::wrong_master_key,
                "the record of key " + to_0x(record.public_key) + " is sealed under master key " +
                    to_hex(record.master_key) +
                    ", which this signer does not hold (yet): another signer replaced the master key, then this one "
                    "follows or says why in its status; or the record is of another chamber");
  }
  CC_TRY(check_fields(found->second, record));
  return record;
}

KeyService::KeyService(KeyStore& store, KeyRing& ring, PermitPort& permits, Random& random, const Clock& clock,
                       KeyServiceOptions options)
    : store_(store), ring_(ring), permits_(permits), random_(random), clock_(clock), options_(std::move(options)) {}

KeyService::~KeyService() = default;

KeyService::OpenPtr KeyService::opened() const {
  const std::lock_guard lock(open_mutex_);
  return open_;
}

bool KeyService::is_open() const { return opened() != nullptr; }

bool KeyService::same_session(const OpenPtr& one, const OpenPtr& other) {
  return one && other ? one->session == other->session : !one && !other;
}

bool KeyService::still(const OpenPtr& open) const {
  const std::lock_guard lock(open_mutex_);
  return same_session(open_, open);
}

bool KeyService::admit(const OpenPtr& open, std::shared_ptr<const RingKey> key) {
  const std::lock_guard lock(open_mutex_);
  if (!same_session(open_, open)) {
    return false;
  }
  ring_.add(std::move(key));  // false: it is there already, perhaps from another source
  return true;
}

void KeyService::close() {
  const std::lock_guard lock(open_mutex_);
  ++closings_;
  open_.reset();
  ring_.clear();
}

Result<std::uint64_t> KeyService::load(const ChamberId& chamber, const MasterKeysView& master_keys) {
  return without_exceptions([&] { return load_proven(chamber, master_keys); });
}

Result<std::uint64_t> KeyService::load_proven(const ChamberId& chamber, const MasterKeysView& master_keys) {
  const std::lock_guard change(change_mutex_);
  std::uint64_t closings = 0;
  {
    const std::lock_guard lock(open_mutex_);
    closings = closings_;
  }
  auto open = std::make_shared<Open>();
  open->current = master_keys.current;
  for (const MasterKeyView& one : master_keys.keys) {
    open->keys.emplace(one.id, derive_record_keys(chamber, one.id, *one.key));
  }
  if (!open->keys.contains(open->current)) {
    return fail(ErrorKind::internal, "the current master key is not among those handed over");
  }
  CC_ASSIGN(const std::optional<Bytes> sentinel, store_.sentinel());
  if (sentinel) {
    CC_ASSIGN(const SentinelNames names, sentinel_names(*sentinel));
    const auto found = open->keys.find(names.master_key);
    CC_TRY(check_sentinel(found == open->keys.end() ? open->sealing() : found->second, *sentinel));
  }
  CC_ASSIGN(changes_seen_, store_.changes());
  CC_ASSIGN(const auto loaded, read_all(*open, sentinel.has_value()));
  held_.reset();
  if (!sentinel) {
    CC_TRY(settle_sentinel(*open));
  } else {
    // One of a retiring master key is replaced by reseal().
    store_.hold_to(*sentinel);
  }
  const std::lock_guard lock(open_mutex_);
  if (closings_ != closings) {
    return fail(ErrorKind::signer_sealed, "the chamber was sealed while its keys were loaded");
  }
  open->session = ++openings_;
  open_ = std::move(open);
  reseal_after_.reset();
  reseal_left_.reset();
  ring_.clear(KeySource::sealed);
  for (const auto& key : loaded) {
    ring_.add(key);
  }
  return loaded.size();
}

Result<std::vector<std::shared_ptr<const RingKey>>> KeyService::read_all(const Open& open, bool sentinel_known) {
  CC_ASSIGN(const std::uint64_t total, store_.count(KeyStatus::active));
  std::map<MasterKeyId, RecordLoader> loaders;
  for (const auto& [id, keys] : open.keys) {
    loaders.emplace(id, RecordLoader(keys));
  }
  std::vector<std::shared_ptr<const RingKey>> out;
  out.reserve(total);
  // Inactive records are proven too: a status that was altered must not hide a key, nor wake one.
  const auto visit = [&](const StoredKey& stored) -> Result<void> {
    CC_ASSIGN(const KeyRecord record, decode_stored(stored));
    const auto loader = loaders.find(record.master_key);
    if (loader == loaders.end()) {
      return fail(sentinel_known ? ErrorKind::key_record_tampered : ErrorKind::wrong_master_key,
                  "the record of key " + to_0x(stored.public_key) + " is sealed under master key " +
                      to_hex(record.master_key) + ", which this chamber does not hold");
    }
    if (!belongs_in_ring(record)) {
      return check_fields(open.keys.at(record.master_key), record);
    }
    CC_ASSIGN(crypto::BlsSecretKey secret, loader->second.open(record));
    out.push_back(std::make_shared<const RingKey>(record.public_key, KeySource::sealed, std::move(secret)));
    if (options_.progress_every != 0 && out.size() % options_.progress_every == 0) {
      log::info("loading keys", {{"loaded", out.size()}, {"total", total}});
      if (options_.progress) {
        options_.progress(out.size(), total);
      }
    }
    return {};
  };
  CC_TRY(store_.for_each(std::nullopt,
                         [&](const StoredKey& stored) { return without_exceptions([&] { return visit(stored); }); }));
  if (!sentinel_known && !out.empty()) {
    log::warn("the key store had records but no sentinel; every record was proven, a new sentinel is written");
  }
  log::info("keys loaded", {{"keys", out.size()}});
  if (options_.progress) {
    options_.progress(out.size(), total);
  }
  return out;
}

// A key that still waits for its permit has none that was withdrawn: it must not join on the strength of that.
bool KeyService::belongs_in_ring(const KeyRecord& record) const {
  return record.status == KeyStatus::active || (options_.load_inactive && !is_arriving(record));
}

Result<KeyInfo> KeyService::read_info(const OpenPtr& open, const StoredKey& stored) const {
  CC_ASSIGN(KeyRecord record, open ? open->prove(stored) : decode_stored(stored));
  return KeyInfo{record.public_key, record.status, record.created_at, record.updated_at, std::move(record.label)};
}

Result<KeyPage> KeyService::list(std::size_t limit, const std::optional<BlsPublicKey>& cursor) {
  if (limit == 0 || limit > kLargestPage) {
    return fail(ErrorKind::malformed_request, "limit must be 1 to " + std::to_string(kLargestPage));
  }
  return without_exceptions([&]() -> Result<KeyPage> {
    const OpenPtr open = opened();
    CC_ASSIGN(const std::vector<StoredKey> stored, store_.page(cursor, limit + 1));
    KeyPage out;
    for (const StoredKey& one : stored) {
      if (out.keys.size() == limit) {
        out.next_cursor = out.keys.back().public_key;
        break;
      }
      CC_ASSIGN(KeyInfo info, read_info(open, one));
      out.keys.push_back(std::move(info));
    }
    return out;
  });
}

}  // namespace cc::keys
