// What both batch signers put into locked memory before a pass: digits of keys, and blinds. Internal to crypto.
// Secrets: all of it.
#pragma once

#include <blst.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/random.h"
#include "crypto/recoded_key.h"

namespace cc::crypto {

inline constexpr std::size_t kBlindBytes = 96;

// Fresh random elements, 380 random bits in each coordinate. `bytes` is room for kBlindBytes each.
void draw_blinds(std::span<blst_fp2> blinds, std::span<std::uint8_t> bytes, Random& random);

// digits[part * stride] = the key's digit; `flip` is 1 where the product with the digits is to be negated.
void read_key(std::uint64_t* digits, std::size_t stride, std::uint64_t& flip, const BlsSecretKey& secret,
              const RecodedKey& recoded);

}  // namespace cc::crypto
