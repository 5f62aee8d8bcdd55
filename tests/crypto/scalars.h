// Scalars at the edges of the group's order and of its parameter, by Botan's integers: an arithmetic of its own.
#pragma once

#include <botan/bigint.h>

#include <set>
#include <vector>

#include "crypto/recoded_key.h"

namespace cc::test {

inline const Botan::BigInt& group_order() {
  static const Botan::BigInt order("0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
  return order;
}
inline const Botan::BigInt& curve_parameter() {  // |z|
  static const Botan::BigInt z("0xd201000000010000");
  return z;
}

inline crypto::BlsSecretKey scalar_of(const Botan::BigInt& value) {
  Secret<32> out;
  Botan::BigInt::encode_1363(expose_secret_bytes(out).data(), 32, value);
  return crypto::BlsSecretKey::from_bytes(expose_secret_bytes(out)).value();
}
inline crypto::BlsSecretKey small_scalar(std::uint32_t value) { return scalar_of(Botan::BigInt(value)); }
inline Botan::BigInt number(const crypto::BlsSecretKey& key) {
  return Botan::BigInt::decode(expose_secret_bytes(key.bytes()).data(), 32);
}
inline crypto::BlsSecretKey opposite(const crypto::BlsSecretKey& key) { return scalar_of(group_order() - number(key)); }

// The scalar that a recoding stands for, computed as the specification defines it.
inline Botan::BigInt from_digits(const crypto::RecodedKey& recoded, const crypto::BlsSecretKey& key) {
  const auto bytes = expose_secret_bytes(recoded.digits());
  const Botan::BigInt all_ones = (Botan::BigInt(1) << 64) - 1;
  Botan::BigInt sum = 0;
  for (std::size_t part = 4; part-- > 0;) {
    Botan::BigInt u = 0;
    for (std::size_t i = 8; i-- > 0;) {
      u = (u << 8) + bytes[8 * part + i];
    }
    sum = sum * curve_parameter() + (u * 2 - all_ones);
  }
  return number(key).is_odd() ? sum : group_order() - sum;
}

// Small ones, powers of two, multiples of powers of |z|, sums of them, each with its neighbours and opposites.
inline std::vector<crypto::BlsSecretKey> edge_scalars() {
  std::vector<Botan::BigInt> roots;
  for (std::size_t i = 0; i < 255; ++i) {
    roots.push_back(Botan::BigInt(1) << i);
  }
  const Botan::BigInt& z = curve_parameter();
  const Botan::BigInt z2 = z * z;
  const Botan::BigInt z3 = z2 * z;
  for (const Botan::BigInt& power : {z, z2, z3}) {
    for (const Botan::BigInt& factor : {Botan::BigInt(1), Botan::BigInt(2), Botan::BigInt(3), z - 1, z >> 1}) {
      roots.push_back(power * factor);
    }
  }
  for (const Botan::BigInt& d0 : {Botan::BigInt(1), z - 1}) {
    for (const Botan::BigInt& d3 : {Botan::BigInt(1), z - 1}) {
      roots.push_back(d3 * z3 + (z - 1) * z2 + (z - 1) * z + d0);
      roots.push_back(d3 * z3 + d0);
    }
  }
  roots.push_back(group_order() >> 1);
  for (std::uint32_t i = 0; i < 24; ++i) {
    roots.emplace_back(i);
  }
  std::set<Botan::BigInt> values;
  for (const Botan::BigInt& root : roots) {
    for (int near = -2; near <= 2; ++near) {
      const Botan::BigInt value = (root + group_order() + near) % group_order();
      values.insert(value);
      values.insert((group_order() - value) % group_order());
    }
  }
  values.erase(Botan::BigInt(0));
  std::vector<crypto::BlsSecretKey> out;
  for (const Botan::BigInt& value : values) {
    out.push_back(scalar_of(value));
  }
  return out;
}

}  // namespace cc::test
