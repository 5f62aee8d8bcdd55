#include "crypto/field_blst.h"

#include <atomic>

namespace cc::crypto::same_message {
namespace {

// 32-bit places, because SSE2 compares no 64-bit ones; entries are aligned to 8 bytes only.
using Lane16 = std::uint32_t __attribute__((vector_size(16), may_alias, aligned(8)));
using Lane32 = std::uint32_t __attribute__((vector_size(32), may_alias, aligned(8)));

// Copies entries[index] to `out`. The mask of entry i is all ones where i equals the index. Six vectors are collected
// at a time, so that they and the mask stay in registers.
template <class Vector>
__attribute__((always_inline)) inline void scan_entries(blst_p2_affine* out, const blst_p2_affine* entries,
                                                        std::size_t count, std::uint64_t index) {
  constexpr std::size_t kAtOnce = 6;
  constexpr std::size_t kVectors = sizeof(blst_p2_affine) / sizeof(Vector);
  static_assert(kVectors * sizeof(Vector) == sizeof(blst_p2_affine) && kVectors % kAtOnce == 0);
  const Vector wanted = Vector{} + static_cast<std::uint32_t>(index);
  auto* to = reinterpret_cast<Vector*>(out);
  for (std::size_t first = 0; first < kVectors; first += kAtOnce) {
    Vector place{};
    Vector sum[kAtOnce] = {};
    const auto* from = reinterpret_cast<const Vector*>(entries) + first;
    for (std::size_t i = 0; i < count; ++i, from += kVectors) {
      const auto mask = reinterpret_cast<Vector>(place == wanted);
#pragma GCC unroll 6
      for (std::size_t k = 0; k < kAtOnce; ++k) {
        sum[k] |= from[k] & mask;
      }
      place += 1;
    }
#pragma GCC unroll 6
    for (std::size_t k = 0; k < kAtOnce; ++k) {
      to[first + k] = sum[k];
    }
  }
}

using ScanFunction = void (*)(blst_p2_affine*, const blst_p2_affine*, std::size_t, std::uint64_t);

void scan_baseline(blst_p2_affine* out, const blst_p2_affine* entries, std::size_t count, std::uint64_t index) {
  scan_entries<Lane16>(out, entries, count, index);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void scan_avx2(blst_p2_affine* out, const blst_p2_affine* entries, std::size_t count,
                                               std::uint64_t index) {
  scan_entries<Lane32>(out, entries, count, index);
}
#endif

ScanFunction function_of(Scan scan) {
#if defined(__x86_64__)
  if (scan == Scan::avx2) {
    return scan_avx2;
  }
#endif
  (void)scan;
  return scan_baseline;
}

std::atomic<ScanFunction>& chosen() {
  static std::atomic<ScanFunction> scan{function_of(best_scan())};
  return scan;
}

blst_fp from_limbs(const std::uint64_t (&limbs)[6]) {
  blst_fp out;
  blst_fp_from_uint64(&out, limbs);
  return out;
}

void conjugate(blst_fp2& value) { blst_fp_cneg(&value.fp[1], &value.fp[1], true); }

}  // namespace

Scan best_scan() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) {
    return Scan::avx2;
  }
#endif
  return Scan::baseline;
}

void use_scan(Scan scan) { chosen().store(function_of(scan)); }

const PsiConstants& psi_constants() {
  // 1 / (1+i)^((p-1)/3) without its factor i, 1 / (1+i)^((p-1)/2), and the first one's norm.
  static const PsiConstants constants = {from_limbs({0x8bfd00000000aaad, 0x409427eb4f49fffd, 0x897d29650fb85f9b,
                                                     0xaa0d857d89759ad4, 0xec02408663d4de85, 0x1a0111ea397fe699}),
                                         {{from_limbs({0xf1ee7b04121bdea2, 0x304466cf3e67fa0a, 0xef396489f61eb45e,
                                                       0x1c3dedd930b1cf60, 0xe2e9c448d77a2cd9, 0x135203e60180a68e}),
                                           from_limbs({0xc81084fbede3cc09, 0xee67992f72ec05f4, 0x77f76e17009241c5,
                                                       0x48395dabc2d3435e, 0x6831e36d6bd17ffe, 0x06af0e0437ff400b})}},
                                         from_limbs({0x8bfd00000000aaac, 0x409427eb4f49fffd, 0x897d29650fb85f9b,
                                                     0xaa0d857d89759ad4, 0xec02408663d4de85, 0x1a0111ea397fe699})};
  return constants;
}

void BlstField::select(Element& x, Element& y, const Entry* entries, std::size_t count, const std::uint64_t* index) {
  static_assert(sizeof(blst_p2_affine) == 2 * sizeof(blst_fp2));
  blst_p2_affine entry;
  chosen().load(std::memory_order_relaxed)(&entry, entries, count, index[0]);
  x = entry.x;
  y = entry.y;
  wipe(entry.x);
  wipe(entry.y);
}

void BlstField::negated_psi(Element& x, Element& y) {
  const PsiConstants& constants = psi_constants();
  // i * c * (a - b i) = c b + c a i
  const blst_fp real = x.fp[0];
  blst_fp_mul(&x.fp[0], &x.fp[1], &constants.cx);
  blst_fp_mul(&x.fp[1], &real, &constants.cx);
  conjugate(y);
  blst_fp2_mul(&y, &y, &constants.cy);
  blst_fp2_cneg(&y, &y, true);
}

void BlstField::psi_squared(Element& x, Element& y) {
  const PsiConstants& constants = psi_constants();
  blst_fp_mul(&x.fp[0], &x.fp[0], &constants.cx2);
  blst_fp_mul(&x.fp[1], &x.fp[1], &constants.cx2);
  blst_fp2_cneg(&y, &y, true);
}

}  // namespace cc::crypto::same_message
