#include "crypto/hash.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string>

namespace cc::crypto {
namespace {

const EVP_MD* sha256_method() {
  // Fetched once: a fetch by name at each call costs more than hashing a tree node.
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

// One context per thread, so that a Merkle tree of thousands of nodes allocates nothing. OpenSSL wipes its block buffer
// when a digest is taken; what stays in the context is the digest itself.
EVP_MD_CTX* thread_context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                                     &EVP_MD_CTX_free);
  return context.get();
}

// libsodium's HMAC: its state lies on our stack, cannot fail, and is wiped here.
class Hmac {
 public:
  explicit Hmac(ByteView key) {
    const std::uint8_t nothing = 0;  // the library wants a pointer also for an empty key
    crypto_auth_hmacsha256_init(&state_, key.empty() ? &nothing : key.data(), key.size());
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() { sodium_memzero(&state_, sizeof(state_)); }

  void update(ByteView part) {
    if (!part.empty()) {
      crypto_auth_hmacsha256_update(&state_, part.data(), part.size());
    }
  }
  void finish(std::span<std::uint8_t, 32> out) { crypto_auth_hmacsha256_final(&state_, out.data()); }

 private:
  crypto_auth_hmacsha256_state state_;
};

}  // namespace

Digest sha256(ByteView message) { return sha256({message}); }

Digest sha256(std::initializer_list<ByteView> parts) {
  EVP_MD_CTX* context = thread_context();
  Digest out{};
  bool ok = context != nullptr && EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1;
  for (const ByteView part : parts) {
    ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  if (!ok || EVP_DigestFinal_ex(context, out.data(), nullptr) != 1) {
    throw std::bad_alloc();  // a digest fails for want of memory only, and must never come back as zeros
  }
  return out;
}

// RFC 2104 over the processor's SHA instructions: a signer that starts checks one of these per key, and every request
// one per token. The thread's context wipes its buffer with every final; the initialisation at the end wipes its state.
Digest hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  constexpr std::size_t kBlock = 64;
  std::array<std::uint8_t, kBlock> pad{};
  if (key.size() > kBlock) {
    const Digest digest = sha256(key);
    std::copy(digest.begin(), digest.end(), pad.begin());
  } else {
    std::copy(key.begin(), key.end(), pad.begin());
  }
  EVP_MD_CTX* context = thread_context();
  Digest out{};
  bool ok = context != nullptr;
  const auto begin_with_pad = [&](std::uint8_t mask) {
    for (std::uint8_t& byte : pad) {
      byte ^= mask;
    }
    ok = ok && EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1 &&
         EVP_DigestUpdate(context, pad.data(), pad.size()) == 1;
  };
  begin_with_pad(0x36);
  for (const ByteView part : parts) {
    ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context, out.data(), nullptr) == 1;
  begin_with_pad(0x36 ^ 0x5c);
  ok = ok && EVP_DigestUpdate(context, out.data(), out.size()) == 1 &&
       EVP_DigestFinal_ex(context, out.data(), nullptr) == 1 &&
       EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1;
  wipe(pad);
  if (!ok) {
    throw std::bad_alloc();
  }
  return out;
}

Digest keyed_blake2b(const Secret<32>& key, ByteView message) {
  Digest out{};
  const ByteView secret = expose_secret_bytes(key);
  crypto_generichash_blake2b(out.data(), out.size(), message.data(), message.size(), secret.data(), secret.size());
  return out;
}

Digest hmac_sha256(const Secret<32>& key, std::initializer_list<ByteView> parts) {
  return hmac_sha256(expose_secret_bytes(key), parts);
}

Secret<32> hkdf_sha256(ByteView ikm, ByteView salt, ByteView info) {
  Secret<32> pseudo_random_key;
  Hmac extract(salt);  // an absent salt is the zero key, as RFC 5869 section 2.2 asks
  extract.update(ikm);
  extract.finish(expose_secret_bytes(pseudo_random_key).first<32>());

  Secret<32> out;
  Hmac expand(expose_secret_bytes(pseudo_random_key));
  const std::uint8_t first_block = 1;
  expand.update(info);
  expand.update({&first_block, 1});
  expand.finish(expose_secret_bytes(out).first<32>());
  return out;
}

Secret<32> derive(const Secret<32>& ikm, ByteView chamber_id, std::string_view purpose, ByteView id) {
  Bytes info;
  append(info, bytes_of("cc/v1/"));
  append(info, bytes_of(purpose));
  append(info, id);
  return hkdf_sha256(expose_secret_bytes(ikm), chamber_id, info);
}

}  // namespace cc::crypto
