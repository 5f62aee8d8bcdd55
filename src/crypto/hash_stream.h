// SHA-256 of a message that comes in pieces (FIPS 180-4), for files. Public data only. One per thread.
#pragma once

#include <sodium.h>

#include "crypto/hash.h"

namespace cc::crypto {

class HashStream {
 public:
  HashStream() { crypto_hash_sha256_init(&state_); }
  void update(ByteView piece) { crypto_hash_sha256_update(&state_, piece.data(), piece.size()); }
  // Once.
  Digest finish() {
    Digest out{};
    crypto_hash_sha256_final(&state_, out.data());
    return out;
  }

 private:
  crypto_hash_sha256_state state_{};
};

}  // namespace cc::crypto
