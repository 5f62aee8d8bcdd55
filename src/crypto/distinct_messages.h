// Several messages, each signed by its own key: the tables of the messages, the additions of table entries and the last
// step to affine coordinates share their inversions, and most additions are the cheap affine ones. The construction and
// the proofs are in docs/spec/distinct-messages.md. The signatures are the ones blst makes, byte for byte.
//
// Constant time: as same_message.h. Which messages, how many and which keys are not secret.
// Integrity: every signature is a point of the curve, and one of each call, chosen at random, is made again by blst and
// compared. That finds faults of the field arithmetic and a machine that computes wrongly again and again. It does not
// find every single wrong signature, as the sum check of same_message.h does: blst's own signing has no such check.
//
// Threads: a scratch serves one call at a time.
// Secrets: as same_message.h; everything derived from a key lies in the scratch, wiped before the call returns.
#pragma once

#include <span>

#include "base/random.h"
#include "crypto/bls.h"
#include "crypto/locked_scratch.h"
#include "crypto/recoded_key.h"
#include "crypto/same_message.h"

namespace cc::crypto {

struct MessageAndKey {
  const HashedMessage* message;
  const BlsSecretKey* secret;
  const RecodedKey* recoded;
};

class DistinctScratch : public LockedScratch {
 public:
  DistinctScratch();
};

// signatures[i] = entries[i].secret->sign(its message); both spans have the same length. Messages and keys may repeat,
// and no key is exceptional here. True when the checks held; otherwise nothing is handed out and the caller signs some
// other way and says so.
[[nodiscard]] bool sign_distinct(std::span<const MessageAndKey> entries, std::span<BlsSignature> signatures,
                                 DistinctScratch& scratch, Random& random, Declassified declassified = nullptr);

}  // namespace cc::crypto
