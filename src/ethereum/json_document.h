// One JSON text as a flat list of nodes, in document order. Strict: RFC 8259, UTF-8 checked, no property twice in one
// object, nothing after the value, at most 32 levels, 65,536 values and 256 properties per object.
//
// Numbers are kept as text: a uint64 never passes through a double. Strings without escapes point into the source text,
// which must outlive the document; small documents allocate nothing. One thread at a time. Public data only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::ethereum {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };
std::string_view name(JsonKind kind);  // "a number", "an object", …

struct JsonNode {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::string_view key;   // of an object's property
  std::string_view text;  // string content, number as written, "true" or "false"
  std::uint32_t parent = kNone;
  std::uint32_t first_child = kNone;
  std::uint32_t next = kNone;  // next sibling
  std::uint32_t children = 0;
  JsonKind kind = JsonKind::null;
};

class JsonDocument {
 public:
  JsonDocument() = default;
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // Reads one text; call it once. Errors: malformed_request with the reason and the offset in bytes.
  Result<void> parse(std::string_view text);
  const JsonNode& node(std::uint32_t index) const { return nodes_[index]; }
  static constexpr std::uint32_t root() { return 0; }

 private:
  // Room for the nodes of every usual duty (an attestation has 27) before the heap is asked.
  alignas(std::max_align_t) std::array<std::byte, 6144> inline_memory_;
  std::pmr::monotonic_buffer_resource memory_{inline_memory_.data(), inline_memory_.size()};
  std::pmr::vector<JsonNode> nodes_{&memory_};
};

}  // namespace cc::ethereum
