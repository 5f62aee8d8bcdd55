// Secrets as types. A secret lives in locked memory (base/locked_memory.h), moves but never copies by accident, is
// wiped when it moves away or dies, compares in constant time, and has no stream operator and no formatter.
//
// The one way to its raw bytes is expose_secret_bytes(): grep for it to see every place that reads one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/locked_memory.h"

namespace cc {

// A secret whose length is known at run time. The length itself is not secret.
class SecretBytes {
 public:
  SecretBytes() = default;
  // Zero-filled.
  explicit SecretBytes(std::size_t size) : data_(size == 0 ? nullptr : locked_memory::allocate(size)), size_(size) {}
  // Takes a copy; the caller wipes the source.
  static SecretBytes copy_of(std::span<const std::uint8_t> bytes);
  static SecretBytes copy_of(std::string_view text);

  SecretBytes(SecretBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    other.wipe();
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // A second, independent copy, asked for by name.
  SecretBytes clone() const;
  // Gives the memory back, zeroed.
  void wipe() noexcept;

  friend std::span<const std::uint8_t> expose_secret_bytes(const SecretBytes& secret);
  friend std::span<std::uint8_t> expose_secret_bytes(SecretBytes& secret);
  // Constant time for equal lengths.
  friend bool operator==(const SecretBytes& a, const SecretBytes& b);

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A secret of exactly N bytes. A moved-from secret is all zero and holds no memory.
template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;
  Secret() : bytes_(N) {}
  // Takes a copy of exactly N bytes; the caller wipes the source.
  static Secret copy_of(std::span<const std::uint8_t, N> bytes) { return Secret(SecretBytes::copy_of(bytes)); }
  Secret clone() const { return Secret(bytes_.clone()); }

  friend std::span<const std::uint8_t> expose_secret_bytes(const Secret& secret) {
    return expose_secret_bytes(secret.bytes_);
  }
  friend std::span<std::uint8_t> expose_secret_bytes(Secret& secret) { return expose_secret_bytes(secret.bytes_); }
  friend bool operator==(const Secret& a, const Secret& b) { return a.bytes_ == b.bytes_; }

 private:
  explicit Secret(SecretBytes bytes) : bytes_(std::move(bytes)) {}
  SecretBytes bytes_;
};

// Overwrites memory in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> bytes) noexcept;
void wipe(std::string& text) noexcept;

}  // namespace cc
