// Bytes and their text forms. Nothing here is for secrets: see base/secret.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// The bytes of a text, without a copy. The view lives as long as the text.
inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Lower-case hexadecimal without a prefix.
std::string to_hex(ByteView bytes);
// Lower-case hexadecimal with the prefix 0x.
std::string to_0x(ByteView bytes);
// Reads hexadecimal of either case, with or without 0x. Errors: malformed_request.
Result<Bytes> from_hex(std::string_view text);
// Same, of exactly out.size() bytes. Errors: malformed_request naming the expected length.
Result<void> from_hex_exact(std::string_view text, std::span<std::uint8_t> out);

// RFC 4648 section 4, padded; the reader accepts only the canonical form. Errors: malformed_request.
std::string to_base64(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);
// RFC 4648 section 5, without padding (tokens).
std::string to_base64url(ByteView bytes);

// Compares public values of any length in time that depends on the length alone.
bool equal_constant_time(ByteView a, ByteView b);

void append(Bytes& to, ByteView what);
void append_u16_be(Bytes& to, std::uint16_t value);
void append_u32_be(Bytes& to, std::uint32_t value);
void append_u64_be(Bytes& to, std::uint64_t value);

template <std::size_t N>
std::array<std::uint8_t, N> to_array(ByteView bytes) {
  std::array<std::uint8_t, N> out{};
  for (std::size_t i = 0; i < N && i < bytes.size(); ++i) {
    out[i] = bytes[i];
  }
  return out;
}

}  // namespace cc
