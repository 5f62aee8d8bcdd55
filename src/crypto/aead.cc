#include "crypto/aead.h"

#include <openssl/evp.h>

#include <climits>
#include <new>

namespace cc::crypto {
namespace {

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }  // wipes the key schedule
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return method;
}

// OpenSSL refuses a well-formed set-up or encryption for want of memory only. Going on would hand out an unsealed box.
void require(bool ok) {
  if (!ok) {
    throw std::bad_alloc();
  }
}

Context new_context() {
  Context context(EVP_CIPHER_CTX_new());
  require(context != nullptr && aes_256_gcm() != nullptr);
  return context;
}

bool fits_int(std::size_t size) { return size <= INT_MAX; }

tl::unexpected<Error> refused() {
  return fail(ErrorKind::record_tampered,
              "authenticated decryption failed: the data, its name or the key does not belong");
}

// Reads on a context that holds the key. `out` has exactly the size of the plaintext; it is wiped when the tag does not
// hold.
Result<void> open_with(EVP_CIPHER_CTX* context, const Nonce& nonce, ByteView aad, ByteView ciphertext,
                       std::span<std::uint8_t> out) {
  const ByteView body = ciphertext.first(ciphertext.size() - kTagBytes);
  auto tag = to_array<kTagBytes>(ciphertext.last(kTagBytes));
  int written = 0;
  std::array<std::uint8_t, kTagBytes> rest{};
  bool ok = EVP_DecryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1;
  if (!aad.empty()) {
    ok = ok && EVP_DecryptUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) == 1;
  }
  if (!body.empty()) {
    ok = ok && EVP_DecryptUpdate(context, out.data(), &written, body.data(), static_cast<int>(body.size())) == 1;
  }
  ok = ok && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1;
  ok = ok && EVP_DecryptFinal_ex(context, rest.data(), &written) == 1;
  if (!ok) {
    wipe(out);
    return refused();
  }
  return {};
}

}  // namespace

Bytes seal(const Secret<32>& key, const Nonce& nonce, ByteView aad, ByteView plaintext) {
  require(fits_int(aad.size()) && fits_int(plaintext.size()));
  const Context context = new_context();
  Bytes out(plaintext.size() + kTagBytes);
  int written = 0;
  require(EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), expose_secret_bytes(key).data(), nonce.data(), nullptr) ==
          1);
  if (!aad.empty()) {
    require(EVP_EncryptUpdate(context.get(), nullptr, &written, aad.data(), static_cast<int>(aad.size())) == 1);
  }
  if (!plaintext.empty()) {
    require(EVP_EncryptUpdate(context.get(), out.data(), &written, plaintext.data(),
                              static_cast<int>(plaintext.size())) == 1);
  }
  std::uint8_t* tag = out.data() + plaintext.size();
  require(EVP_EncryptFinal_ex(context.get(), tag, &written) == 1);
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1);
  return out;
}

Result<SecretBytes> open(const Secret<32>& key, const Nonce& nonce, ByteView aad, ByteView ciphertext) {
  if (ciphertext.size() < kTagBytes) {
    return refused();
  }
  SecretBytes out(ciphertext.size() - kTagBytes);
  CC_TRY(RecordOpener(key).open(nonce, aad, ciphertext, expose_secret_bytes(out)));
  return out;
}

Bytes seal_box(const Secret<32>& key, ByteView aad, ByteView plaintext, Random& random) {
  const auto nonce = random.array<std::tuple_size_v<Nonce>>();
  Bytes out(nonce.begin(), nonce.end());
  append(out, seal(key, nonce, aad, plaintext));
  return out;
}

Result<SecretBytes> open_box(const Secret<32>& key, ByteView aad, ByteView box) {
  constexpr std::size_t kNonceBytes = std::tuple_size_v<Nonce>;
  if (box.size() < kNonceBytes + kTagBytes) {
    return refused();
  }
  return open(key, to_array<kNonceBytes>(box), aad, box.subspan(kNonceBytes));
}

struct RecordOpener::State {
  Context context;
};

RecordOpener::RecordOpener(const Secret<32>& key) : state_(std::make_unique<State>(State{new_context()})) {
  require(EVP_DecryptInit_ex2(state_->context.get(), aes_256_gcm(), expose_secret_bytes(key).data(), nullptr,
                              nullptr) == 1);
}
RecordOpener::~RecordOpener() = default;
RecordOpener::RecordOpener(RecordOpener&&) noexcept = default;
RecordOpener& RecordOpener::operator=(RecordOpener&&) noexcept = default;

Result<void> RecordOpener::open(const Nonce& nonce, ByteView aad, ByteView ciphertext, std::span<std::uint8_t> out) {
  if (ciphertext.size() < kTagBytes || out.size() != ciphertext.size() - kTagBytes || !fits_int(aad.size()) ||
      !fits_int(ciphertext.size())) {
    wipe(out);
    return refused();
  }
  return open_with(state_->context.get(), nonce, aad, ciphertext, out);
}

}  // namespace cc::crypto
