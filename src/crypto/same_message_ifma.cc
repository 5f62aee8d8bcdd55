// The same-message kernel for AVX-512 IFMA: eight keys at a time, limbs of 52 bits. This file alone is compiled for
// these instructions (CMakeLists.txt); everything in it has internal linkage, so that no other file runs its code.
#include "crypto/same_message_kernel.h"

#if defined(__AVX512F__) && defined(__AVX512IFMA__)

#include <immintrin.h>

#include "crypto/lane_field.h"

namespace cc::crypto::same_message {
namespace {

struct Ifma {
  using Vec = __m512i;
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kRadix = 52;
  static constexpr std::size_t kLimbs = 8;

  static Vec set1(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
  static Vec load(const std::uint64_t* words) { return _mm512_loadu_si512(words); }
  static void store(std::uint64_t* words, Vec value) { _mm512_storeu_si512(words, value); }
  static Vec add(Vec a, Vec b) { return _mm512_add_epi64(a, b); }
  static Vec subtract(Vec a, Vec b) { return _mm512_sub_epi64(a, b); }
  static Vec both(Vec a, Vec b) { return _mm512_and_si512(a, b); }
  static Vec either(Vec a, Vec b) { return _mm512_xor_si512(a, b); }
  static Vec shift(Vec a) { return _mm512_srli_epi64(a, kRadix); }
  static Vec shift_signed(Vec a) { return _mm512_srai_epi64(a, kRadix); }
  static void multiply_add(Vec& here, Vec& next, Vec a, Vec b) {
    here = _mm512_madd52lo_epu64(here, a, b);
    next = _mm512_madd52hi_epu64(next, a, b);
  }
  static Vec low_product(Vec a, Vec b) { return _mm512_madd52lo_epu64(_mm512_setzero_si512(), a, b); }
  // words[index] in each lane: a permutation of 16 words looks up eight of them at once, and all words are read.
  static Vec pick(const std::uint64_t* words, std::size_t count, Vec index) {
    if (count == kLanes) {
      return _mm512_permutexvar_epi64(index, load(words));
    }
    const Vec block = _mm512_srli_epi64(index, 4);
    Vec out = _mm512_setzero_si512();
    for (std::size_t i = 0; i < count / 16; ++i) {
      const Vec found = _mm512_permutex2var_epi64(load(words + 16 * i), index, load(words + 16 * i + 8));
      out = _mm512_mask_mov_epi64(out, _mm512_cmpeq_epi64_mask(block, set1(i)), found);
    }
    return out;
  }
};

using Field = LaneField<Ifma>;
constinit const Kernel kernel_here = kernel_of<Field>();

}  // namespace

const Kernel* const kIfmaKernel = &kernel_here;

}  // namespace cc::crypto::same_message

#else

namespace cc::crypto::same_message {
const Kernel* const kIfmaKernel = nullptr;
}

#endif
