// The unsealed keys in locked memory, ready to sign. Thread-safe; look-ups never wait for a load.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/chain.h"
#include "crypto/bls.h"
#include "crypto/recoded_key.h"

namespace cc::keys {

enum class KeySource { sealed, filesystem, memory };
std::string_view name(KeySource source);

// 64 bytes of locked memory: the scalar and its recoding, made here once so that signing need not.
struct RingKey {
  RingKey(const BlsPublicKey& key, KeySource from, crypto::BlsSecretKey scalar)
      : public_key(key), source(from), secret(std::move(scalar)), recoded(secret) {}

  BlsPublicKey public_key;
  KeySource source;
  crypto::BlsSecretKey secret;
  crypto::RecodedKey recoded;
};

class KeyRing {
 public:
  // Null when the key is not loaded. The pointer keeps the key alive for a signature that is under way.
  std::shared_ptr<const RingKey> find(const BlsPublicKey& key) const;
  bool contains(const BlsPublicKey& key) const { return find(key) != nullptr; }
  // False when a key with this public key is there already: the first one wins, but a sealed one takes the place of the
  // same key from a file or from memory, so that it stays when the file goes.
  bool add(std::shared_ptr<const RingKey> key);
  bool remove(const BlsPublicKey& key);
  // Wipes every key, whatever its source. Keys of signatures under way die with them.
  void clear();
  // Wipes the keys of one source.
  void clear(KeySource source);
  std::uint64_t size() const;
  std::vector<BlsPublicKey> public_keys() const;  // sorted

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<BlsPublicKey, std::shared_ptr<const RingKey>, BlsPublicKeyHash> keys_;
};

}  // namespace cc::keys
