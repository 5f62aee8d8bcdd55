// A key as the batch signers take it, and random ones.
#pragma once

#include <utility>
#include <vector>

#include "crypto/recoded_key.h"
#include "support/seeded_random.h"

namespace cc::crypto {

struct Key {
  explicit Key(BlsSecretKey s) : secret(std::move(s)), recoded(secret) {}  // NOLINT(clang-analyzer-optin*)
  BlsSecretKey secret;
  RecodedKey recoded;
};

inline BlsSecretKey random_key(test::SeededRandom& random) {
  Secret<32> scalar = random.secret<32>();
  expose_secret_bytes(scalar)[0] &= 0x3F;
  return BlsSecretKey::from_checked(std::move(scalar));
}

inline std::vector<Key> random_keys(std::size_t count, std::uint64_t seed) {
  test::SeededRandom random(seed);
  std::vector<Key> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.emplace_back(random_key(random));
  }
  return out;
}

}  // namespace cc::crypto
