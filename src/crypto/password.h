// Password-based key derivation: Argon2id (RFC 9106), scrypt (RFC 7914), PBKDF2-HMAC-SHA-256/512 (RFC 8018).
//
// Passwords go in and keys come out in locked memory. Parameters come from stored records and strangers' files, so each
// is checked before any work: out of range is refused unrun. Thread-safe; each call blocks for its whole work and takes
// its own memory, so callers bound how many run at once.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace cc::crypto {

struct Argon2Params {
  std::uint32_t memory_kib = 65536;
  std::uint32_t passes = 3;
  std::uint32_t lanes = 1;  // libsodium has one lane only
  auto operator<=>(const Argon2Params&) const = default;
};
// 64 bytes from the password and a 16-byte salt. Errors: record_malformed for parameters outside 8 MiB..1 GiB, 1..16
// passes, 1 lane, or for a salt of another length; internal when the memory is not to be had.
Result<Secret<64>> argon2id(const SecretBytes& password, ByteView salt16, const Argon2Params& params);

// n is a power of two in 2..2^20, 128·n·r at most 1 GiB of memory, n·r·p at most 2^25 (16 times what EIP-2335
// prescribes). Derived keys have 1..1024 bytes, password and salt at most 1 MiB each. Errors: keystore_invalid;
// internal without memory.
Result<SecretBytes> scrypt(const SecretBytes& password, ByteView salt, std::uint64_t n, std::uint32_t r,
                           std::uint32_t p, std::size_t size);
// Iterations 1..10 000 000; lengths as above. Errors: keystore_invalid; internal without memory.
Result<SecretBytes> pbkdf2_sha256(const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                                  std::size_t size);
Result<SecretBytes> pbkdf2_sha512(const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                                  std::size_t size);

}  // namespace cc::crypto
