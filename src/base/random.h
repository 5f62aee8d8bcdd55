// Randomness as a port, so that formats have vectors and ceremonies replay.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/secret.h"

namespace cc {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    fill(out);
    return out;
  }
  template <std::size_t N>
  Secret<N> secret() {
    Secret<N> out;
    fill(expose_secret_bytes(out));
    return out;
  }
};

// The kernel's generator (getrandom through libsodium).
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace cc
