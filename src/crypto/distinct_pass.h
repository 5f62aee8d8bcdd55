// One pass of the signer of distinct messages over at most kPassMessages of them. Internal to crypto; the construction
// and why no addition meets an exception are in docs/spec/distinct-messages.md.
//
// A Field as in same_message_pass.h, with one lane: the accumulators are blst's own points. Nothing here branches on a
// secret or uses one as an address.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "crypto/chord_additions.h"
#include "crypto/same_message_pass.h"

namespace cc::crypto::distinct {

using same_message::ChordAdditions;
using same_message::kParts;
using same_message::Windows;

inline constexpr std::size_t kPassMessages = 16;
inline constexpr std::size_t kWindowBits = 5;
inline constexpr std::size_t kWindows = 13;    // of 5 bits and one of 4, in a digit of 64
inline constexpr std::size_t kEntries = 16;    // odd multiples up to 31
inline constexpr std::size_t kInversions = 3;  // two for the terms, one for the results

struct PassOrder {
  const Windows* windows = nullptr;        // kWindows of them
  std::size_t messages = 0;                // 1..kPassMessages
  const blst_p2_affine* tables = nullptr;  // [messages][kEntries]
  const std::uint64_t* digits = nullptr;   // [kParts][kPassMessages]
  const std::uint64_t* flips = nullptr;    // [messages], 1 where the product is to be negated
  const blst_fp2* blinds = nullptr;        // [kInversions], fresh and random
  std::byte* memory = nullptr;             // Pass::kMemory bytes, aligned to a cache line
  blst_p2_affine* out = nullptr;           // [messages]
  void (*declassified)(void*, std::size_t) = nullptr;
};

template <class Field>
class Pass {
 public:
  using Element = typename Field::Element;
  using Point = typename ChordAdditions<Field>::Point;
  static_assert(Field::kLanes == 1 && std::is_same_v<Element, blst_fp2> && sizeof(Point) == sizeof(blst_p2_affine));
  static constexpr std::size_t kTerms = kParts * kWindows * kPassMessages;
  static constexpr std::size_t kMemory =
      kTerms * sizeof(Point) + kTerms / 2 * sizeof(Element) + kPassMessages * sizeof(blst_p2);

  explicit Pass(const PassOrder& order)
      : order_(order),
        units_(kWindows * order.messages),
        terms_(reinterpret_cast<Point*>(order.memory)),
        products_(reinterpret_cast<Element*>(terms_ + kTerms)),
        sums_(reinterpret_cast<blst_p2*>(products_ + kTerms / 2)),
        chords_(products_, order.blinds, order.declassified) {}

  void run() {
    look_up();
    chords_.join_parts(terms_, units_);  // for every window and message
    for (std::size_t message = 0; message < order_.messages; ++message) {
      accumulate(message);
    }
    hand_out();
  }

 private:
  void look_up() const {
    for (std::size_t part = 0; part < kParts; ++part) {
      Point* to = terms_ + chords_.place(part) * units_;
      for (std::size_t window = 0; window < kWindows; ++window) {
        const unsigned width = order_.windows->width[window];
        const unsigned offset = order_.windows->offset[window];
        const std::uint64_t half = (std::uint64_t{1} << (width - 1)) - 1;
        for (std::size_t message = 0; message < order_.messages; ++message, ++to) {
          const std::uint64_t bits = order_.digits[part * kPassMessages + message] >> offset;
          const std::uint64_t top = (bits >> (width - 1)) & 1;
          const std::uint64_t index = (bits ^ (top - 1)) & half;
          const std::uint64_t negative = top ^ 1 ^ order_.flips[message];
          Field::select(to->x, to->y, order_.tables + message * kEntries, half + 1, &index);
          Field::negate_where(to->y, &negative);
        }
      }
    }
  }

  const blst_p2_affine* term(std::size_t window, std::size_t message) const {
    return reinterpret_cast<const blst_p2_affine*>(terms_ + window * order_.messages + message);
  }

  // Highest window first. Only the last addition may meet two equal points, and takes blst's complete one.
  void accumulate(std::size_t message) {
    blst_p2* const sum = sums_ + message;
    blst_p2_from_affine(sum, term(kWindows - 1, message));
    for (std::size_t window = kWindows - 1; window-- > 0;) {
      for (unsigned i = 0; i < order_.windows->width[window]; ++i) {
        blst_p2_double(sum, sum);
      }
      if (window > 0) {
        blst_p2_add_affine(sum, sum, term(window, message));
      } else {
        blst_p2_add_or_double_affine(sum, sum, term(window, message));
      }
    }
  }

  // (X / Z^2, Y / Z^3), with one inversion.
  void hand_out() {
    products_[0] = sums_[0].z;
    for (std::size_t i = 1; i < order_.messages; ++i) {
      Field::multiply(products_[i], products_[i - 1], sums_[i].z);
    }
    Element inverse = products_[order_.messages - 1];
    chords_.invert(inverse);
    Element one;
    Element power;
    for (std::size_t i = order_.messages; i-- > 0;) {
      one = inverse;
      if (i > 0) {
        Field::multiply(one, inverse, products_[i - 1]);
        Field::multiply(inverse, inverse, sums_[i].z);
      }
      Field::square(power, one);
      Field::multiply(order_.out[i].x, sums_[i].x, power);
      Field::multiply(power, power, one);
      Field::multiply(order_.out[i].y, sums_[i].y, power);
    }
    Field::wipe(inverse);
    Field::wipe(one);
    Field::wipe(power);
  }

  const PassOrder& order_;
  const std::size_t units_;  // terms of one part
  Point* const terms_;
  Element* const products_;
  blst_p2* const sums_;
  ChordAdditions<Field> chords_;
};

}  // namespace cc::crypto::distinct
