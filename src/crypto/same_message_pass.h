// One pass of the same-message signer over at most kPassKeys keys, for any field arithmetic. Internal to crypto.
//
// A Field names an Element (the extension field of degree two, once per lane), an Entry (of a window's table) and the
// operations below. Nothing here branches on a secret or uses one as an address. No standard containers: an instance
// may be compiled for instructions that the machine lacks, and must not leave shared inline functions behind.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>

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
  struct Point {
    Element x, y;
  };
  static constexpr std::size_t kLanes = Field::kLanes;
  static constexpr std::size_t kMemory = kParts * (kPassKeys / kLanes) * (2 * sizeof(Point) + sizeof(Element));

  Pass(const PassOrder& order, const Entry* table)
      : order_(order), table_(table), blinds_(order.blinds), units_((order.keys + kLanes - 1) / kLanes) {
    sums_ = reinterpret_cast<Point*>(order.memory);
    terms_ = sums_ + kParts * units_;
    products_ = reinterpret_cast<Element*>(terms_ + kParts * units_);
  }

  void run() {
    look_up(0, sums_);
    for (std::size_t window = 1; window < order_.windows->count; ++window) {
      look_up(window, terms_);
      add(sums_, terms_, kParts * units_);
    }
    // [S0 S2 | S1 S3] → [S0 - psi S1, S2 - psi S3] → S0 - psi S1 + psi^2 (S2 - psi S3)
    for (std::size_t i = 2 * units_; i < 4 * units_; ++i) {
      Field::negated_psi(sums_[i].x, sums_[i].y);
    }
    add(sums_, sums_ + 2 * units_, 2 * units_);
    for (std::size_t i = units_; i < 2 * units_; ++i) {
      Field::psi_squared(sums_[i].x, sums_[i].y);
    }
    add(sums_, sums_ + units_, units_);
    hand_out();
  }

 private:
  // Where digit `part` lies among the sums, so that the last steps add halves.
  static std::size_t place(std::size_t part) { return (part & 1) * 2 + (part >> 1); }

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
        Point& point = to[place(part) * units_ + unit];
        Field::select(point.x, point.y, entries, half + 1, index);
        Field::negate_where(point.y, negative);
      }
    }
  }

  // sums[i] += terms[i] by the chord rule. The x-coordinates of each pair differ (see the specification).
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
    if (order_.declassified != nullptr) {
      order_.declassified(&inverse, sizeof(inverse));
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

  static void wipe(void* bytes, std::size_t size) {
    __builtin_memset(bytes, 0, size);
    __asm__ __volatile__("" : : "r"(bytes) : "memory");
  }

  const PassOrder& order_;
  const Entry* table_;
  const blst_fp2* blinds_;
  const std::size_t units_;
  Point* sums_;
  Point* terms_;
  Element* products_;
};

}  // namespace cc::crypto::same_message
