// X25519 (RFC 7748) and ChaCha20-Poly1305 (RFC 8439), as the age file format uses them. Thread-safe.
// libsodium computes both: its intermediate values lie on the stack and are wiped there, no key passes OpenSSL's heap.
// Secrets: scalars, shared secrets, keys and plaintexts pass; out of memory is std::bad_alloc.
#pragma once

#include <array>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"

namespace cc::crypto {

using X25519Point = std::array<std::uint8_t, 32>;

// The public key of a scalar.
X25519Point x25519_public(const Secret<32>& scalar);
// The shared secret. Errors: malformed_request for a point of low order, which would give everybody the same secret.
Result<Secret<32>> x25519(const Secret<32>& scalar, const X25519Point& point);

// Ciphertext ‖ tag. A nonce is used once per key; the caller sees to that.
Bytes chacha20_poly1305(const Secret<32>& key, const Nonce& nonce, ByteView plaintext);

}  // namespace cc::crypto
