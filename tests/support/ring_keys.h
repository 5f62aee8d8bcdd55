// Keys for tests: scalars 1, 2, 3, …; worthless by design.
#pragma once

#include <array>
#include <memory>

#include "keys/key_ring.h"

namespace cc::test {

inline std::array<std::uint8_t, 32> scalar(std::uint32_t number) {
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    out[31 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return out;
}

inline std::shared_ptr<const keys::RingKey> ring_key(std::uint32_t number,
                                                     keys::KeySource source = keys::KeySource::memory) {
  crypto::BlsSecretKey secret = crypto::BlsSecretKey::from_bytes(scalar(number)).value();
  const BlsPublicKey public_key = secret.public_key();
  return std::make_shared<const keys::RingKey>(public_key, source, std::move(secret));
}

// A root that says its number.
inline Root root_of(std::uint64_t number) {
  Root out{};
  for (std::size_t i = 0; i < 8; ++i) {
    out[31 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return out;
}

}  // namespace cc::test
