// Arithmetic of GF(2^8) with the polynomial x^8 + x^4 + x^3 + x + 1 (0x11B), and the two polynomial operations that
// Shamir's scheme is made of, over rows of bytes that share one x.
//
// Every function here takes the same steps and touches the same memory whatever the bytes are: no branch and no table
// depends on a value. Only lengths are public. Used by crypto/shamir.cc and by its tests; other rooms want
// crypto/shamir.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cc::crypto::gf256 {

std::uint8_t multiply(std::uint8_t a, std::uint8_t b);
// a^254, which is the inverse of a, and zero for zero.
std::uint8_t inverse(std::uint8_t a);

// Evaluates out.size() polynomials at x. `coefficients` holds them row by row, constant terms first: row k is
// coefficients[k * out.size() ...]. Its size must be a whole number of rows, at least one.
void evaluate(std::span<const std::uint8_t> coefficients, std::uint8_t x, std::span<std::uint8_t> out);

// The Lagrange weight at zero of xs[which]: the product of xs[j] / (xs[j] - xs[which]) over the others. The xs differ.
std::uint8_t weight_at_zero(std::span<const std::uint8_t> xs, std::size_t which);

// sum[i] ^= weight * y[i].
void add_scaled(std::span<std::uint8_t> sum, std::uint8_t weight, std::span<const std::uint8_t> y);

}  // namespace cc::crypto::gf256
