// Whether public keys belong to their secret keys, hundreds in one computation.
//
// The check: sum r_i P_i == (sum r_i k_i) G with random 64-bit weights r_i, drawn anew for every call. A wrong pair, or
// several, pass with a chance of about 2^-64; an error of small order in a public key (a point outside the subgroup)
// may pass more often and is not what this looks for: it finds records whose parts do not belong together.
//
// Threads: any. Secrets: scalars and their weighted sum, handled by blst's constant-time routines and wiped; the
// weights, the public keys and the verdict are public.
#pragma once

#include <span>

#include "base/chain.h"
#include "base/random.h"
#include "crypto/bls.h"

namespace cc::crypto {

struct KeyPair {
  const BlsSecretKey* secret = nullptr;
  const BlsPublicKey* public_key = nullptr;
};

// True also of no pair at all. False when a public key is no point.
bool pairs_match(std::span<const KeyPair> pairs, Random& random);

}  // namespace cc::crypto
