// A BLS secret key written for the same-message signer: four 64-bit numbers whose every window of bits is a signed odd
// digit (docs/spec/same-message-signing.md, "Recoding"). Made once, when a key is loaded; 32 bytes of locked memory.
//
// Secrets: the digits are the key. The recoding divides by a constant through its reciprocal and takes no branch and no
// address from the key; tests/crypto/same_message_constant_time_test.cc holds the evidence.
#pragma once

#include <array>
#include <cstdint>

#include "base/secret.h"
#include "crypto/bls.h"

namespace cc::crypto {

class RecodedKey {
 public:
  explicit RecodedKey(const BlsSecretKey& key);

  // Two scalars, 2 and r-2, meet the one addition that the method leaves out: they are signed by the plain path. That a
  // key is one of these is not treated as secret.
  bool exceptional() const { return exceptional_; }
  // u0..u3, little-endian, for k when k is odd and for r-k when it is even.
  const Secret<32>& digits() const { return digits_; }

 private:
  Secret<32> digits_;
  bool exceptional_ = false;
};

}  // namespace cc::crypto
