// KeyService: keys that come, by import; what comes of a mnemonic is in key_mnemonic.cc. Record, permit, record made
// active, ring, in this order.
#include <set>

#include "base/log.h"
#include "base/parallel.h"
#include "formats/keystore.h"
#include "formats/unicode.h"
#include "keys/key_service_parts.h"

namespace cc::keys {
namespace {

// One scrypt of a usual keystore takes 256 MiB.
constexpr std::size_t kMostKeystoreThreads = 4;

Result<crypto::BlsSecretKey> open_keystore(const KeystoreItem& item, std::optional<BlsPublicKey>& claimed) {
  CC_ASSIGN(const keystore::Keystore parsed, keystore::parse(item.json));
  claimed = parsed.public_key;
  return keystore::open(parsed, item.password);
}

Result<crypto::BlsSecretKey> open_item(const ImportItem& item, std::optional<BlsPublicKey>& claimed) {
  if (item.label.size() > kLargestLabel || !unicode::is_utf8(item.label)) {
    return fail(ErrorKind::malformed_request,
                "a label is UTF-8 text of at most " + std::to_string(kLargestLabel) + " bytes");
  }
  if (const auto* scalar = std::get_if<Secret<32>>(&item.key)) {
    return crypto::BlsSecretKey::from_bytes(expose_secret_bytes(*scalar));
  }
  return open_keystore(std::get<KeystoreItem>(item.key), claimed);
}

}  // namespace

Result<std::vector<KeyResult>> KeyService::import(const std::vector<ImportItem>& items, bool chamber_exists,
                                                  const BeforeImport& before) {
  return without_exceptions([&]() -> Result<std::vector<KeyResult>> {
    const OpenPtr open = opened();
    if (!open && chamber_exists) {
      return sealed_error();
    }
    std::vector<Candidate> candidates(items.size());
    const bool whole = run_parallel(items.size(), kMostKeystoreThreads, [&](std::size_t i) {
      Candidate& candidate = candidates[i];
      candidate.persist = items[i].persist;
      candidate.label = items[i].label;
      if (candidate.persist && !open) {
        candidate.refuse("there is no chamber yet: initialise it (operator init), or import with persist false");
        return true;
      }
      auto secret = open_item(items[i], candidate.result.public_key);
      if (!secret) {
        candidate.refuse(secret.error().message);
        return still(open);
      }
      candidate.result.public_key = secret->public_key();
      candidate.secret = std::move(*secret);
      return still(open);
    });
    if (!whole) {
      return sealed_error();
    }
    CC_TRY(commit(open, candidates, KeyOutcome::imported, before));
    std::vector<KeyResult> out;
    out.reserve(candidates.size());
    for (Candidate& candidate : candidates) {
      out.push_back(std::move(candidate.result));
    }
    return out;
  });
}

Result<void> KeyService::commit(const OpenPtr& open, std::vector<Candidate>& candidates, KeyOutcome outcome,
                                const BeforeImport& before, const std::optional<Bytes>& backup) {
  std::set<BlsPublicKey> seen;
  for (Candidate& candidate : candidates) {
    if (candidate.secret && !seen.insert(*candidate.result.public_key).second) {
      candidate.result = {candidate.result.public_key, KeyOutcome::duplicate, "named twice in this request"};
      candidate.secret.reset();
    }
  }
  const std::lock_guard change(change_mutex_);
  if (!still(open)) {
    return sealed_error();
  }
  if (before) {
    CC_TRY(before(std::vector<BlsPublicKey>(seen.begin(), seen.end())));
  }
  // The master key may have changed since; this one stays while change_mutex_ is held.
  const OpenPtr now = opened();
  if (now) {
    CC_TRY(store_new(*now, candidates, outcome, backup));
  }
  for (Candidate& candidate : candidates) {
    if (candidate.secret && !candidate.persist) {
      CC_TRY(settle_in_memory(candidate));
    }
  }
  put_in_force(open && now ? now : open, candidates, outcome == KeyOutcome::generated);
  return {};
}

Result<void> KeyService::store_new(const Open& open, std::vector<Candidate>& candidates, KeyOutcome outcome,
                                   const std::optional<Bytes>& backup) {
  std::vector<Candidate*> waiting;
  std::vector<StoredKey> records;
  const std::uint64_t now = clock_.unix_seconds();
  for (Candidate& candidate : candidates) {
    if (candidate.secret && candidate.persist) {
      const BlsPublicKey& public_key = *candidate.result.public_key;
      candidate.arriving = seal_key(open.sealing(), *candidate.secret, public_key, candidate.label, now, random_,
                                    KeyStatus::inactive, backup);
      records.push_back({public_key, KeyStatus::inactive, encode(*candidate.arriving)});
      waiting.push_back(&candidate);
    }
  }
  if (records.empty()) {
    return {};
  }
  CC_ASSIGN(const std::vector<bool> added, store_.add(records));
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (added.at(i)) {
      waiting[i]->result.outcome = outcome;
      waiting[i]->in_force = true;
    } else {
      settle_stored(open, *waiting[i]);
    }
  }
  return {};
}

// The key is stored already. One that is active, or was never in force, is put in force once more, which repairs what a
// crash or a failed permit left half done.
void KeyService::settle_stored(const Open& open, Candidate& candidate) {
  candidate.arriving.reset();
  const auto stored = store_.find(*candidate.result.public_key);
  if (!stored || !*stored) {
    return candidate.refuse("the key store cannot say whether it holds this key: import it again");
  }
  const auto record = open.prove(**stored);
  if (!record) {
    return candidate.refuse(record.error().message);
  }
  candidate.result.outcome = KeyOutcome::duplicate;
  if (is_arriving(*record)) {
    candidate.arriving = *record;
  }
  candidate.in_force = record->status == KeyStatus::active || candidate.arriving;
  if (!candidate.in_force) {
    candidate.result.message = "stored already, but inactive: activate it to let it sign";
  }
}

Result<void> KeyService::settle_in_memory(Candidate& candidate) {
  CC_ASSIGN(const auto stored, store_.find(*candidate.result.public_key));
  if (stored) {
    candidate.result.outcome = KeyOutcome::duplicate;
    candidate.result.message = "the key store holds this key already";
  } else if (ring_.contains(*candidate.result.public_key)) {
    // An explicit import gives the permit back, also to a key that a file brought in again after it was deleted here.
    candidate.result.outcome = KeyOutcome::duplicate;
    candidate.result.message = "loaded already; this import confirms that it may sign here";
    candidate.in_force = true;
  } else {
    candidate.result.outcome = KeyOutcome::imported;
    candidate.in_force = true;
  }
  return {};
}

Result<void> KeyService::activate_records(const Open& open, std::vector<Candidate>& candidates) {
  std::vector<StoredKey> records;
  for (const Candidate& candidate : candidates) {
    if (candidate.arriving) {
      CC_ASSIGN(StoredKey active, restate(open, *candidate.arriving, KeyStatus::active));
      records.push_back(std::move(active));
    }
  }
  return records.empty() ? Result<void>() : store_.replace_all(records);
}

void KeyService::put_in_force(const OpenPtr& open, std::vector<Candidate>& candidates, bool fresh) {
  std::vector<BlsPublicKey> wanted;
  for (const Candidate& candidate : candidates) {
    if (candidate.in_force) {
      wanted.push_back(*candidate.result.public_key);
    }
  }
  if (wanted.empty()) {
    return;
  }
  auto permitted = permits_.permit(wanted, fresh);
  if (permitted && open) {
    permitted = activate_records(*open, candidates);
  }
  for (Candidate& candidate : candidates) {
    if (!candidate.in_force) {
      continue;
    }
    if (!permitted) {
      candidate.refuse(std::string(candidate.persist ? "stored, but it does not sign yet" : "not permitted to sign") +
                       " (" + permitted.error().message + "): " +
                       (candidate.persist ? "activate it or import it again; delete it here before it signs elsewhere"
                                          : "import it again"));
      continue;
    }
    const KeySource source = candidate.persist ? KeySource::sealed : KeySource::memory;
    RingKey key{*candidate.result.public_key, source, std::move(*candidate.secret)};
    candidate.secret.reset();
    if (admit(open, std::make_shared<const RingKey>(std::move(key)))) {
      continue;
    }
    if (candidate.persist) {
      candidate.result.message = "stored; the chamber was sealed meanwhile, the key signs after the next unseal";
    } else {
      candidate.refuse("the chamber was sealed or initialised meanwhile: import it again");
    }
  }
  if (permitted) {
    log::info("keys put in force", {{"keys", wanted.size()}});
  }
}

}  // namespace cc::keys
