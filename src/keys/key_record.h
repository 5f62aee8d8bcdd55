// The sealed key record, format v1: one signing key under the master key. Every byte: docs/spec/key-record.md.
//
// The secret scalar is sealed with AES-256-GCM under HKDF(MK, "keys"); its AAD names chamber, master key, key type and
// public key, so a record that opens proves that scalar and public key belong together. Everything else lies in clear
// under a MAC by HKDF(MK, "key-status"). Decode and encode need no key; decode∘encode is the identity.
// Secrets that pass: derived record keys, secret scalars. Errors: record_malformed (bytes), key_record_tampered
// (proof).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/bls.h"
#include "crypto/hash.h"
#include "keys/key_store.h"

namespace cc::keys {

using ChamberId = std::array<std::uint8_t, 16>;
using MasterKeyId = std::array<std::uint8_t, 8>;

enum class KeyType : std::uint8_t { bls12_381 = 1 };

inline constexpr std::size_t kLargestLabel = 256;
inline constexpr std::size_t kLargestBackup = std::size_t{64} * 1024;

struct KeyRecord {
  KeyType type = KeyType::bls12_381;
  BlsPublicKey public_key{};
  MasterKeyId master_key{};  // the master key it is sealed under
  KeyStatus status = KeyStatus::active;
  std::uint64_t generation = 1;  // grows by one with every change of the fields in clear
  std::uint64_t created_at = 0;  // Unix seconds
  std::uint64_t updated_at = 0;
  std::string label;
  std::optional<Bytes> backup;  // an age file; absent unless a backup is configured
  crypto::Nonce nonce{};
  std::array<std::uint8_t, 32 + crypto::kTagBytes> sealed_key{};
  crypto::Digest status_mac{};
  bool operator==(const KeyRecord&) const = default;
};

Bytes encode(const KeyRecord& record);
Result<KeyRecord> decode(ByteView bytes);

// What is derived from one master key for the records of one chamber.
struct RecordKeys {
  ChamberId chamber{};
  MasterKeyId id{};
  Secret<32> keys;      // seals scalars
  Secret<32> status;    // MACs the fields in clear
  Secret<32> sentinel;  // seals the sentinel
};
RecordKeys derive_record_keys(const ChamberId& chamber, const MasterKeyId& id, const Secret<32>& master_key);

// A new record, of generation 1. The caller vouches that `public_key` is the key's own, and that `backup`, if there is
// one, is an age file of at most kLargestBackup bytes.
KeyRecord seal_key(const RecordKeys& keys, const crypto::BlsSecretKey& key, const BlsPublicKey& public_key,
                   std::string_view label, std::uint64_t now, Random& random, KeyStatus status = KeyStatus::active,
                   const std::optional<Bytes>& backup = std::nullopt);
// Stored, but never yet in force: it waits for its permit. A key that was switched off has a later generation.
inline bool is_arriving(const KeyRecord& record) {
  return record.status == KeyStatus::inactive && record.generation == 1;
}
// Proves the fields in clear.
Result<void> check_fields(const RecordKeys& keys, const KeyRecord& record);
// Proves the fields in clear, then changes the status and proves it anew.
Result<void> set_status(const RecordKeys& keys, KeyRecord& record, KeyStatus status, std::uint64_t now);
// The same key under another master key: proves and opens the record, seals it anew, and opens what it made. Nothing in
// clear changes but the master key and the generation.
Result<KeyRecord> reseal_key(const RecordKeys& from, const RecordKeys& to, const KeyRecord& record, Random& random);
// Proves the fields in clear and opens the scalar. No curve work.
Result<crypto::BlsSecretKey> open_key(const RecordKeys& keys, const KeyRecord& record);

// open_key for thousands: the cipher is set up once. The keys outlive it. Not thread-safe; one per thread.
class RecordLoader {
 public:
  explicit RecordLoader(const RecordKeys& keys) : keys_(keys), opener_(keys.keys) {}
  Result<crypto::BlsSecretKey> open(const KeyRecord& record);

 private:
  const RecordKeys& keys_;
  crypto::RecordOpener opener_;
};

// The sentinel of a key store: shows at unseal that the master key is the one of these records.
Bytes seal_sentinel(const RecordKeys& keys, Random& random);
// The chamber and master key it names. Errors: record_malformed.
struct SentinelNames {
  ChamberId chamber{};
  MasterKeyId master_key{};
};
Result<SentinelNames> sentinel_names(ByteView sentinel);
// Errors: record_malformed; wrong_master_key when it is of another chamber or master key, or does not open.
Result<void> check_sentinel(const RecordKeys& keys, ByteView sentinel);

}  // namespace cc::keys
