#include "ethereum/json_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace cc::ethereum {
namespace {

// Keys come from the request: what is not a plain name is not repeated in a message.
std::string printable(std::string_view key) {
  const bool plain = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return plain ? std::string(key) : "(property)";
}

std::size_t position_in(const JsonDocument& document, std::uint32_t parent, std::uint32_t child) {
  std::size_t position = 0;
  for (std::uint32_t i = document.node(parent).first_child; i != child; i = document.node(i).next) {
    ++position;
  }
  return position;
}

}  // namespace

std::string JsonValue::path() const {
  std::vector<std::uint32_t> steps;
  for (std::uint32_t i = index_; document_->node(i).parent != JsonNode::kNone; i = document_->node(i).parent) {
    steps.push_back(i);
  }
  if (steps.empty()) {
    return "the body";
  }
  std::string out;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::uint32_t parent = document_->node(*step).parent;
    if (document_->node(parent).kind == JsonKind::array) {
      out += '[' + std::to_string(position_in(*document_, parent, *step)) + ']';
    } else {
      out += out.empty() ? "" : ".";
      out += printable(document_->node(*step).key);
    }
  }
  return out;
}

tl::unexpected<Error> JsonValue::wrong(std::string_view why) const {
  return fail(ErrorKind::malformed_request, path() + ": " + std::string(why));
}

tl::unexpected<Error> JsonValue::expected(std::string_view what) const {
  return wrong("expected " + std::string(what) + ", found " + std::string(name(kind())));
}

Result<void> JsonValue::expect_object() const {
  if (kind() != JsonKind::object) {
    return expected("an object");
  }
  return {};
}

std::optional<JsonValue> JsonValue::optional_member(std::string_view wanted) const {
  for (std::uint32_t i = node().first_child; i != JsonNode::kNone; i = document_->node(i).next) {
    const JsonNode& child = document_->node(i);
    if (child.key == wanted) {
      return child.kind == JsonKind::null ? std::nullopt : std::optional<JsonValue>(JsonValue(*document_, i));
    }
  }
  return std::nullopt;
}

Result<JsonValue> JsonValue::member(std::string_view wanted) const {
  CC_TRY(expect_object());
  if (const std::optional<JsonValue> found = optional_member(wanted)) {
    return *found;
  }
  const std::string prefix = node().parent == JsonNode::kNone ? std::string() : path() + ".";
  return fail(ErrorKind::malformed_request, prefix + std::string(wanted) + ": missing");
}

Result<std::string_view> JsonValue::text() const {
  if (kind() != JsonKind::string) {
    return expected("a string");
  }
  return node().text;
}

Result<bool> JsonValue::boolean() const {
  if (kind() != JsonKind::boolean) {
    return expected("a boolean");
  }
  return node().text == "true";
}

Result<std::string_view> JsonValue::digits() const {
  if (kind() != JsonKind::string && kind() != JsonKind::number) {
    return expected("an unsigned integer");
  }
  const std::string_view digits = node().text;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return wrong("expected an unsigned integer in decimal digits");
  }
  return digits;
}

Result<std::uint64_t> JsonValue::u64() const {
  CC_ASSIGN(const std::string_view text, digits());
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    return wrong("expected an unsigned integer below 2^64");
  }
  return value;
}

Result<void> JsonValue::bytes(std::span<std::uint8_t> out) const {
  if (kind() != JsonKind::string) {
    return expected(std::to_string(out.size()) + " bytes as a hexadecimal string");
  }
  if (const Result<void> read = from_hex_exact(node().text, out); !read) {
    return wrong(read.error().message);
  }
  return {};
}

Result<Bytes> JsonValue::bytes_up_to(std::size_t limit) const {
  if (kind() != JsonKind::string) {
    return expected("a hexadecimal string");
  }
  if (node().text.size() / 2 > limit + 1) {
    return wrong("expected at most " + std::to_string(limit) + " bytes");
  }
  Result<Bytes> read = from_hex(node().text);
  if (!read) {
    return wrong(read.error().message);
  }
  if (read->size() > limit) {
    return wrong("expected at most " + std::to_string(limit) + " bytes");
  }
  return read;
}

Result<void> JsonValue::u256_little_endian(std::span<std::uint8_t, 32> out) const {
  CC_ASSIGN(const std::string_view text, digits());
  std::array<std::uint32_t, 8> limbs{};  // least significant first
  for (const char digit : text) {
    std::uint64_t carry = static_cast<std::uint64_t>(digit - '0');
    for (std::uint32_t& limb : limbs) {
      carry += std::uint64_t{limb} * 10;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) {
      return wrong("expected an unsigned integer below 2^256");
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(limbs[i / 4] >> (8 * (i % 4)));
  }
  return {};
}

}  // namespace cc::ethereum
