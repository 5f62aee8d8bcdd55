#include "crypto/gf256.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace cc::crypto::gf256 {
namespace {

// Polynomial multiplication and division as on paper: an own, slow and branching statement of the field.
std::uint8_t multiply_on_paper(unsigned a, unsigned b) {
  unsigned product = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((b >> bit & 1) != 0) {
      product ^= a << bit;
    }
  }
  for (unsigned bit = 15; bit >= 8; --bit) {
    if ((product >> bit & 1) != 0) {
      product ^= 0x11BU << (bit - 8);
    }
  }
  return static_cast<std::uint8_t>(product);
}

TEST(Gf256, MultipliesEveryPairAsOnPaper) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      ASSERT_EQ(multiply(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)), multiply_on_paper(a, b))
          << a << " " << b;
    }
  }
  EXPECT_EQ(multiply(0x57, 0x83), 0xC1) << "the example of FIPS 197 section 4.2";
}

TEST(Gf256, InvertsEveryElement) {
  EXPECT_EQ(inverse(0), 0);
  for (unsigned a = 1; a < 256; ++a) {
    EXPECT_EQ(multiply(static_cast<std::uint8_t>(a), inverse(static_cast<std::uint8_t>(a))), 1) << a;
  }
}

TEST(Gf256, EvaluatesRowsOfPolynomialsAtOnce) {
  const std::array<std::uint8_t, 6> rows = {5, 7, 1, 2, 3, 0x80};  // 5 + x + 3x^2 and 7 + 2x + 0x80x^2
  for (unsigned x = 0; x < 256; ++x) {
    std::array<std::uint8_t, 2> out{};
    evaluate(rows, static_cast<std::uint8_t>(x), out);
    const std::uint8_t square = multiply_on_paper(x, x);
    EXPECT_EQ(out[0], 5 ^ x ^ multiply_on_paper(3, square));
    EXPECT_EQ(out[1], 7 ^ multiply_on_paper(2, x) ^ multiply_on_paper(0x80, square));
  }
}

TEST(Gf256, WeightsSumToOneAtAnySetOfPoints) {
  // The constant polynomial 1 must interpolate to 1.
  const std::vector<std::uint8_t> xs = {1, 2, 3, 77, 200, 255};
  for (std::size_t size = 1; size <= xs.size(); ++size) {
    std::uint8_t sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      sum ^= weight_at_zero(std::span(xs).first(size), i);
    }
    EXPECT_EQ(sum, 1) << size;
  }
}

// Perfect secrecy, shown by counting: whatever m-1 shares say, every secret byte explains them equally often.
TEST(Gf256, OneShareOfTwoLeavesEverySecretEquallyLikely) {
  for (const std::uint8_t x : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{6}, std::uint8_t{255}}) {
    std::array<std::array<int, 256>, 256> seen{};  // [share][secret]
    for (unsigned secret = 0; secret < 256; ++secret) {
      for (unsigned slope = 0; slope < 256; ++slope) {
        const std::array<std::uint8_t, 2> rows = {static_cast<std::uint8_t>(secret), static_cast<std::uint8_t>(slope)};
        std::uint8_t share = 0;
        evaluate(rows, x, {&share, 1});
        ++seen[share][secret];
      }
    }
    for (const auto& secrets : seen) {
      for (const int count : secrets) {
        ASSERT_EQ(count, 1);
      }
    }
  }
}

TEST(Gf256, TwoSharesOfThreeLeaveEverySecretEquallyLikely) {
  constexpr std::size_t kWidth = 256;
  const std::array<std::uint8_t, 2> observed = {0x3C, 0xA5};  // the shares at x = 1 and x = 3
  for (unsigned secret = 0; secret < 256; ++secret) {
    int explanations = 0;
    for (unsigned linear = 0; linear < 256; ++linear) {
      std::array<std::uint8_t, 3 * kWidth> rows{};  // one column for each quadratic coefficient
      for (std::size_t column = 0; column < kWidth; ++column) {
        rows[column] = static_cast<std::uint8_t>(secret);
        rows[kWidth + column] = static_cast<std::uint8_t>(linear);
        rows[2 * kWidth + column] = static_cast<std::uint8_t>(column);
      }
      std::array<std::uint8_t, kWidth> at_one{};
      evaluate(rows, 1, at_one);
      for (std::size_t column = 0; column < kWidth; ++column) {
        if (at_one[column] == observed[0]) {
          const std::array<std::uint8_t, 3> one_column = {rows[column], rows[kWidth + column],
                                                          rows[2 * kWidth + column]};
          std::uint8_t at_three = 0;
          evaluate(one_column, 3, {&at_three, 1});
          explanations += at_three == observed[1] ? 1 : 0;
        }
      }
    }
    ASSERT_EQ(explanations, 1) << secret;
  }
}

}  // namespace
}  // namespace cc::crypto::gf256
