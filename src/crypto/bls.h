// BLS12-381 signatures, minimal-pubkey-size scheme, ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_
// (Ethereum consensus specification). A narrow face over blst. Everything here is thread-safe and works on the caller's
// thread. A private key lies in locked memory; blst's own copy of the scalar is on the stack for one call and wiped.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/chain.h"
#include "base/secret.h"

namespace cc::crypto {

// A scalar in 1..r-1, big-endian, valid by construction.
class BlsSecretKey {
 public:
  // Errors: key_invalid for zero, r or more, or a length other than 32.
  static Result<BlsSecretKey> from_bytes(std::span<const std::uint8_t> big_endian);
  // For bytes that were checked when they were sealed (a key ring of thousands): no curve work, no range check.
  static BlsSecretKey from_checked(Secret<32> big_endian);
  BlsSecretKey clone() const { return BlsSecretKey(bytes_.clone()); }

  BlsPublicKey public_key() const;
  // Signs a 32-byte signing root: hash to G2, multiply, compress.
  BlsSignature sign(const Root& signing_root) const;
  // Big-endian scalar, still secret.
  const Secret<32>& bytes() const { return bytes_; }

 private:
  explicit BlsSecretKey(Secret<32> bytes) : bytes_(std::move(bytes)) {}
  Secret<32> bytes_;
};

// H(m), kept so that a message signed by many keys is hashed once. Copyable, public.
class HashedMessage {
 public:
  explicit HashedMessage(const Root& signing_root);
  BlsSignature sign(const BlsSecretKey& key) const;
  // H(m) as blst's blst_p2, for the rest of this room.
  std::span<const std::uint8_t, 288> point() const { return point_; }

 private:
  alignas(16) std::array<std::uint8_t, 288> point_{};  // blst_p2, kept opaque
};

// Full check, with subgroup checks of both points.
bool verify(const BlsPublicKey& key, const Root& signing_root, const BlsSignature& signature);
// Whether the bytes are a public key: a compressed point of the right subgroup, not infinity.
bool is_public_key(ByteView bytes);

// EIP-2333 key derivation. seed: at least 32 bytes.
Result<BlsSecretKey> derive_master(const SecretBytes& seed);
BlsSecretKey derive_child(const BlsSecretKey& parent, std::uint32_t index);

}  // namespace cc::crypto
