// SHA-256, HMAC-SHA-256, HKDF-SHA-256, BLAKE2b (FIPS 180-4, RFC 2104, RFC 5869, RFC 7693). Thread-safe; cannot fail but
// for want of memory (std::bad_alloc). HMAC and HKDF wipe their state. docs/spec/derivation.md says which keys are
// derived.
#pragma once

#include <array>
#include <initializer_list>

#include "base/bytes.h"
#include "base/secret.h"

namespace cc::crypto {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(ByteView message);
// SHA-256 of the parts, one after the other.
Digest sha256(std::initializer_list<ByteView> parts);

// HMAC of the parts, one after the other. The parts must be self-delimiting; the caller sees to that.
Digest hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);
// The same over a secret key.
Digest hmac_sha256(const Secret<32>& key, std::initializer_list<ByteView> parts);

// BLAKE2b-256 under a key, a quarter of an HMAC's time: for what is compared within one process and never stored.
Digest keyed_blake2b(const Secret<32>& key, ByteView message);

// HKDF extract-and-expand to 32 bytes.
Secret<32> hkdf_sha256(ByteView ikm, ByteView salt, ByteView info);
// DESIGN section 3: HKDF-SHA256(ikm, salt = chamber id, info = "cc/v1/" + purpose ‖ id).
Secret<32> derive(const Secret<32>& ikm, ByteView chamber_id, std::string_view purpose, ByteView id = {});

}  // namespace cc::crypto
