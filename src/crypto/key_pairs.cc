#include "crypto/key_pairs.h"

#include <blst.h>

#include <array>
#include <vector>

#include "base/bytes.h"

namespace cc::crypto {
namespace {

constexpr std::size_t kWeightBytes = 8;
constexpr std::size_t kWeightBits = 64;

// A scalar that is wiped when it goes.
struct SecretScalar {
  SecretScalar() = default;
  explicit SecretScalar(const BlsSecretKey& key) {
    blst_scalar_from_bendian(&value, expose_secret_bytes(key.bytes()).data());
  }
  SecretScalar(const SecretScalar&) = delete;
  SecretScalar& operator=(const SecretScalar&) = delete;
  ~SecretScalar() { wipe(value.b); }
  blst_scalar value{};
};

using Weight = std::array<std::uint8_t, kWeightBytes>;

// A weight of zero would leave its pair out.
std::vector<Weight> draw_weights(std::size_t count, Random& random) {
  std::vector<Weight> out(count);
  for (Weight& weight : out) {
    random.fill(weight);
    weight[0] |= 1;
  }
  return out;
}

// (sum of weight * key) G, compressed.
BlsPublicKey weighted_secret(std::span<const KeyPair> pairs, const std::vector<Weight>& weights) {
  SecretScalar sum;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const SecretScalar key(*pairs[i].secret);
    blst_scalar weight{};
    blst_scalar_from_le_bytes(&weight, weights[i].data(), weights[i].size());
    SecretScalar product;
    blst_sk_mul_n_check(&product.value, &key.value, &weight);
    blst_sk_add_n_check(&sum.value, &sum.value, &product.value);
  }
  blst_p1 point;
  blst_sk_to_pk_in_g1(&point, &sum.value);
  BlsPublicKey out;
  blst_p1_compress(out.data(), &point);
  return out;
}

}  // namespace

bool pairs_match(std::span<const KeyPair> pairs, Random& random) {
  if (pairs.empty()) {
    return true;
  }
  const std::vector<Weight> weights = draw_weights(pairs.size(), random);
  std::vector<blst_p1_affine> points(pairs.size());
  std::vector<const blst_p1_affine*> point_list(pairs.size());
  std::vector<const byte*> weight_list(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (blst_p1_uncompress(&points[i], pairs[i].public_key->data()) != BLST_SUCCESS ||
        blst_p1_affine_is_inf(&points[i])) {
      return false;
    }
    point_list[i] = &points[i];
    weight_list[i] = weights[i].data();
  }
  std::vector<limb_t> scratch(blst_p1s_mult_pippenger_scratch_sizeof(pairs.size()) / sizeof(limb_t) + 1);
  blst_p1 sum;
  blst_p1s_mult_pippenger(&sum, point_list.data(), pairs.size(), weight_list.data(), kWeightBits, scratch.data());
  BlsPublicKey compressed;
  blst_p1_compress(compressed.data(), &sum);
  return equal_constant_time(compressed, weighted_secret(pairs, weights));
}

}  // namespace cc::crypto
