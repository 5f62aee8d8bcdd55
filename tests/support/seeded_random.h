// A generator that gives the same bytes for the same seed on every machine. For tests only: it is not random at all.
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include "base/random.h"

namespace cc::test {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) {
      byte = static_cast<std::uint8_t>(engine_() >> 56);
    }
  }
  // 0 .. limit - 1, near enough to even for choosing test cases.
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  Bytes bytes(std::size_t size) {
    Bytes out(size);
    fill(out);
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace cc::test
