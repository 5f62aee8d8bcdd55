// KeyService: keys that change their status or leave. What leaves loses its permit first, then the ring, then the
// record.
#include <algorithm>

#include "base/log.h"
#include "keys/key_service_parts.h"

namespace cc::keys {
namespace {

void refuse(KeyResult& result, std::string why) {
  result.outcome = KeyOutcome::error;
  result.message = std::move(why);
}

std::uint64_t count_of(const std::vector<KeyResult>& results, KeyOutcome outcome) {
  return static_cast<std::uint64_t>(std::ranges::count(results, outcome, &KeyResult::outcome));
}

}  // namespace

Result<std::vector<KeyResult>> KeyService::set_status(const std::vector<BlsPublicKey>& keys, KeyStatus status) {
  return without_exceptions([&]() -> Result<std::vector<KeyResult>> {
    const std::lock_guard change(change_mutex_);
    const OpenPtr open = opened();
    if (!open) {
      return sealed_error();
    }
    std::vector<KeyResult> out(keys.size());
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out[i].public_key = keys[i];
      CC_ASSIGN(const std::optional<StoredKey> stored, store_.find(keys[i]));
      if (!stored) {
        out[i].outcome = KeyOutcome::not_found;
        out[i].message = "the key store does not hold this key";
        continue;
      }
      auto record = open->prove(*stored);
      if (!record) {
        refuse(out[i], record.error().message);
        continue;
      }
      entries.push_back({&out[i], *stored, std::move(*record), std::nullopt});
    }
    if (status == KeyStatus::active) {
      activate(open, entries);
    } else {
      deactivate(*open, entries);
    }
    const KeyOutcome wanted = status == KeyStatus::active ? KeyOutcome::active : KeyOutcome::inactive;
    log::info("key status changed", {{"status", name(status)}, {"keys", count_of(out, wanted)}});
    return out;
  });
}

Result<void> KeyService::activate_records(const Open& open, std::vector<Entry>& entries) {
  std::vector<StoredKey> records;
  for (const Entry& entry : entries) {
    if (entry.secret && entry.record.status != KeyStatus::active) {
      CC_ASSIGN(StoredKey active, restate(open, entry.record, KeyStatus::active));
      records.push_back(std::move(active));
    }
  }
  return records.empty() ? Result<void>() : store_.replace_all(records);
}

void KeyService::activate(const OpenPtr& open, std::vector<Entry>& entries) {
  std::vector<BlsPublicKey> wanted;
  for (Entry& entry : entries) {
    auto secret = open_key(open->keys.at(entry.record.master_key), entry.record);
    if (!secret) {
      refuse(*entry.result, secret.error().message);
      continue;
    }
    entry.secret = std::move(*secret);
    wanted.push_back(entry.stored.public_key);
  }
  if (wanted.empty()) {
    return;
  }
  auto permitted = permits_.permit(wanted, false);
  if (permitted) {
    permitted = activate_records(*open, entries);
  }
  for (Entry& entry : entries) {
    if (!entry.secret) {
      continue;
    }
    if (!permitted) {
      refuse(*entry.result, "not activated (" + permitted.error().message + "): activate it again");
      continue;
    }
    entry.result->outcome = KeyOutcome::active;
    RingKey key{entry.stored.public_key, KeySource::sealed, std::move(*entry.secret)};
    if (!admit(open, std::make_shared<const RingKey>(std::move(key)))) {
      entry.result->message = "the chamber was sealed meanwhile, the key signs after the next unseal";
    }
  }
}

void KeyService::deactivate(const Open& open, std::vector<Entry>& entries) {
  std::vector<BlsPublicKey> leaving;
  leaving.reserve(entries.size());
  for (const Entry& entry : entries) {
    leaving.push_back(entry.stored.public_key);
  }
  if (leaving.empty()) {
    return;
  }
  const auto withdrawn = permits_.withdraw(leaving);
  for (Entry& entry : entries) {
    if (!withdrawn) {
      refuse(*entry.result, "the permit could not be withdrawn, the key may still sign here (" +
                                withdrawn.error().message + "): deactivate it again before it signs elsewhere");
      continue;
    }
    ring_.remove(entry.stored.public_key);
    entry.result->outcome = KeyOutcome::inactive;
    if (entry.record.status == KeyStatus::inactive && !is_arriving(entry.record)) {
      continue;
    }
    const auto inactive = restate(open, entry.record, KeyStatus::inactive);
    const auto written = inactive ? store_.replace(*inactive) : Result<void>(fail(inactive.error()));
    if (!written) {
      refuse(*entry.result, "the key signs no more, but its record still says active (" + written.error().message +
                                "): deactivate it again");
    }
  }
}

Result<std::vector<KeyResult>> KeyService::remove(const std::vector<BlsPublicKey>& keys, bool chamber_exists) {
  return without_exceptions([&]() -> Result<std::vector<KeyResult>> {
    const std::lock_guard change(change_mutex_);
    if (chamber_exists && !is_open()) {
      return sealed_error();
    }
    std::vector<KeyResult> out(keys.size());
    std::vector<BlsPublicKey> leaving;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out[i].public_key = keys[i];
      out[i].outcome = KeyOutcome::not_found;
      CC_ASSIGN(const std::optional<StoredKey> stored, store_.find(keys[i]));
      const auto loaded = ring_.find(keys[i]);
      if (stored && !is_open()) {
        refuse(out[i], "the key is stored, but there is no chamber to open: bring back the seal record first");
      } else if (!stored && loaded && loaded->source == KeySource::filesystem) {
        out[i].outcome = KeyOutcome::deleted;
        out[i].message =
            "the key signs here no more, not after a reload or restart either; its key file stays: remove it";
        leaving.push_back(keys[i]);
      } else if (stored || loaded) {
        out[i].outcome = KeyOutcome::deleted;
        leaving.push_back(keys[i]);
      }
    }
    const auto withdrawn = leaving.empty() ? Result<void>() : permits_.withdraw(leaving);
    for (KeyResult& result : out) {
      if (result.outcome != KeyOutcome::deleted) {
        continue;
      }
      if (!withdrawn) {
        refuse(result, "the permit could not be withdrawn, the key may still sign here (" + withdrawn.error().message +
                           "): delete it again before it signs elsewhere");
        continue;
      }
      ring_.remove(*result.public_key);
      auto removed = store_.remove(*result.public_key);
      if (!removed && removed.error().kind != ErrorKind::unknown_key) {
        refuse(result, "the key signs no more, but its record is still stored (" + removed.error().message +
                           "): delete it again");
      }
    }
    log::info("keys removed", {{"keys", count_of(out, KeyOutcome::deleted)}});
    return out;
  });
}

}  // namespace cc::keys
