#include "crypto/x25519.h"

#include <sodium.h>

namespace cc::crypto {

X25519Point x25519_public(const Secret<32>& scalar) {
  X25519Point out{};
  crypto_scalarmult_curve25519_base(out.data(), expose_secret_bytes(scalar).data());
  return out;
}

Result<Secret<32>> x25519(const Secret<32>& scalar, const X25519Point& point) {
  Secret<32> out;
  if (crypto_scalarmult_curve25519(expose_secret_bytes(out).data(), expose_secret_bytes(scalar).data(), point.data()) !=
      0) {
    return fail(ErrorKind::malformed_request, "the X25519 point has low order: nobody can hold its secret key");
  }
  return out;
}

Bytes chacha20_poly1305(const Secret<32>& key, const Nonce& nonce, ByteView plaintext) {
  Bytes out(plaintext.size() + crypto_aead_chacha20poly1305_ietf_ABYTES);
  const std::uint8_t nothing = 0;
  unsigned long long written = 0;
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), &written, plaintext.empty() ? &nothing : plaintext.data(),
                                            plaintext.size(), nullptr, 0, nullptr, nonce.data(),
                                            expose_secret_bytes(key).data());
  return out;
}

}  // namespace cc::crypto
