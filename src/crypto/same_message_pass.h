// One pass of the same-message signer over at most kPassKeys keys, for any field arithmetic. Internal to crypto.
//
// A Field names an Element (the extension field of degree two, once per lane), an Entry (of a window's table) and the
// operations below. Nothing here branches on a secret or uses one as an address. No standard containers: an instance
// may be compiled for instructions that the machine lacks, and must not leave shared inline functions behind.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>

#include "crypto/chord_additions.h"

namespace cc::crypto::same_message {

inline constexpr std::size_t kPassKeys = 64;
inline constexpr std::size_t kParts = 4;  // S0..S3, one per digit of the key
inline constexpr std::size_t kMostWindows = 16;
// One inversion per window after the first, and two when the parts are put together.
inline constexpr std::size_t kMostInversions = kMostWindows + 1;

struct Windows {
  std::size_t count = 0;
  std::uint8_t offset[kMostWindows] = {};
  std::uint8_t width[kMostWindows] = {};
  std::size_t first_entry[kMostWindows] = {};  // in the table
  std::size_t entries = 0;                     // of the whole table
};

struct PassOrder {
  const Windows* windows = nullptr;
  std::size_t keys = 0;                   // 1..kPassKeys
  const std::uint64_t* digits = nullptr;  // [kParts][kPassKeys]; places beyond `keys` hold some key's digits
  const std::uint64_t* flips = nullptr;   // [kPassKeys], 1 where the product is to be negated
  const blst_fp2* blinds = nullptr;       // [windows->count + 1], fresh and random
  std::byte* memory = nullptr;            // Pass<Field>::kMemory bytes, aligned to a cache line
  blst_p2_affine* out = nullptr;          // [keys]
  void (*declassified)(void*, std::size_t) = nullptr;
};

template <class Field>
class Pass {
 public:
  using Element = typename Field::Element;
  using Entry = typename Field::Entry;
  using Point = typename ChordAdditions<Field>::Point;
  static constexpr std::size_t kLanes = Field::kLanes;
  static constexpr std::size_t kMemory = kParts * (kPassKeys / kLanes) * (2 * sizeof(Point) + sizeof(Element));

  Pass(const PassOrder& order, const Entry* table)
      : order_(order),
        table_(table),
        units_((order.keys + kLanes - 1) / kLanes),
        sums_(reinterpret_cast<Point*>(order.memory)),
        terms_(sums_ + kParts * units_),
        chords_(reinterpret_cast<Element*>(terms_ + kParts * units_), order.blinds, order.declassified) {}

  void run() {
    look_up(0, sums_);
    for (std::size_t window = 1; window < order_.windows->count; ++window) {
      look_up(window, terms_);
      chords_.add(sums_, terms_, kParts * units_);
    }
    chords_.join_parts(sums_, units_);
    hand_out();
  }

 private:
  void look_up(std::size_t window, Point* to) const {
    const Windows& windows = *order_.windows;
    const unsigned width = windows.width[window];
    const std::uint64_t half = (std::uint64_t{1} << (width - 1)) - 1;
    const Entry* entries = table_ + windows.first_entry[window];
    for (std::size_t part = 0; part < kParts; ++part) {
      for (std::size_t unit = 0; unit < units_; ++unit) {
        std::uint64_t index[kLanes];
        std::uint64_t negative[kLanes];
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          const std::uint64_t bits = order_.digits[part * kPassKeys + unit * kLanes + lane] >> windows.offset[window];
          const std::uint64_t top = (bits >> (width - 1)) & 1;
          index[lane] = (bits ^ (top - 1)) & half;
          negative[lane] = top ^ 1;
        }
        Point& point = to[chords_.place(part) * units_ + unit];
        Field::select(point.x, point.y, entries, half + 1, index);
        Field::negate_where(point.y, negative);
      }
    }
  }

  void hand_out() {
    for (std::size_t unit = 0; unit < units_; ++unit) {
      Field::negate_where(sums_[unit].y, order_.flips + unit * kLanes);
      blst_fp2 x[kLanes];
      blst_fp2 y[kLanes];
      Field::read_lanes(x, sums_[unit].x);
      Field::read_lanes(y, sums_[unit].y);
      for (std::size_t lane = 0; lane < kLanes && unit * kLanes + lane < order_.keys; ++lane) {
        order_.out[unit * kLanes + lane] = {x[lane], y[lane]};
      }
    }
  }

  const PassOrder& order_;
  const Entry* table_;
  const std::size_t units_;
  Point* const sums_;
  Point* const terms_;
  ChordAdditions<Field> chords_;
};

}  // namespace cc::crypto::same_message
