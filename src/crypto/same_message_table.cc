#include "crypto/same_message_table.h"

#include <array>
#include <cstdlib>

namespace cc::crypto::same_message {
namespace {

constexpr std::size_t kDigitBits = 64;

struct Sum {
  std::size_t to, from, power;  // table[to] = table[from] + powers[power]
};

// Affine additions that share one inversion. No pair has equal x-coordinates.
void add_all(std::vector<blst_p2_affine>& table, const std::vector<blst_p2_affine>& powers, std::span<const Sum> sums,
             std::vector<blst_fp2>& products) {
  products.resize(sums.size());
  blst_fp2 difference;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    blst_fp2_sub(&difference, &powers[sums[i].power].x, &table[sums[i].from].x);
    if (i == 0) {
      products[0] = difference;
    } else {
      blst_fp2_mul(&products[i], &products[i - 1], &difference);
    }
  }
  blst_fp2 inverse;
  blst_fp2_inverse(&inverse, &products.back());
  for (std::size_t i = sums.size(); i-- > 0;) {
    const blst_p2_affine& a = table[sums[i].from];
    const blst_p2_affine& b = powers[sums[i].power];
    blst_fp2 slope = inverse;
    if (i > 0) {
      blst_fp2_mul(&slope, &inverse, &products[i - 1]);
      blst_fp2_sub(&difference, &b.x, &a.x);
      blst_fp2_mul(&inverse, &inverse, &difference);
    }
    blst_fp2 rise;
    blst_fp2_sub(&rise, &b.y, &a.y);
    blst_fp2_mul(&slope, &slope, &rise);
    blst_p2_affine& out = table[sums[i].to];
    blst_fp2_sqr(&out.x, &slope);
    blst_fp2_sub(&out.x, &out.x, &a.x);
    blst_fp2_sub(&out.x, &out.x, &b.x);
    blst_fp2_sub(&out.y, &a.x, &out.x);
    blst_fp2_mul(&out.y, &out.y, &slope);
    blst_fp2_sub(&out.y, &out.y, &a.y);
  }
}

// 2^0 .. 2^63 times the message.
std::vector<blst_p2_affine> powers_of_two(const blst_p2& message) {
  std::array<blst_p2, kDigitBits> points;
  std::array<const blst_p2*, kDigitBits> pointers{};
  points[0] = message;
  pointers[0] = points.data();
  for (std::size_t i = 1; i < kDigitBits; ++i) {
    blst_p2_double(&points[i], &points[i - 1]);
    pointers[i] = &points[i];
  }
  std::vector<blst_p2_affine> out(kDigitBits);
  blst_p2s_to_affine(out.data(), pointers.data(), kDigitBits);
  return out;
}

std::size_t widest(WindowLayout layout) {
  switch (layout) {
    case WindowLayout::w4:
      return 4;
    case WindowLayout::w5:
      return 5;
    case WindowLayout::w6:
      return 6;
    case WindowLayout::w8:
      return 8;
  }
  std::abort();
}

}  // namespace

Windows windows_of(WindowLayout layout) {
  const std::size_t width = widest(layout);
  Windows out;
  out.count = (kDigitBits + width - 1) / width;
  const std::size_t narrow = out.count * width - kDigitBits;  // so many windows are one bit narrower
  std::size_t offset = 0;
  for (std::size_t j = 0; j < out.count; ++j) {
    const std::size_t bits = j < narrow ? width - 1 : width;
    out.offset[j] = static_cast<std::uint8_t>(offset);
    out.width[j] = static_cast<std::uint8_t>(bits);
    out.first_entry[j] = out.entries;
    out.entries += std::size_t{1} << (bits - 1);
    offset += bits;
  }
  return out;
}

std::vector<blst_p2_affine> odd_multiples(const blst_p2& message, const Windows& windows) {
  const std::vector<blst_p2_affine> powers = powers_of_two(message);
  std::vector<blst_p2_affine> table(windows.entries);
  for (std::size_t j = 0; j < windows.count; ++j) {
    table[windows.first_entry[j]] = powers[windows.offset[j]];
  }
  // {1, 3, .., 2^t - 1} plus 2^t gives {2^t + 1, .., 2^(t+1) - 1}; all windows take the step together.
  std::vector<Sum> sums;
  std::vector<blst_fp2> products;
  for (std::size_t t = 1; t < windows.width[windows.count - 1]; ++t) {
    sums.clear();
    const std::size_t known = std::size_t{1} << (t - 1);
    for (std::size_t j = 0; j < windows.count; ++j) {
      for (std::size_t i = 0; i < known && t < windows.width[j]; ++i) {
        const std::size_t from = windows.first_entry[j] + i;
        sums.push_back({from + known, from, windows.offset[j] + t});
      }
    }
    add_all(table, powers, sums, products);
  }
  return table;
}

}  // namespace cc::crypto::same_message
