// Password-based key derivation: Argon2id (RFC 9106), scrypt (RFC 7914), PBKDF2-HMAC-SHA-256/512 (RFC 8018).
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
// Parameters outside 8 MiB..1 GiB, 1..16 passes, 1 lane are refused unrun: a stored record cannot make the server swap.
Result<Secret<64>> argon2id(const SecretBytes& password, ByteView salt16, const Argon2Params& params);

// Parameters are bounded: n a power of two in 2..2^20, r·p and memory (128·n·r) within 1 GiB. Errors: keystore_invalid.
Result<SecretBytes> scrypt(const SecretBytes& password, ByteView salt, std::uint64_t n, std::uint32_t r,
                           std::uint32_t p, std::size_t size);
// Iterations 1..10 000 000. Errors: keystore_invalid.
Result<SecretBytes> pbkdf2_sha256(const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                                  std::size_t size);
Result<SecretBytes> pbkdf2_sha512(const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                                  std::size_t size);

}  // namespace cc::crypto
