// The portable Field of same_message_pass.h: blst's functions, one lane. Internal to crypto.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>

namespace cc::crypto::same_message {

// Which entry scan runs. Each reads every entry and keeps one by masks.
enum class Scan { baseline, avx2 };
Scan best_scan();
// For tests and measurements; otherwise best_scan() runs.
void use_scan(Scan scan);

struct BlstField {
  using Element = blst_fp2;
  using Entry = blst_p2_affine;
  static constexpr std::size_t kLanes = 1;

  static void subtract(Element& out, const Element& a, const Element& b) { blst_fp2_sub(&out, &a, &b); }
  static void multiply(Element& out, const Element& a, const Element& b) { blst_fp2_mul(&out, &a, &b); }
  static void square(Element& out, const Element& a) { blst_fp2_sqr(&out, &a); }
  static void negate_where(Element& value, const std::uint64_t* flags) { blst_fp2_cneg(&value, &value, flags[0] != 0); }
  static void select(Element& x, Element& y, const Entry* entries, std::size_t count, const std::uint64_t* index);
  static void negated_psi(Element& x, Element& y);
  static void psi_squared(Element& x, Element& y);
  static void convert(const blst_p2_affine* points, std::size_t count, Entry* out) {
    __builtin_memcpy(out, points, count * sizeof(Entry));
  }
  static void read_lanes(blst_fp2* out, const Element& value) { out[0] = value; }
  static void write_lanes(Element& out, const blst_fp2* values) { out = values[0]; }
  static void wipe(Element& value) {
    __builtin_memset(&value, 0, sizeof(value));
    __asm__ __volatile__("" : : "r"(&value) : "memory");
  }
};

// The constants of psi in Montgomery form: psi(x, y) = (i * cx * conj(x), cy * conj(y)), where i*i = -1, and
// psi^2(x, y) = (cx2 * x, -y).
struct PsiConstants {
  blst_fp cx;
  blst_fp2 cy;
  blst_fp cx2;
};
const PsiConstants& psi_constants();

}  // namespace cc::crypto::same_message
