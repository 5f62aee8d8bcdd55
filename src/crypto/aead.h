// AES-256-GCM with 96-bit nonces and 128-bit tags (NIST SP 800-38D). Ciphertext is body ‖ tag.
// At most 2^32 random-nonce seals per key; callers use one derived key per purpose.
//
// Keys and opened plaintexts lie in locked memory; the cipher's key schedule lies in OpenSSL's heap while a call runs
// (for a RecordOpener while it lives) and is wiped there. Nothing of a ciphertext whose tag does not hold is handed
// out. Sizes are below 2 GiB. The free functions are thread-safe. Out of memory is std::bad_alloc, never an empty or
// unsealed result.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"

namespace cc::crypto {

using Nonce = std::array<std::uint8_t, 12>;
inline constexpr std::size_t kTagBytes = 16;

Bytes seal(const Secret<32>& key, const Nonce& nonce, ByteView aad, ByteView plaintext);
// Errors: record_tampered with a neutral message; callers map it to what they opened.
Result<SecretBytes> open(const Secret<32>& key, const Nonce& nonce, ByteView aad, ByteView ciphertext);

// A sealed box: random nonce ‖ ciphertext ‖ tag.
Bytes seal_box(const Secret<32>& key, ByteView aad, ByteView plaintext, Random& random);
Result<SecretBytes> open_box(const Secret<32>& key, ByteView aad, ByteView box);

// Opens many records under one key without setting the cipher up again. Not thread-safe; one per thread.
class RecordOpener {
 public:
  explicit RecordOpener(const Secret<32>& key);
  ~RecordOpener();
  RecordOpener(RecordOpener&&) noexcept;
  RecordOpener& operator=(RecordOpener&&) noexcept;
  // Writes exactly ciphertext.size() - kTagBytes bytes to out.
  Result<void> open(const Nonce& nonce, ByteView aad, ByteView ciphertext, std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cc::crypto
