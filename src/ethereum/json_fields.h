// Typed access to a JSON document. Every error is malformed_request and carries the JSON path of the fault, e.g.
// "attestation.target.epoch: expected an unsigned integer, found a boolean".
//
// A JsonValue is a place in a document: cheap to copy, valid while the document lives.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "ethereum/json_document.h"

namespace cc::ethereum {

class JsonValue {
 public:
  explicit JsonValue(const JsonDocument& document, std::uint32_t index = JsonDocument::root())
      : document_(&document), index_(index) {}

  JsonKind kind() const { return node().kind; }
  // "block.body.deposits[3].proof"; "the body" for the outermost value.
  std::string path() const;
  // An error at this place: "PATH: WHY".
  tl::unexpected<Error> wrong(std::string_view why) const;

  // A property that must be there; null counts as missing.
  Result<JsonValue> member(std::string_view name) const;
  // A property that may be missing or null.
  std::optional<JsonValue> optional_member(std::string_view name) const;
  Result<void> expect_object() const;

  Result<std::string_view> text() const;
  Result<bool> boolean() const;
  // A decimal string or a JSON integer, 0..2^64-1.
  Result<std::uint64_t> u64() const;
  // Hexadecimal of either case, 0x optional, exactly out.size() bytes.
  Result<void> bytes(std::span<std::uint8_t> out) const;
  // The same of any length up to `limit`.
  Result<Bytes> bytes_up_to(std::size_t limit) const;
  // A decimal string or a JSON integer, 0..2^256-1, as 32 little-endian bytes.
  Result<void> u256_little_endian(std::span<std::uint8_t, 32> out) const;

  // Calls visit(JsonValue) -> Result<void> for each element of an array.
  template <class Visit>
  Result<void> each(Visit&& visit) const {
    if (kind() != JsonKind::array) {
      return expected("an array");
    }
    for (std::uint32_t i = node().first_child; i != JsonNode::kNone; i = document_->node(i).next) {
      CC_TRY(visit(JsonValue(*document_, i)));
    }
    return {};
  }
  std::size_t size() const { return node().children; }

 private:
  const JsonNode& node() const { return document_->node(index_); }
  tl::unexpected<Error> expected(std::string_view what) const;
  // The digits of a decimal string or JSON integer.
  Result<std::string_view> digits() const;

  const JsonDocument* document_;
  std::uint32_t index_;
};

}  // namespace cc::ethereum
