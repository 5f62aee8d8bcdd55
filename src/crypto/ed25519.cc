#include "crypto/ed25519.h"

#include <sodium.h>

namespace cc::crypto {

std::array<std::uint8_t, 32> ed25519_key(const Secret<32>& seed, Secret<64>& key) {
  std::array<std::uint8_t, 32> out{};
  crypto_sign_ed25519_seed_keypair(out.data(), expose_secret_bytes(key).data(), expose_secret_bytes(seed).data());
  return out;
}

std::array<std::uint8_t, 64> ed25519_sign(const Secret<64>& key, ByteView message) {
  std::array<std::uint8_t, 64> out{};
  crypto_sign_ed25519_detached(out.data(), nullptr, message.data(), message.size(), expose_secret_bytes(key).data());
  return out;
}

bool ed25519_verify(const std::array<std::uint8_t, 32>& public_key, ByteView message,
                    const std::array<std::uint8_t, 64>& signature) {
  return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) == 0;
}

}  // namespace cc::crypto
