// The sealed cache of opened keystores, format v1 (docs/spec/keystore-cache.md): spares the second start the key
// derivation of every keystore, and gives a thief nothing that the keystores themselves do not give.
//
// One cache key opens all entries. It is Argon2id over every pair of keystore and password that the cache names, so it
// is rebuilt only from the very files it was made of. Each entry is AES-256-GCM, bound to its keystore's digest and
// public key. Thread rule: none shared. Secrets that pass: passwords (borrowed), scalars.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/chain.h"
#include "base/random.h"
#include "crypto/bls.h"
#include "crypto/hash.h"
#include "crypto/password.h"

namespace cc::keys {

// A keystore file and its password, borrowed.
struct CacheMember {
  crypto::Digest keystore{};  // SHA-256 of the file's bytes
  const SecretBytes* password = nullptr;
};

struct CacheEntry {
  crypto::Digest keystore{};
  BlsPublicKey public_key{};
  std::array<std::uint8_t, 12> nonce{};
  std::array<std::uint8_t, 48> sealed_key{};
  bool operator==(const CacheEntry&) const = default;
};
struct KeystoreCache {
  std::array<std::uint8_t, 16> salt{};
  crypto::Argon2Params argon2{.memory_kib = 131072, .passes = 3, .lanes = 1};
  std::vector<CacheEntry> entries;  // in order of keystore digest, each once
  bool operator==(const KeystoreCache&) const = default;
};

Bytes encode(const KeystoreCache& cache);
// Errors: record_malformed.
Result<KeystoreCache> decode_cache(ByteView bytes);

struct CachedKey {
  BlsPublicKey public_key{};
  crypto::BlsSecretKey secret;
};
// A key and the digest of the keystore it came from.
struct KeyToCache {
  CacheMember member;
  BlsPublicKey public_key{};
  const crypto::BlsSecretKey* secret = nullptr;
};

// A new cache over all of them; of two with one digest the first is kept.
Result<KeystoreCache> seal_cache(std::span<const KeyToCache> keys, Random& random,
                                 const crypto::Argon2Params& argon2 = KeystoreCache().argon2);
// Opens every entry. Errors: not_found when a keystore of the cache is not among the members, keystore_password when a
// password or the cache was altered, record_malformed.
Result<std::map<crypto::Digest, CachedKey>> open_cache(const KeystoreCache& cache,
                                                       std::span<const CacheMember> members);

}  // namespace cc::keys
