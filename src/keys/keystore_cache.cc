#include "keys/keystore_cache.h"

#include <algorithm>

#include "crypto/aead.h"
#include "formats/cbor.h"

namespace cc::keys {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kDomain = "cc/v1/keystore-cache";
constexpr std::size_t kMostEntries = 1'000'000;
constexpr std::size_t kSmallestEntry = 140;  // what one takes at least, so that a claimed count is never believed

// The password of the cache key: a chain over every pair, in order of digest. Each step takes 32 + 32 bytes of known
// length and the digest of one password, so no two lists give one chain.
Secret<32> chain_of(std::span<const CacheMember> members) {
  Secret<32> chain;
  for (const CacheMember& member : members) {
    const Secret<32> password =
        crypto::hkdf_sha256(expose_secret_bytes(*member.password), member.keystore, bytes_of(kDomain));
    const auto next =
        crypto::hmac_sha256(chain, {bytes_of(kDomain), ByteView(member.keystore), expose_secret_bytes(password)});
    chain = Secret<32>::copy_of(next);
  }
  return chain;
}

Result<Secret<32>> cache_key(const KeystoreCache& cache, std::span<const CacheMember> members) {
  const Secret<32> chain = chain_of(members);
  const SecretBytes password = SecretBytes::copy_of(expose_secret_bytes(chain));
  CC_ASSIGN(const Secret<64> stretched, crypto::argon2id(password, cache.salt, cache.argon2));
  return crypto::hkdf_sha256(expose_secret_bytes(stretched), cache.salt, bytes_of(kDomain));
}

// What an entry is bound to.
Bytes aad_of(const KeystoreCache& cache, const CacheEntry& entry) {
  Bytes out;
  append(out, bytes_of(kDomain));
  append(out, cache.salt);
  append(out, entry.keystore);
  append(out, entry.public_key);
  return out;
}

tl::unexpected<Error> altered() {
  return fail(ErrorKind::keystore_password, "the keystore cache does not open: a password changed, or it was altered");
}

}  // namespace

Bytes encode(const KeystoreCache& cache) {
  cbor::Writer out;
  out.map(4).key(1).uint(kVersion).key(2).bytes(cache.salt);
  out.key(3).array(2).uint(cache.argon2.memory_kib).uint(cache.argon2.passes);
  out.key(4).array(cache.entries.size());
  for (const CacheEntry& entry : cache.entries) {
    out.array(4).bytes(entry.keystore).bytes(entry.public_key).bytes(entry.nonce).bytes(entry.sealed_key);
  }
  return out.take();
}

namespace {

Result<CacheEntry> read_entry(cbor::Reader& in) {
  CacheEntry out;
  CC_ASSIGN(const std::uint64_t parts, in.array());
  if (parts != 4) {
    return fail(ErrorKind::record_malformed, "an entry of the keystore cache has four parts");
  }
  CC_ASSIGN(const ByteView digest, in.bytes(out.keystore.size()));
  CC_ASSIGN(const ByteView key, in.bytes(out.public_key.size()));
  CC_ASSIGN(const ByteView nonce, in.bytes(out.nonce.size()));
  CC_ASSIGN(const ByteView sealed, in.bytes(out.sealed_key.size()));
  std::ranges::copy(digest, out.keystore.begin());
  std::ranges::copy(key, out.public_key.begin());
  std::ranges::copy(nonce, out.nonce.begin());
  std::ranges::copy(sealed, out.sealed_key.begin());
  return out;
}

}  // namespace

Result<KeystoreCache> decode_cache(ByteView bytes) {
  cbor::Reader in(bytes);
  KeystoreCache out;
  CC_ASSIGN(const std::uint64_t pairs, in.map());
  CC_ASSIGN(const std::uint64_t version, in.uint_at(1));
  if (pairs != 4 || version != kVersion) {
    return fail(ErrorKind::record_malformed, "not a keystore cache of version 1");
  }
  CC_TRY(in.bytes_at(2, out.salt));
  CC_TRY(in.key(3));
  CC_ASSIGN(const std::uint64_t parameters, in.array());
  CC_ASSIGN(const std::uint64_t memory, in.uint());
  CC_ASSIGN(const std::uint64_t passes, in.uint());
  // argon2id() refuses what is out of its range; here only what does not fit.
  if (parameters != 2 || memory > UINT32_MAX || passes > UINT32_MAX) {
    return fail(ErrorKind::record_malformed, "the keystore cache has impossible Argon2id parameters");
  }
  out.argon2.memory_kib = static_cast<std::uint32_t>(memory);
  out.argon2.passes = static_cast<std::uint32_t>(passes);
  CC_TRY(in.key(4));
  CC_ASSIGN(const std::uint64_t count, in.array());
  if (count > kMostEntries || count > bytes.size() / kSmallestEntry) {
    return fail(ErrorKind::record_malformed, "the keystore cache is cut short");
  }
  out.entries.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    CC_ASSIGN(CacheEntry entry, read_entry(in));
    if (!out.entries.empty() && out.entries.back().keystore >= entry.keystore) {
      return fail(ErrorKind::record_malformed, "the keystore cache is not in order");
    }
    out.entries.push_back(entry);
  }
  CC_TRY(in.end());
  return out;
}

Result<KeystoreCache> seal_cache(std::span<const KeyToCache> keys, Random& random, const crypto::Argon2Params& argon2) {
  std::map<crypto::Digest, const KeyToCache*> ordered;
  for (const KeyToCache& key : keys) {
    ordered.emplace(key.member.keystore, &key);
  }
  std::vector<CacheMember> members;
  members.reserve(ordered.size());
  for (const auto& [digest, key] : ordered) {
    members.push_back(key->member);
  }
  KeystoreCache out;
  out.salt = random.array<16>();
  out.argon2 = argon2;
  CC_ASSIGN(const Secret<32> sealing, cache_key(out, members));
  out.entries.reserve(ordered.size());
  for (const auto& [digest, key] : ordered) {
    CacheEntry entry{digest, key->public_key, random.array<12>(), {}};
    const Bytes sealed =
        crypto::seal(sealing, entry.nonce, aad_of(out, entry), expose_secret_bytes(key->secret->bytes()));
    entry.sealed_key = to_array<48>(sealed);
    out.entries.push_back(entry);
  }
  return out;
}

Result<std::map<crypto::Digest, CachedKey>> open_cache(const KeystoreCache& cache,
                                                       std::span<const CacheMember> members) {
  std::map<crypto::Digest, const CacheMember*> known;
  for (const CacheMember& member : members) {
    known.emplace(member.keystore, &member);
  }
  std::vector<CacheMember> ordered;
  ordered.reserve(cache.entries.size());
  for (const CacheEntry& entry : cache.entries) {
    const auto found = known.find(entry.keystore);
    if (found == known.end()) {
      return fail(ErrorKind::not_found, "a keystore of the cache is gone or was changed");
    }
    ordered.push_back(*found->second);
  }
  std::map<crypto::Digest, CachedKey> out;
  if (ordered.empty()) {
    return out;
  }
  CC_ASSIGN(const Secret<32> key, cache_key(cache, ordered));
  crypto::RecordOpener opener(key);
  for (const CacheEntry& entry : cache.entries) {
    Secret<32> scalar;
    if (!opener.open(entry.nonce, aad_of(cache, entry), entry.sealed_key, expose_secret_bytes(scalar))) {
      return altered();
    }
    out.emplace(entry.keystore, CachedKey{entry.public_key, crypto::BlsSecretKey::from_checked(std::move(scalar))});
  }
  return out;
}

}  // namespace cc::keys
