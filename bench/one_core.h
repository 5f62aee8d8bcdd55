// What the benchmarks of one core share: its clock, and keys as the batch signers take them.
#pragma once

#include <algorithm>
#include <ctime>
#include <utility>
#include <vector>

#include "base/random.h"
#include "crypto/recoded_key.h"

namespace cc::bench {

// Processor time of this thread.
inline double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Key {
  explicit Key(crypto::BlsSecretKey s) : secret(std::move(s)), recoded(secret) {}
  crypto::BlsSecretKey secret;
  crypto::RecodedKey recoded;
};

inline std::vector<Key> random_keys(std::size_t count, Random& random) {
  std::vector<Key> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Secret<32> scalar = random.secret<32>();
    expose_secret_bytes(scalar)[0] &= 0x3F;
    out.emplace_back(crypto::BlsSecretKey::from_checked(std::move(scalar)));
  }
  return out;
}

}  // namespace cc::bench
