// Ed25519 (RFC 8032) over libsodium. Thread-safe. Secrets: seed and key, in locked memory.
#pragma once

#include <array>

#include "base/bytes.h"
#include "base/secret.h"

namespace cc::crypto {

// Expands a seed into the key that signs. Returns the public key.
std::array<std::uint8_t, 32> ed25519_key(const Secret<32>& seed, Secret<64>& key);
std::array<std::uint8_t, 64> ed25519_sign(const Secret<64>& key, ByteView message);
bool ed25519_verify(const std::array<std::uint8_t, 32>& public_key, ByteView message,
                    const std::array<std::uint8_t, 64>& signature);

}  // namespace cc::crypto
