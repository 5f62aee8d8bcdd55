// Affine additions by the chord rule, many at a time, which share one inversion (Montgomery's trick): five
// multiplications and a square each; and by them the sum of a product's four parts, one for each digit of the key. What
// is inverted is first multiplied by a fresh random field element. For any Field of same_message_pass.h; internal to
// crypto.
//
// Nothing here branches on a secret or uses one as an address. The caller owns the memory and wipes it. No standard
// containers, for the reason given in same_message_pass.h.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>

namespace cc::crypto::same_message {

template <class Field>
class ChordAdditions {
 public:
  using Element = typename Field::Element;
  struct Point {
    Element x, y;
  };
  static constexpr std::size_t kLanes = Field::kLanes;

  // `products` holds as many elements as the longest list that is added. Each call of add() and of invert() takes one
  // of the `blinds`. `declassified` is the test seam of same_message.h.
  ChordAdditions(Element* products, const blst_fp2* blinds, void (*declassified)(void*, std::size_t))
      : products_(products), blinds_(blinds), declassified_(declassified) {}

  // sums[i] += terms[i]. The x-coordinates of each pair differ.
  void add(Point* sums, const Point* terms, std::size_t count) {
    Element difference;
    Field::subtract(products_[0], terms[0].x, sums[0].x);
    for (std::size_t i = 1; i < count; ++i) {
      Field::subtract(difference, terms[i].x, sums[i].x);
      Field::multiply(products_[i], products_[i - 1], difference);
    }
    Element inverse = products_[count - 1];
    invert(inverse);
    for (std::size_t i = count - 1; i > 0; --i) {
      Element one;
      Field::multiply(one, inverse, products_[i - 1]);
      Field::subtract(difference, terms[i].x, sums[i].x);
      Field::multiply(inverse, inverse, difference);
      chord(sums[i], terms[i], one);
    }
    chord(sums[0], terms[0], inverse);
    Field::wipe(inverse);
    Field::wipe(difference);
  }

  // Where digit `part` of a key lies in a list of `units` points for each of the four, so that join_parts() adds
  // halves.
  static std::size_t place(std::size_t part) { return (part & 1) * 2 + (part >> 1); }

  // [T0 T2 | T1 T3] → [T0 - psi T1, T2 - psi T3] → T0 - psi T1 + psi^2 (T2 - psi T3), of each unit. Left in the first
  // `units` points; the others are spoiled. Two calls of add().
  void join_parts(Point* terms, std::size_t units) {
    for (std::size_t i = 2 * units; i < 4 * units; ++i) {
      Field::negated_psi(terms[i].x, terms[i].y);
    }
    add(terms, terms + 2 * units, 2 * units);
    for (std::size_t i = units; i < 2 * units; ++i) {
      Field::psi_squared(terms[i].x, terms[i].y);
    }
    add(terms, terms + units, units);
  }

  // One inversion for all lanes. Its argument is a random field element to whoever watches it.
  void invert(Element& value) {
    blst_fp2 lanes[kLanes];
    blst_fp2 products[kLanes];
    Field::read_lanes(lanes, value);
    products[0] = lanes[0];
    for (std::size_t i = 1; i < kLanes; ++i) {
      blst_fp2_mul(&products[i], &products[i - 1], &lanes[i]);
    }
    const blst_fp2* blind = blinds_++;
    blst_fp2 inverse;
    blst_fp2_mul(&inverse, &products[kLanes - 1], blind);
    if (declassified_ != nullptr) {
      declassified_(&inverse, sizeof(inverse));
    }
    blst_fp2_inverse(&inverse, &inverse);
    blst_fp2_mul(&inverse, &inverse, blind);
    for (std::size_t i = kLanes - 1; i > 0; --i) {
      blst_fp2_mul(&products[i], &inverse, &products[i - 1]);
      blst_fp2_mul(&inverse, &inverse, &lanes[i]);
    }
    products[0] = inverse;
    Field::write_lanes(value, products);
    wipe(lanes, sizeof(lanes));
    wipe(products, sizeof(products));
    wipe(&inverse, sizeof(inverse));
  }

 private:
  static void chord(Point& sum, const Point& term, const Element& inverse) {
    Element slope;
    Element x;
    Field::subtract(slope, term.y, sum.y);
    Field::multiply(slope, slope, inverse);
    Field::square(x, slope);
    Field::subtract(x, x, sum.x);
    Field::subtract(x, x, term.x);
    Field::subtract(sum.x, sum.x, x);
    Field::multiply(sum.x, sum.x, slope);
    Field::subtract(sum.y, sum.x, sum.y);
    sum.x = x;
  }

  static void wipe(void* bytes, std::size_t size) {
    __builtin_memset(bytes, 0, size);
    __asm__ __volatile__("" : : "r"(bytes) : "memory");
  }

  Element* const products_;
  const blst_fp2* blinds_;
  void (*const declassified_)(void*, std::size_t);
};

}  // namespace cc::crypto::same_message
