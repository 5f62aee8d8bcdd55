// The chamber's keys: load, generate, import, activate, deactivate, remove, list; over the key store, the key ring and
// the permits of the slashing store.
//
// Order of writes, so that neither a crash nor a failed store in between leaves a key that signs although its caller
// was told otherwise:
//   a key comes  (generate, import, activate):   record (inactive), permit, record (active), ring;
//   a key leaves (deactivate, remove):           permit, ring, record.
// Every call may be repeated and then completes what a crash left half done.
//
// Threads: all methods from any thread. Changes are serialised; close() waits for none of them: it empties the ring at
// once, and a change under way ends without adding to it.
// Secrets that pass: the master key (load, borrowed), derived record keys (held while open), scalars, passwords,
// mnemonics (wiped after use).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "formats/age_recipient.h"
#include "keys/key_files.h"
#include "keys/key_record.h"
#include "keys/key_ring.h"
#include "keys/key_store.h"
#include "keys/permit_port.h"

namespace cc::keys {

// The master keys of an open chamber, borrowed for the length of a call.
struct MasterKeyView {
  MasterKeyId id{};
  const Secret<32>* key = nullptr;
};
struct MasterKeysView {
  MasterKeyId current{};
  std::vector<MasterKeyView> keys;  // the current one, and one retiring during a change of the master key
};

enum class KeyOutcome { generated, imported, restored, duplicate, active, inactive, deleted, not_found, error };
std::string_view name(KeyOutcome outcome);

struct KeyResult {
  std::optional<BlsPublicKey> public_key;  // absent when the item gave none
  KeyOutcome outcome = KeyOutcome::error;
  std::string message;  // for the operator; empty when there is nothing to say
};

struct ImportItem {
  std::variant<KeystoreItem, Secret<32>> key;  // a keystore, or a big-endian scalar
  bool persist = true;                         // false: kept in the ring only, until the process ends or seals
  std::string label;
};

// What an import does between opening its keys and storing the first of them: the slashing history that came with them
// goes in here. Told the public keys that opened; when it fails, nothing is imported. Must not call the service.
using BeforeImport = std::function<Result<void>(const std::vector<BlsPublicKey>&)>;

// Keys of one fresh mnemonic, and the mnemonic as an age file when recipients were named.
struct Generated {
  std::vector<KeyResult> keys;
  std::optional<Bytes> backup;
};
struct MnemonicRange {
  std::uint32_t first = 0;
  std::size_t count = 0;
};

struct KeyInfo {
  BlsPublicKey public_key{};
  KeyStatus status = KeyStatus::active;
  std::uint64_t created_at = 0;  // Unix seconds
  std::uint64_t updated_at = 0;
  std::string label;
};
struct KeyPage {
  std::vector<KeyInfo> keys;                // in order of public key
  std::optional<BlsPublicKey> next_cursor;  // absent on the last page
};

struct KeyServiceOptions {
  std::uint64_t progress_every = 1000;
  bool load_inactive = false;  // inactive keys join the ring too; their permit is withdrawn, so they sign nothing
  // Told during load: keys opened so far, keys expected. Besides, every step is logged.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};
inline constexpr std::size_t kLargestGenerate = 10'000;
inline constexpr std::size_t kLargestPage = 1000;

class KeyService {
 public:
  // The ports outlive the service; all of them thread-safe.
  KeyService(KeyStore& store, KeyRing& ring, PermitPort& permits, Random& random, const Clock& clock,
             KeyServiceOptions options = {});
  ~KeyService();

  // Proves every record and fills the ring with the active ones, without deriving a public key. Writes the sentinel
  // when the store has none. Returns the number of keys loaded; on an error the ring and the service stay as they were.
  // Errors: wrong_master_key, key_record_tampered, record_malformed, store_unavailable, signer_sealed (closed
  // meanwhile).
  Result<std::uint64_t> load(const ChamberId& chamber, const MasterKeysView& master_keys);
  // Takes these master keys as the ones in force, without touching the ring, and brings at most `most` stored records
  // under the current one, one by one, each by a conditional replace; the sentinel first, so that other signers add
  // nothing under the old one any more (KeyStore::hold_to). May be repeated at any time, by several signers at once.
  // Errors: signer_sealed, key_record_tampered, store_unavailable, record_conflict (the sentinel keeps changing).
  struct Resealed {
    std::uint64_t done = 0;  // by this call
    std::uint64_t left = 0;  // 0 only when the whole store was looked through
  };
  Result<Resealed> reseal(const ChamberId& chamber, const MasterKeysView& master_keys, std::size_t most);
  // Follows what other signers did to the store since the last time: keys that came in force join the ring, sealed keys
  // that are stored no more, or are inactive, leave it. Nothing to do while closed. Returns whether anything had
  // changed. Errors: key_record_tampered, record_malformed, store_unavailable, wrong_master_key (a record under one
  // that is not held: another signer replaced it); the ring stays as it was.
  Result<bool> follow();
  // Wipes the ring, whatever the source, and the derived keys. Idempotent.
  void close();
  bool is_open() const;

  // Keys m/12381/3600/i/0/0 of one fresh mnemonic, i = 0..count-1. With recipients the mnemonic is encrypted to them as
  // an age file, which every record carries and the reply gives; without, nobody ever sees it. In plaintext it leaves
  // this call in neither case. Errors: malformed_request (count, recipients), signer_sealed, store_unavailable.
  Result<Generated> generate(std::size_t count, const std::vector<age::Recipient>& recipients);
  Result<std::vector<KeyResult>> generate(std::size_t count);
  // Keys m/12381/3600/i/0/0 of a mnemonic that somebody kept, i = range.first..first+count-1, in this order. What is
  // stored already is a duplicate, so that a restore may be repeated. The keys may have signed elsewhere: their history
  // is not known. Errors: malformed_request (words, checksum, range), signer_sealed, store_unavailable, those of
  // `before`.
  Result<std::vector<KeyResult>> restore(const SecretBytes& words, const MnemonicRange& range,
                                         const BeforeImport& before = nullptr);
  // The age file of a stored key, proven; absent when it has none. Errors: unknown_key, signer_sealed,
  // key_record_tampered, store_unavailable.
  Result<std::optional<Bytes>> backup_of(const BlsPublicKey& key);
  // One result per item, in order; a bad item never spoils the others. `chamber_exists` is what the seal record says:
  // without a chamber memory keys are taken while the service is closed. Errors: signer_sealed, store_unavailable,
  // those of `before`.
  Result<std::vector<KeyResult>> import(const std::vector<ImportItem>& items, bool chamber_exists,
                                        const BeforeImport& before = nullptr);
  // Errors: signer_sealed.
  Result<std::vector<KeyResult>> set_status(const std::vector<BlsPublicKey>& keys, KeyStatus status);
  // Sealed keys need the service open; others do not. Of a key from a file the permit is withdrawn for good, the file
  // stays. Errors: signer_sealed.
  Result<std::vector<KeyResult>> remove(const std::vector<BlsPublicKey>& keys, bool chamber_exists);
  // Stored keys above the cursor. While closed the fields are read but not proven. Errors: malformed_request (limit),
  // key_record_tampered, record_malformed, store_unavailable.
  Result<KeyPage> list(std::size_t limit, const std::optional<BlsPublicKey>& cursor);

 private:
  struct Open;       // the derived keys of an open chamber
  struct Candidate;  // a key on its way in
  struct Entry;      // a stored key on its way to another status
  using OpenPtr = std::shared_ptr<const Open>;

  Result<OpenPtr> take_master_keys(const ChamberId& chamber, const MasterKeysView& master_keys);
  // Brings the sentinel under the current master key, whoever else tries so, and lets the store hold to it.
  Result<void> settle_sentinel(const Open& open);
  Result<bool> reseal_record(const Open& open, const StoredKey& stored);
  Result<std::uint64_t> count_retiring(const Open& open);

  OpenPtr opened() const;
  // Whether the service was neither closed nor opened anew since `open` was taken. A change of the master keys is no
  // opening: who seals a record looks at opened() under change_mutex_.
  bool still(const OpenPtr& open) const;
  static bool same_session(const OpenPtr& one, const OpenPtr& other);
  // Adds to the ring, if still(open).
  bool admit(const OpenPtr& open, std::shared_ptr<const RingKey> key);

  Result<bool> follow_proven();
  Result<std::uint64_t> load_proven(const ChamberId& chamber, const MasterKeysView& master_keys);
  Result<std::vector<std::shared_ptr<const RingKey>>> read_all(const Open& open, bool sentinel_known);
  bool belongs_in_ring(const KeyRecord& record) const;
  Result<KeyInfo> read_info(const OpenPtr& open, const StoredKey& stored) const;

  Result<void> commit(const OpenPtr& open, std::vector<Candidate>& candidates, KeyOutcome outcome,
                      const BeforeImport& before = nullptr, const std::optional<Bytes>& backup = std::nullopt);
  Result<void> store_new(const Open& open, std::vector<Candidate>& candidates, KeyOutcome outcome,
                         const std::optional<Bytes>& backup);
  Result<std::vector<Candidate>> derive_all(const OpenPtr& open, const SecretBytes& words,
                                            const MnemonicRange& range) const;
  void settle_stored(const Open& open, Candidate& candidate);
  Result<void> settle_in_memory(Candidate& candidate);
  void put_in_force(const OpenPtr& open, std::vector<Candidate>& candidates, bool fresh);
  // The record with another status. Under the current master key, whatever it was under: another signer may be dropping
  // the retiring one, and then nothing may stand under it.
  Result<StoredKey> restate(const Open& open, const KeyRecord& record, KeyStatus status);
  Result<void> activate_records(const Open& open, std::vector<Candidate>& candidates);
  Result<void> activate_records(const Open& open, std::vector<Entry>& entries);
  void activate(const OpenPtr& open, std::vector<Entry>& entries);
  void deactivate(const Open& open, std::vector<Entry>& entries);

  KeyStore& store_;
  KeyRing& ring_;
  PermitPort& permits_;
  Random& random_;
  const Clock& clock_;
  const KeyServiceOptions options_;
  std::mutex change_mutex_;        // one change of records and permits at a time
  mutable std::mutex open_mutex_;  // open_, closings_, and additions to the ring
  OpenPtr open_;                   // null while closed
  std::uint64_t closings_ = 0;
  std::uint64_t openings_ = 0;
  // Under change_mutex_: where reseal() goes on, and how many records it knows to be left.
  std::optional<BlsPublicKey> reseal_after_;
  std::optional<std::uint64_t> reseal_left_;
  std::optional<MasterKeyId> held_;  // of the sentinel that the store holds to; behind change_mutex_
  std::uint64_t changes_seen_ = 0;   // of the store, at the last load or follow; behind change_mutex_
};

}  // namespace cc::keys
