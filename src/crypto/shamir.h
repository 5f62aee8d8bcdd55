// Shamir secret sharing over GF(256), polynomial 0x11B, byte-wise, x = 1..n, in the RTSS format (draft-mcgrew-tss-03)
// with SHA-256: what is split is secret ‖ SHA-256(secret), so every share carries 64 bytes for a 32-byte secret. The
// bytes are those of Botan 2 (which itself takes 2 <= m and n <= 254 only), so that shares can be combined without this
// program.
//
// With m = 1 every share is the secret itself. No branch and no table look-up depends on a secret but the verdict of
// combine(). Thread-safe: no state.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/secret.h"

namespace cc::crypto {

using ShareId = std::array<std::uint8_t, 16>;  // RTSS identifier; here always the lock id

struct Share {
  std::uint8_t index = 0;  // x, 1..n
  Secret<64> value;        // y for every byte of secret ‖ SHA-256(secret)
};

// Splits into n shares of which any m give the secret back. Errors: threshold_invalid unless 1 <= m <= n <= 255.
Result<std::vector<Share>> split(const Secret<32>& secret, unsigned m, unsigned n, Random& random);

// Recombines exactly the shares given. Errors: members_invalid for a repeated or zero index or no share at all;
// share_mismatch when the recombined digest does not match (a wrong share, or fewer than m).
Result<Secret<32>> combine(std::span<const Share> shares);

// RTSS wire form: id(16) ‖ hash 2 (SHA-256) ‖ m ‖ u16 big-endian length (65) ‖ index ‖ 64 bytes.
SecretBytes to_rtss(const Share& share, const ShareId& id, unsigned m);
struct RtssShare {
  ShareId id;
  unsigned m;
  Share share;
};
// Errors: malformed_request.
Result<RtssShare> from_rtss(std::span<const std::uint8_t> bytes);

}  // namespace cc::crypto
