// The numbers that a lane field needs, for any radix: all computed from the modulus at compile time. Internal to
// crypto.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cc::crypto::same_message {

struct Number {  // 384 bits, little-endian
  std::uint64_t limb[6];
};

inline constexpr Number kModulus = {{0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624, 0x64774b84f38512bf,
                                     0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a}};

// value >= the modulus
consteval bool not_reduced(const Number& value) {
  for (std::size_t i = 6; i-- > 0;) {
    if (value.limb[i] != kModulus.limb[i]) {
      return value.limb[i] > kModulus.limb[i];
    }
  }
  return true;
}

consteval Number doubled(const Number& value) {
  Number out{};
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    out.limb[i] = (value.limb[i] << 1) | carry;
    carry = value.limb[i] >> 63;
  }
  return out;
}

// 2^exponent mod p. Compile time only: it branches.
consteval Number power_of_two(std::size_t exponent) {
  Number value{{1, 0, 0, 0, 0, 0}};
  for (std::size_t i = 0; i < exponent; ++i) {
    value = doubled(value);
    if (not_reduced(value)) {
      std::uint64_t borrow = 0;
      for (std::size_t k = 0; k < 6; ++k) {
        const std::uint64_t less = value.limb[k] - kModulus.limb[k];
        const std::uint64_t out = less - borrow;
        borrow = (value.limb[k] < kModulus.limb[k] ? 1 : 0) | (less < borrow ? 1 : 0);
        value.limb[k] = out;
      }
    }
  }
  return value;
}

// The limbs of a number in another radix.
template <std::size_t kLimbs, std::size_t kRadix>
struct Limbs {
  std::uint64_t limb[kLimbs];
};

template <std::size_t kLimbs, std::size_t kRadix>
consteval Limbs<kLimbs, kRadix> in_radix(const Number& value) {
  Limbs<kLimbs, kRadix> out{};
  for (std::size_t bit = 0; bit < 384; ++bit) {
    out.limb[bit / kRadix] |= ((value.limb[bit / 64] >> (bit % 64)) & 1) << (bit % kRadix);
  }
  return out;
}

// -1/p modulo 2^64; its low bits serve every radix.
consteval std::uint64_t negated_inverse() {
  std::uint64_t inverse = 1;
  for (int i = 0; i < 6; ++i) {
    inverse *= 2 - kModulus.limb[0] * inverse;
  }
  return std::uint64_t{0} - inverse;
}

}  // namespace cc::crypto::same_message
