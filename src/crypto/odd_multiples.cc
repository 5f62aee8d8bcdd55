#include "crypto/odd_multiples.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

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

// out[m * count + j] = 2^j * messages[m], j below `count`.
std::vector<blst_p2_affine> powers_of_two(std::span<const blst_p2> messages, std::size_t count) {
  std::vector<blst_p2> points;
  std::vector<const blst_p2*> pointers;
  points.reserve(messages.size() * count);
  for (const blst_p2& message : messages) {
    for (std::size_t j = 0; j < count; ++j) {
      points.push_back(j == 0 ? message : points.back());
      if (j > 0) {
        blst_p2_double(&points.back(), &points.back());
      }
      pointers.push_back(&points.back());
    }
  }
  std::vector<blst_p2_affine> out(points.size());
  blst_p2s_to_affine(out.data(), pointers.data(), pointers.size());
  return out;
}

// One window's entries: table[first_entry + i] = (2i + 1) * P for i below 2^(width-1), where powers[first_power + t] is
// 2^t * P.
struct Row {
  std::size_t first_entry, first_power, width;
};

// {1, 3, .., 2^t - 1} plus 2^t gives {2^t + 1, .., 2^(t+1) - 1}; all rows take the step together.
std::vector<blst_p2_affine> fill(std::span<const Row> rows, std::size_t entries,
                                 const std::vector<blst_p2_affine>& powers) {
  std::vector<blst_p2_affine> table(entries);
  std::size_t widest = 0;
  for (const Row& row : rows) {
    table[row.first_entry] = powers[row.first_power];
    widest = std::max(widest, row.width);
  }
  std::vector<Sum> sums;
  std::vector<blst_fp2> products;
  for (std::size_t t = 1; t < widest; ++t) {
    sums.clear();
    const std::size_t known = std::size_t{1} << (t - 1);
    for (const Row& row : rows) {
      for (std::size_t i = 0; i < known && t < row.width; ++i) {
        sums.push_back({row.first_entry + i + known, row.first_entry + i, row.first_power + t});
      }
    }
    add_all(table, powers, sums, products);
  }
  return table;
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

blst_p2 point_of(const HashedMessage& message) {
  blst_p2 out;
  static_assert(sizeof(out) == decltype(message.point())::extent);
  std::memcpy(&out, message.point().data(), sizeof(out));
  return out;
}

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
  std::vector<Row> rows;
  rows.reserve(windows.count);
  for (std::size_t j = 0; j < windows.count; ++j) {
    rows.push_back({windows.first_entry[j], windows.offset[j], windows.width[j]});
  }
  return fill(rows, windows.entries, powers_of_two({&message, 1}, kDigitBits));
}

std::vector<blst_p2_affine> odd_multiples(std::span<const blst_p2> messages, std::size_t width) {
  const std::size_t entries = std::size_t{1} << (width - 1);
  std::vector<Row> rows;
  rows.reserve(messages.size());
  for (std::size_t m = 0; m < messages.size(); ++m) {
    rows.push_back({m * entries, m * width, width});
  }
  return fill(rows, messages.size() * entries, powers_of_two(messages, width));
}

}  // namespace cc::crypto::same_message
