// Eight 64-bit lanes and AVX-512's 52-bit multiplier in plain integers, for lane_field.h: the same steps as the vector
// kernel on any machine, and where the constant-time checker can follow them. Internal to crypto.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cc::crypto::same_message {

struct EmulatedIfma {
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kRadix = 52;
  static constexpr std::size_t kLimbs = 8;
  static constexpr std::uint64_t kLow = (std::uint64_t{1} << kRadix) - 1;
  struct Vec {
    std::uint64_t lane[kLanes];
  };
  __extension__ using Wide = unsigned __int128;

  template <class Operation>
  static Vec each(const Vec& a, const Vec& b, const Operation& operation) {
    Vec out;
    for (std::size_t i = 0; i < kLanes; ++i) {
      out.lane[i] = operation(a.lane[i], b.lane[i]);
    }
    return out;
  }
  static Vec set1(std::uint64_t value) {
    Vec out;
    for (std::uint64_t& lane : out.lane) {
      lane = value;
    }
    return out;
  }
  static Vec load(const std::uint64_t* words) {
    Vec out;
    __builtin_memcpy(out.lane, words, sizeof(out.lane));
    return out;
  }
  static void store(std::uint64_t* words, const Vec& value) { __builtin_memcpy(words, value.lane, sizeof(value.lane)); }
  static Vec add(const Vec& a, const Vec& b) {
    return each(a, b, [](std::uint64_t x, std::uint64_t y) { return x + y; });
  }
  static Vec subtract(const Vec& a, const Vec& b) {
    return each(a, b, [](std::uint64_t x, std::uint64_t y) { return x - y; });
  }
  static Vec both(const Vec& a, const Vec& b) {
    return each(a, b, [](std::uint64_t x, std::uint64_t y) { return x & y; });
  }
  static Vec either(const Vec& a, const Vec& b) {
    return each(a, b, [](std::uint64_t x, std::uint64_t y) { return x ^ y; });
  }
  static Vec shift(const Vec& a) {
    return each(a, a, [](std::uint64_t x, std::uint64_t) { return x >> kRadix; });
  }
  static Vec shift_signed(const Vec& a) {
    return each(a, a, [](std::uint64_t x, std::uint64_t) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(x) >> kRadix);
    });
  }
  static Wide product(std::uint64_t a, std::uint64_t b) { return Wide{a & kLow} * (b & kLow); }
  static void multiply_add(Vec& here, Vec& next, const Vec& a, const Vec& b) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      const Wide both_halves = product(a.lane[i], b.lane[i]);
      here.lane[i] += static_cast<std::uint64_t>(both_halves) & kLow;
      next.lane[i] += static_cast<std::uint64_t>(both_halves >> kRadix);
    }
  }
  static Vec low_product(const Vec& a, const Vec& b) {
    return each(a, b,
                [](std::uint64_t x, std::uint64_t y) { return static_cast<std::uint64_t>(product(x, y)) & kLow; });
  }
  static Vec pick(const std::uint64_t* words, std::size_t count, const Vec& index) {
    Vec out = set1(0);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::uint64_t difference = i ^ index.lane[lane];
        std::uint64_t mask = std::uint64_t{0} - (((difference - 1) & ~difference) >> 63);
        __asm__("" : "+r"(mask));
        out.lane[lane] |= words[i] & mask;
      }
    }
    return out;
  }
};

}  // namespace cc::crypto::same_message
