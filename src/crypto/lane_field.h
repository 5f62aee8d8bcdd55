// The Field of same_message_pass.h for vectors: one key per lane, limbs of V::kRadix bits in 64-bit places, Montgomery
// form with R = 2^(kRadix * kLimbs). Written once over a vector type V, so that what runs in wide registers can run in
// plain integers too, where every machine and the constant-time checker can execute it. Internal to crypto.
//
// Between operations every coordinate is below 2p and its limbs are below 2^kRadix (the uppermost takes the rest).
// The bound needs R > 16p, which leaves Montgomery products of such values below 2p without a final subtraction.
//
// V: Vec, kLanes, kRadix, kLimbs and the functions used below. V and all instances have internal linkage in the file
// that makes them.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "crypto/field_blst.h"
#include "crypto/lane_constants.h"

namespace cc::crypto::same_message {

template <class V>
struct LaneField {
  using Vec = typename V::Vec;
  static constexpr std::size_t kLanes = V::kLanes;
  static constexpr std::size_t kLimbs = V::kLimbs;
  static constexpr std::size_t kRadix = V::kRadix;
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << kRadix) - 1;
  static_assert(kRadix * kLimbs >= 386, "R > 16p");

  struct Fp {
    Vec limb[kLimbs];
  };
  struct Element {
    Fp re, im;
  };
  struct Entry {  // x.re, x.im, y.re, y.im; only its size counts, see select()
    std::uint64_t coordinate[4][kLimbs];
  };

  static void subtract(Element& out, const Element& a, const Element& b) {
    subtract(out.re, a.re, b.re);
    subtract(out.im, a.im, b.im);
  }

  // (a + bi)(c + di) = (ac + (2p-b)d) + (ad + bc)i, two products under each reduction.
  static void multiply(Element& out, const Element& a, const Element& b) {
    Fp opposite;
    negate(opposite, a.im);
    Element result;
    product2(result.re, a.re, b.re, opposite, b.im);
    product2(result.im, a.re, b.im, a.im, b.re);
    out = result;
  }

  // (a + bi)^2 = (a+b)(a-b) + 2ab i
  static void square(Element& out, const Element& a) {
    Fp sum;
    Fp difference;
    Fp twice;
    add(sum, a.re, a.im);
    subtract(difference, a.re, a.im);
    add(twice, a.re, a.re);
    Element result;
    product(result.re, sum, difference);
    product(result.im, twice, a.im);
    out = result;
  }

  static void negate_where(Element& value, const std::uint64_t* flags) {
    const Vec mask = V::subtract(V::set1(0), V::load(flags));
    negate_where(value.re, mask);
    negate_where(value.im, mask);
  }

  static void negated_psi(Element& x, Element& y) {
    const Constants& constants = psi();
    Element moved;
    product(moved.re, x.im, constants.cx);
    product(moved.im, x.re, constants.cx);
    x = moved;
    negate(y.im, y.im);
    multiply(y, y, constants.cy);
    negate(y.re, y.re);
    negate(y.im, y.im);
  }

  static void psi_squared(Element& x, Element& y) {
    const Constants& constants = psi();
    Element moved;
    product(moved.re, x.re, constants.cx2);
    product(moved.im, x.im, constants.cx2);
    x = moved;
    negate(y.re, y.re);
    negate(y.im, y.im);
  }

  // Each lane reads every entry and keeps its own. A window's entries lie by limb: all first limbs, all second limbs,
  // ..
  static void select(Element& x, Element& y, const Entry* entries, std::size_t count, const std::uint64_t* index) {
    const auto* words = reinterpret_cast<const std::uint64_t*>(entries);
    const Vec wanted = V::load(index);
    for (Fp* coordinate : {&x.re, &x.im, &y.re, &y.im}) {
      for (std::size_t k = 0; k < kLimbs; ++k, words += count) {
        coordinate->limb[k] = V::pick(words, count, wanted);
      }
    }
  }

  // Between blst's Montgomery form (R = 2^384, canonical) and ours.
  static void read_lanes(blst_fp2* out, const Element& value) {
    read_lanes(&out->fp[0], sizeof(blst_fp2), value.re);
    read_lanes(&out->fp[1], sizeof(blst_fp2), value.im);
  }
  static void write_lanes(Element& out, const blst_fp2* values) {
    write_lanes(out.re, &values->fp[0], sizeof(blst_fp2));
    write_lanes(out.im, &values->fp[1], sizeof(blst_fp2));
  }

  static void wipe(Element& value) { wipe_bytes(&value, sizeof(value)); }

  // One window's entries from blst's points. Public data.
  static void convert(const blst_p2_affine* points, std::size_t count, Entry* out) {
    auto* words = reinterpret_cast<std::uint64_t*>(out);
    for (std::size_t first = 0; first < count; first += kLanes) {  // counts are multiples of kLanes
      blst_fp2 x[kLanes];
      blst_fp2 y[kLanes];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        x[lane] = points[first + lane].x;
        y[lane] = points[first + lane].y;
      }
      Element in_x;
      Element in_y;
      write_lanes(in_x, x);
      write_lanes(in_y, y);
      std::size_t place = first;
      for (const Fp* coordinate : {&in_x.re, &in_x.im, &in_y.re, &in_y.im}) {
        for (std::size_t k = 0; k < kLimbs; ++k, place += count) {
          V::store(words + place, coordinate->limb[k]);
        }
      }
    }
  }

 private:
  struct Constants {
    Fp cx, cx2;
    Element cy;
  };
  using Plain = Limbs<kLimbs, kRadix>;
  static constexpr Plain kP = in_radix<kLimbs, kRadix>(kModulus);
  static constexpr Plain k2P = in_radix<kLimbs, kRadix>(doubled(kModulus));
  // A Montgomery product with the first leads into our form, with the second out of it.
  static constexpr Plain kInward = in_radix<kLimbs, kRadix>(power_of_two(2 * kRadix * kLimbs - 384));
  static constexpr Plain kOutward = in_radix<kLimbs, kRadix>(power_of_two(384));

  // a - b, plus 2p where that is negative.
  static void subtract(Fp& out, const Fp& a, const Fp& b) {
    const Vec mask = V::set1(kMask);
    Vec carry = V::set1(0);
    for (std::size_t i = 0; i < kLimbs; ++i) {
      const Vec place = V::add(V::subtract(a.limb[i], b.limb[i]), carry);
      out.limb[i] = V::both(place, mask);
      carry = V::shift_signed(place);
    }
    const Vec negative = carry;  // 0 or all ones
    carry = V::set1(0);
    for (std::size_t i = 0; i < kLimbs; ++i) {
      const Vec place = V::add(V::add(out.limb[i], V::both(V::set1(k2P.limb[i]), negative)), carry);
      out.limb[i] = V::both(place, mask);
      carry = V::shift(place);
    }
  }

  // 2p - a; 2p itself for zero, which no coordinate here is.
  static void negate(Fp& out, const Fp& a) {
    const Vec mask = V::set1(kMask);
    Vec carry = V::set1(0);
    for (std::size_t i = 0; i < kLimbs; ++i) {
      const Vec place = V::add(V::subtract(V::set1(k2P.limb[i]), a.limb[i]), carry);
      out.limb[i] = V::both(place, mask);
      carry = V::shift_signed(place);
    }
  }

  static void negate_where(Fp& value, Vec mask) {
    Fp opposite;
    negate(opposite, value);
    for (std::size_t i = 0; i < kLimbs; ++i) {
      value.limb[i] = V::either(value.limb[i], V::both(V::either(value.limb[i], opposite.limb[i]), mask));
    }
  }

  // A factor only: below 4p.
  static void add(Fp& out, const Fp& a, const Fp& b) {
    Vec carry = V::set1(0);
    for (std::size_t i = 0; i < kLimbs; ++i) {
      const Vec place = V::add(V::add(a.limb[i], b.limb[i]), carry);
      out.limb[i] = V::both(place, V::set1(kMask));
      carry = V::shift(place);
    }
  }

  // One column of a product: what falls into it, and what into the next one.
  struct Column {
    Vec here = V::set1(0), next = V::set1(0);
    void multiply_add(Vec a, Vec b) { V::multiply_add(here, next, a, b); }
  };

  // (a*b + c*d) / R by columns: the quotient digits come out as the columns are finished. Unrolled by the column, so
  // that every limb has a fixed place.
  struct Scan {
    const Fp &a, &b, &c, &d;
    Fp& out;
    Vec carried, inverse;
    Vec quotient[kLimbs];
  };
  template <bool kTwo, std::size_t kColumn>
  __attribute__((always_inline)) static void scan_column(Scan& scan) {
    constexpr std::size_t kLow = kColumn < kLimbs ? 0 : kColumn - kLimbs + 1;
    constexpr std::size_t kHigh = kColumn < kLimbs ? kColumn + 1 : kLimbs;
    Column first;
    Column second;
    Column modulus;
    first.here = scan.carried;
#pragma GCC unroll 16
    for (std::size_t i = kLow; i < kHigh; ++i) {
      first.multiply_add(scan.a.limb[i], scan.b.limb[kColumn - i]);
      if constexpr (kTwo) {
        second.multiply_add(scan.c.limb[i], scan.d.limb[kColumn - i]);
      }
      if (i < kColumn || kColumn >= kLimbs) {
        modulus.multiply_add(scan.quotient[i], V::set1(kP.limb[kColumn - i]));
      }
    }
    Vec here = V::add(V::add(first.here, second.here), modulus.here);
    Vec next = V::add(V::add(first.next, second.next), modulus.next);
    if constexpr (kColumn < kLimbs) {
      scan.quotient[kColumn] = V::low_product(here, scan.inverse);
      V::multiply_add(here, next, scan.quotient[kColumn], V::set1(kP.limb[0]));
    } else {
      scan.out.limb[kColumn - kLimbs] = V::both(here, V::set1(kMask));
    }
    scan.carried = V::add(V::shift(here), next);
  }
  template <bool kTwo, std::size_t... kColumns>
  __attribute__((noinline)) static void scan_product(Fp& out, const Fp& a, const Fp& b, const Fp& c, const Fp& d,
                                                     std::index_sequence<kColumns...> /*columns*/) {
    Scan scan{a, b, c, d, out, V::set1(0), V::set1(negated_inverse() & kMask), {}};
    (scan_column<kTwo, kColumns>(scan), ...);
    out.limb[kLimbs - 1] = scan.carried;
  }
  using Columns = std::make_index_sequence<2 * kLimbs - 1>;
  static void product(Fp& out, const Fp& a, const Fp& b) {
    Fp result;
    scan_product<false>(result, a, b, a, b, Columns());
    out = result;
  }
  // `out` is none of the factors.
  static void product2(Fp& out, const Fp& a, const Fp& b, const Fp& c, const Fp& d) {
    scan_product<true>(out, a, b, c, d, Columns());
  }

  static void set(Fp& out, const Plain& value) {
    for (std::size_t i = 0; i < kLimbs; ++i) {
      out.limb[i] = V::set1(value.limb[i]);
    }
  }

  static void read_lanes(blst_fp* out, std::size_t stride, const Fp& value) {
    Fp outward;
    Fp factor;
    set(factor, kOutward);
    product(outward, value, factor);
    alignas(64) std::uint64_t words[kLimbs][kLanes];
    for (std::size_t k = 0; k < kLimbs; ++k) {
      V::store(words[k], outward.limb[k]);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      blst_fp& to = *reinterpret_cast<blst_fp*>(reinterpret_cast<std::byte*>(out) + lane * stride);
      std::uint64_t packed[6] = {};
      for (std::size_t k = 0; k < kLimbs; ++k) {
        const std::size_t bit = k * kRadix;
        packed[bit / 64] |= words[k][lane] << (bit % 64);
        if (bit % 64 + kRadix > 64 && bit / 64 + 1 < 6) {
          packed[bit / 64 + 1] |= words[k][lane] >> (64 - bit % 64);
        }
      }
      reduce_once(to.l, packed);
    }
    wipe_bytes(words, sizeof(words));
  }

  // value - p where that is not negative; value is below 2p.
  static void reduce_once(limb_t* out, const std::uint64_t* value) {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t less[6];
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      const Wide difference = Wide{value[i]} - kModulus.limb[i] - borrow;
      less[i] = static_cast<std::uint64_t>(difference);
      borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    }
    std::uint64_t keep = std::uint64_t{0} - borrow;
    __asm__("" : "+r"(keep));
    for (std::size_t i = 0; i < 6; ++i) {
      out[i] = (value[i] & keep) | (less[i] & ~keep);
    }
  }

  static void write_lanes(Fp& out, const blst_fp* values, std::size_t stride) {
    Fp raw;
    for (std::size_t k = 0; k < kLimbs; ++k) {
      const std::size_t bit = k * kRadix;
      alignas(64) std::uint64_t words[kLanes];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const auto& from =
            *reinterpret_cast<const blst_fp*>(reinterpret_cast<const std::byte*>(values) + lane * stride);
        std::uint64_t word = bit / 64 < 6 ? from.l[bit / 64] >> (bit % 64) : 0;
        if (bit % 64 + kRadix > 64 && bit / 64 + 1 < 6) {
          word |= from.l[bit / 64 + 1] << (64 - bit % 64);
        }
        words[lane] = word & kMask;
      }
      raw.limb[k] = V::load(words);
    }
    Fp factor;
    set(factor, kInward);
    product(out, raw, factor);
  }

  static const Constants& psi() {
    static const Constants constants = [] {
      const PsiConstants& plain = psi_constants();
      blst_fp2 pair[kLanes];
      blst_fp2 cy[kLanes];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        pair[lane] = {{plain.cx, plain.cx2}};
        cy[lane] = plain.cy;
      }
      Element both;
      Constants out;
      write_lanes(both, pair);
      write_lanes(out.cy, cy);
      out.cx = both.re;
      out.cx2 = both.im;
      return out;
    }();
    return constants;
  }

  static void wipe_bytes(void* bytes, std::size_t size) {
    __builtin_memset(bytes, 0, size);
    __asm__ __volatile__("" : : "r"(bytes) : "memory");
  }
};

}  // namespace cc::crypto::same_message
