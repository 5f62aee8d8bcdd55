// Many signatures over one message: a table of multiples of H(m) is built once, and each key then costs a fixed number
// of additions of table entries, batched over the keys so that one inversion serves all of them. The construction and
// the proofs are in docs/spec/same-message-signing.md. The signatures are the ones blst makes, byte for byte.
//
// Constant time: every look-up reads every entry of its window; signs are masks; what is inverted is first multiplied
// by a fresh random field element. Which message, how many keys and which keys are not secret.
// Integrity: every call ends by comparing the sum of its signatures with H(m) times the sum of its keys, which blst
// computes the usual way. One wrong signature among them is found with certainty.
//
// Threads: a table is read-only once built and may serve several threads; a scratch serves one call at a time.
// Secrets: keys are read from locked memory; everything derived from them lies in the scratch, which is locked too and
// is wiped before the call returns.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/random.h"
#include "crypto/bls.h"
#include "crypto/locked_scratch.h"
#include "crypto/recoded_key.h"

namespace cc::crypto {

// How the 64 bits of a digit are cut: 16, 13, 11 or 8 windows of at most 4, 5, 6 or 8 bits. Fewer windows mean fewer
// additions per key and a larger table.
enum class WindowLayout { w4, w5, w6, w8 };

// Which arithmetic runs: blst's field functions; eight keys at a time in AVX-512 registers with their 52-bit
// multiplier; and the code of that one over plain integers, for tests.
enum class SigningKernel { portable, ifma, emulated_ifma };
std::string_view name(SigningKernel kernel);
// Whether this build has the kernel and this machine can run it.
bool available(SigningKernel kernel);
// Signs with some keys in every layout and compares with blst: some ten milliseconds. False also when not available.
bool kernel_works(SigningKernel kernel, Random& random);

struct SameMessageKey {
  const BlsSecretKey* secret;
  const RecodedKey* recoded;
};

// Test seam: called with each value that is declared public, before it is used. Empty in production.
using Declassified = void (*)(void* bytes, std::size_t size);

class SameMessageScratch : public LockedScratch {
 public:
  explicit SameMessageScratch(SigningKernel kernel = SigningKernel::portable);
};

class SameMessageTable {
 public:
  // `kernel` is available; calls need a scratch made for the same one.
  SameMessageTable(const HashedMessage& message, WindowLayout layout, SigningKernel kernel = SigningKernel::portable);
  ~SameMessageTable();
  SameMessageTable(SameMessageTable&&) noexcept;

  WindowLayout layout() const;
  std::size_t bytes() const;

  // signatures[i] = keys[i].secret->sign(message); both spans have the same length. True when the sum check held;
  // otherwise nothing is handed out and the caller signs some other way and says so.
  [[nodiscard]] bool sign(std::span<const SameMessageKey> keys, std::span<BlsSignature> signatures,
                          SameMessageScratch& scratch, Random& random, Declassified declassified = nullptr) const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace cc::crypto
