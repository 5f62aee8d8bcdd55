#include "crypto/gf256.h"

#include <algorithm>

namespace cc::crypto::gf256 {
namespace {

// All ones when the lowest bit is set, else zero. The empty assembly keeps the compiler from knowing that the value is
// a mask, so that it cannot turn the masking below into a branch.
std::uint8_t mask_of_low_bit(std::uint8_t value) {
  auto mask = static_cast<std::uint8_t>(-(value & 1));
  asm volatile("" : "+r"(mask));
  return mask;
}

}  // namespace

std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
  constexpr std::uint8_t kReduction = 0x1B;
  std::uint8_t product = 0;
  for (int bit = 0; bit < 8; ++bit) {
    product ^= static_cast<std::uint8_t>(a & mask_of_low_bit(b));
    const std::uint8_t overflow = mask_of_low_bit(static_cast<std::uint8_t>(a >> 7));
    a = static_cast<std::uint8_t>((a << 1) ^ (kReduction & overflow));
    b = static_cast<std::uint8_t>(b >> 1);
  }
  return product;
}

std::uint8_t inverse(std::uint8_t a) {
  // 254 = 2 + 4 + ... + 128: the product of the seven squarings of a.
  std::uint8_t power = a;
  std::uint8_t product = 1;
  for (int i = 0; i < 7; ++i) {
    power = multiply(power, power);
    product = multiply(product, power);
  }
  return product;
}

void evaluate(std::span<const std::uint8_t> coefficients, std::uint8_t x, std::span<std::uint8_t> out) {
  const std::size_t width = out.size();
  const auto highest = coefficients.last(width);
  std::copy(highest.begin(), highest.end(), out.begin());
  for (std::size_t row = coefficients.size() / width - 1; row-- > 0;) {
    for (std::size_t i = 0; i < width; ++i) {
      out[i] = static_cast<std::uint8_t>(multiply(out[i], x) ^ coefficients[row * width + i]);
    }
  }
}

std::uint8_t weight_at_zero(std::span<const std::uint8_t> xs, std::size_t which) {
  std::uint8_t weight = 1;
  for (std::size_t j = 0; j < xs.size(); ++j) {
    if (j != which) {
      weight = multiply(weight, multiply(xs[j], inverse(static_cast<std::uint8_t>(xs[j] ^ xs[which]))));
    }
  }
  return weight;
}

void add_scaled(std::span<std::uint8_t> sum, std::uint8_t weight, std::span<const std::uint8_t> y) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] ^= multiply(weight, y[i]);
  }
}

}  // namespace cc::crypto::gf256
