#include "base/secret.h"

#include <sodium.h>

#include <cstring>
#include <string>

namespace cc {

SecretBytes SecretBytes::copy_of(std::span<const std::uint8_t> bytes) {
  SecretBytes out(bytes.size());
  if (!bytes.empty()) {
    std::memcpy(out.data_, bytes.data(), bytes.size());
  }
  return out;
}

SecretBytes SecretBytes::copy_of(std::string_view text) {
  return copy_of(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

SecretBytes SecretBytes::clone() const { return copy_of(expose_secret_bytes(*this)); }

void SecretBytes::wipe() noexcept {
  if (data_ != nullptr) {
    locked_memory::release(data_, size_);
  }
  data_ = nullptr;
  size_ = 0;
}

std::span<const std::uint8_t> expose_secret_bytes(const SecretBytes& secret) {
  return {reinterpret_cast<const std::uint8_t*>(secret.data_), secret.size_};
}

std::span<std::uint8_t> expose_secret_bytes(SecretBytes& secret) {
  return {reinterpret_cast<std::uint8_t*>(secret.data_), secret.size_};
}

bool operator==(const SecretBytes& a, const SecretBytes& b) {
  return a.size_ == b.size_ && (a.size_ == 0 || sodium_memcmp(a.data_, b.data_, a.size_) == 0);
}

void wipe(std::span<std::uint8_t> bytes) noexcept {
  if (!bytes.empty()) {
    sodium_memzero(bytes.data(), bytes.size());
  }
}

void wipe(std::string& text) noexcept {
  if (!text.empty()) {
    sodium_memzero(text.data(), text.size());
  }
  text.clear();
}

}  // namespace cc
