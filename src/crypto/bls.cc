#include "crypto/bls.h"

#include <blst.h>

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace cc::crypto {
namespace {

constexpr std::string_view kCiphersuite = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLeastSeedBytes = 32;

static_assert(sizeof(blst_p2) == 288 && alignof(blst_p2) <= 16, "HashedMessage::point_ holds one blst_p2");
static_assert(std::is_trivially_copyable_v<blst_p2>);

// The scalar in blst's own order, wiped when it goes.
class Scalar {
 public:
  Scalar() = default;
  explicit Scalar(const Secret<32>& big_endian) {
    blst_scalar_from_bendian(&value_, expose_secret_bytes(big_endian).data());
  }
  Scalar(const Scalar&) = delete;
  Scalar& operator=(const Scalar&) = delete;
  ~Scalar() { wipe(value_.b); }

  blst_scalar* get() { return &value_; }
  const blst_scalar* get() const { return &value_; }
  bool is_key() const { return blst_sk_check(&value_); }
  Secret<32> big_endian() const {
    Secret<32> out;
    blst_bendian_from_scalar(expose_secret_bytes(out).data(), &value_);
    return out;
  }

 private:
  blst_scalar value_{};
};

void hash_to_g2(blst_p2& out, const Root& signing_root) {
  blst_hash_to_g2(&out, signing_root.data(), signing_root.size(), reinterpret_cast<const byte*>(kCiphersuite.data()),
                  kCiphersuite.size(), nullptr, 0);
}

BlsSignature sign_point(const blst_p2& hash, const Secret<32>& key) {
  const Scalar scalar(key);
  blst_p2 signature;
  blst_sign_pk_in_g1(&signature, &hash, scalar.get());
  BlsSignature out;
  blst_p2_compress(out.data(), &signature);
  return out;
}

bool read_public_key(blst_p1_affine& out, const byte* compressed) {
  return blst_p1_uncompress(&out, compressed) == BLST_SUCCESS && !blst_p1_affine_is_inf(&out);
}

}  // namespace

Result<BlsSecretKey> BlsSecretKey::from_bytes(std::span<const std::uint8_t> big_endian) {
  if (big_endian.size() != kKeyBytes) {
    return fail(ErrorKind::key_invalid, "a BLS private key has 32 bytes, not " + std::to_string(big_endian.size()));
  }
  auto bytes = Secret<kKeyBytes>::copy_of(big_endian.first<kKeyBytes>());
  if (!Scalar(bytes).is_key()) {
    return fail(ErrorKind::key_invalid, "the private key is zero or not below the order of the BLS12-381 group");
  }
  return BlsSecretKey(std::move(bytes));
}

BlsSecretKey BlsSecretKey::from_checked(Secret<32> big_endian) { return BlsSecretKey(std::move(big_endian)); }

BlsPublicKey BlsSecretKey::public_key() const {
  const Scalar scalar(bytes_);
  blst_p1 point;
  blst_sk_to_pk_in_g1(&point, scalar.get());
  BlsPublicKey out;
  blst_p1_compress(out.data(), &point);
  return out;
}

BlsSignature BlsSecretKey::sign(const Root& signing_root) const {
  blst_p2 hash;
  hash_to_g2(hash, signing_root);
  return sign_point(hash, bytes_);
}

HashedMessage::HashedMessage(const Root& signing_root) {
  blst_p2 hash;
  hash_to_g2(hash, signing_root);
  std::memcpy(point_.data(), &hash, sizeof(hash));
}

BlsSignature HashedMessage::sign(const BlsSecretKey& key) const {
  blst_p2 hash;
  std::memcpy(&hash, point_.data(), sizeof(hash));
  return sign_point(hash, key.bytes());
}

bool verify(const BlsPublicKey& key, const Root& signing_root, const BlsSignature& signature) {
  blst_p1_affine key_point;
  blst_p2_affine signature_point;
  if (!read_public_key(key_point, key.data()) ||
      blst_p2_uncompress(&signature_point, signature.data()) != BLST_SUCCESS) {
    return false;
  }
  // blst checks the subgroup of both points inside.
  return blst_core_verify_pk_in_g1(&key_point, &signature_point, true, signing_root.data(), signing_root.size(),
                                   reinterpret_cast<const byte*>(kCiphersuite.data()), kCiphersuite.size(), nullptr,
                                   0) == BLST_SUCCESS;
}

bool is_public_key(ByteView bytes) {
  blst_p1_affine point;
  return bytes.size() == std::tuple_size_v<BlsPublicKey> && read_public_key(point, bytes.data()) &&
         blst_p1_affine_in_g1(&point);
}

Result<BlsSecretKey> derive_master(const SecretBytes& seed) {
  if (seed.size() < kLeastSeedBytes) {
    return fail(ErrorKind::key_invalid, "an EIP-2333 seed has at least 32 bytes, not " + std::to_string(seed.size()));
  }
  const auto bytes = expose_secret_bytes(seed);
  Scalar scalar;
  blst_derive_master_eip2333(scalar.get(), bytes.data(), bytes.size());
  return BlsSecretKey::from_checked(scalar.big_endian());
}

BlsSecretKey derive_child(const BlsSecretKey& parent, std::uint32_t index) {
  const Scalar from(parent.bytes());
  Scalar scalar;
  blst_derive_child_eip2333(scalar.get(), from.get(), index);
  return BlsSecretKey::from_checked(scalar.big_endian());
}

}  // namespace cc::crypto
