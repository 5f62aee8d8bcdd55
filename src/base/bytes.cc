#include "base/bytes.h"

namespace cc {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int nibble(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

std::string_view without_prefix(std::string_view text) {
  return text.starts_with("0x") || text.starts_with("0X") ? text.substr(2) : text;
}

std::string encode64(ByteView bytes, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(alphabet[bits >> held & 63U]);
    }
  }
  if (held > 0) {
    out.push_back(alphabet[bits << (6 - held) & 63U]);
  }
  while (padded && out.size() % 4 != 0) {
    out.push_back('=');
  }
  return out;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

std::string to_0x(ByteView bytes) { return "0x" + to_hex(bytes); }

Result<void> from_hex_exact(std::string_view text, std::span<std::uint8_t> out) {
  const std::string_view digits = without_prefix(text);
  if (digits.size() != out.size() * 2) {
    return fail(ErrorKind::malformed_request, "expected " + std::to_string(out.size()) +
                                                  " bytes of hexadecimal, found " + std::to_string(digits.size()) +
                                                  " digits");
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = nibble(digits[2 * i]);
    const int low = nibble(digits[2 * i + 1]);
    if (high < 0 || low < 0) {
      return fail(ErrorKind::malformed_request, "not a hexadecimal digit at position " + std::to_string(2 * i));
    }
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return {};
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes out(without_prefix(text).size() / 2);
  CC_TRY(from_hex_exact(text, out));
  return out;
}

std::string to_base64(ByteView bytes) { return encode64(bytes, kBase64, true); }

std::string to_base64url(ByteView bytes) { return encode64(bytes, kBase64Url, false); }

Result<Bytes> from_base64(std::string_view text) {
  std::string_view digits = text;
  for (int i = 0; i < 2 && digits.ends_with('='); ++i) {
    digits.remove_suffix(1);
  }
  Bytes out;
  out.reserve(digits.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : digits) {
    const std::size_t value = kBase64.find(c);
    if (value == std::string_view::npos) {
      return fail(ErrorKind::malformed_request, "not a base64 character");
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> held & 0xffU));
    }
  }
  if (to_base64(out) != text) {
    return fail(ErrorKind::malformed_request, "not canonical, padded base64");
  }
  return out;
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) {
    return false;
  }
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = difference | static_cast<std::uint8_t>(a[i] ^ b[i]);
  }
  return difference == 0;
}

void append(Bytes& to, ByteView what) { to.insert(to.end(), what.begin(), what.end()); }

void append_u16_be(Bytes& to, std::uint16_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

void append_u32_be(Bytes& to, std::uint32_t value) {
  append_u16_be(to, static_cast<std::uint16_t>(value >> 16));
  append_u16_be(to, static_cast<std::uint16_t>(value));
}

void append_u64_be(Bytes& to, std::uint64_t value) {
  append_u32_be(to, static_cast<std::uint32_t>(value >> 32));
  append_u32_be(to, static_cast<std::uint32_t>(value));
}

}  // namespace cc
