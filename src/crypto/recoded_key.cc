#include "crypto/recoded_key.h"

#include <cstring>

namespace cc::crypto {
namespace {

__extension__ using Wide = unsigned __int128;
using Limbs = std::array<std::uint64_t, 4>;

// |z|, the absolute value of the curve's parameter, and floor(2^128 / |z|) - 2^64. Its top bit is set.
constexpr std::uint64_t kZ = 0xd201000000010000;
constexpr std::uint64_t kReciprocal = 0x381204ca56cd56b5;
// The order of the group, little-endian limbs.
constexpr Limbs kOrder = {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48};
constexpr std::uint64_t kTopBit = std::uint64_t{1} << 63;

// Hides a mask's origin from the optimiser, which could otherwise make a branch of it.
std::uint64_t mask_of(bool condition) {
  std::uint64_t mask = std::uint64_t{0} - static_cast<std::uint64_t>(condition);
  __asm__("" : "+r"(mask));
  return mask;
}

// (high, low) / |z| for high < |z|; returns the quotient and leaves the remainder in `high`. Möller and Granlund,
// "Improved division by invariant integers", algorithm 4, with masks in place of its two branches.
std::uint64_t divide_step(std::uint64_t& high, std::uint64_t low) {
  const Wide product = Wide{kReciprocal} * high + ((Wide{high} << 64) | low);
  std::uint64_t quotient = static_cast<std::uint64_t>(product >> 64) + 1;
  std::uint64_t remainder = low - quotient * kZ;
  const std::uint64_t too_much = mask_of(remainder > static_cast<std::uint64_t>(product));
  quotient += too_much;
  remainder += too_much & kZ;
  const std::uint64_t too_little = mask_of(remainder >= kZ);
  quotient -= too_little;
  remainder -= too_little & kZ;
  high = remainder;
  return quotient;
}

// value = value / |z|; returns the remainder.
std::uint64_t divide(Limbs& value) {
  std::uint64_t remainder = 0;
  for (std::size_t i = value.size(); i-- > 0;) {
    value[i] = divide_step(remainder, value[i]);
  }
  return remainder;
}

// value = order - value where the mask is set.
void negate(Limbs& value, std::uint64_t mask) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Wide difference = Wide{kOrder[i]} - value[i] - borrow;
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    value[i] ^= (value[i] ^ static_cast<std::uint64_t>(difference)) & mask;
  }
}

void wipe_limbs(Limbs& limbs) { wipe({reinterpret_cast<std::uint8_t*>(limbs.data()), sizeof(limbs)}); }

}  // namespace

RecodedKey::RecodedKey(const BlsSecretKey& key) {
  const auto bytes = expose_secret_bytes(key.bytes());
  Limbs value{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value[(31 - i) / 8] |= std::uint64_t{bytes[i]} << (8 * ((31 - i) % 8));
  }
  negate(value, mask_of((value[0] & 1) == 0));
  exceptional_ =
      (((value[0] ^ (kOrder[0] - 2)) | (value[1] ^ kOrder[1]) | (value[2] ^ kOrder[2]) | (value[3] ^ kOrder[3])) == 0);

  Limbs digits{};
  for (std::uint64_t& digit : digits) {
    digit = divide(value);
  }
  // Make each digit odd by taking |z| from the one below; then u = (d + 2^64 - 1) / 2.
  for (std::size_t i = 0; i + 1 < digits.size(); ++i) {
    const std::uint64_t carry = ~digits[i + 1] & 1;
    digits[i + 1] += carry;
    digits[i] = (digits[i] >> 1) + kTopBit - ((std::uint64_t{0} - carry) & (kZ >> 1));
  }
  digits[3] = (digits[3] >> 1) + kTopBit;
  static_assert(sizeof(digits) == Secret<32>::kSize);
  std::memcpy(expose_secret_bytes(digits_).data(), digits.data(), sizeof(digits));
  wipe_limbs(digits);
  wipe_limbs(value);
}

}  // namespace cc::crypto
