#include "ethereum/json_document.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstring>
#include <functional>
#include <new>
#include <string>

namespace cc::ethereum {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxNodes = 65536;
constexpr std::size_t kMaxProperties = 256;
constexpr std::size_t kUsualNodes = 64;

// Receives the parser's events and appends nodes. A refusal of our own is told by `refusal`.
class NodeBuilder {
 public:
  static constexpr std::size_t max_array_size = kMaxNodes;
  static constexpr std::size_t max_object_size = kMaxProperties;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = 256;

  NodeBuilder(std::string_view source, std::pmr::vector<JsonNode>& nodes, std::pmr::memory_resource& memory)
      : source_(source), nodes_(nodes), memory_(memory), pending_(&memory) {}

  const char* refusal() const { return refusal_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code& ec) { return open(JsonKind::array, ec); }
  bool on_array_end(std::size_t, json::error_code&) { return close(); }
  bool on_object_begin(json::error_code& ec) { return open(JsonKind::object, ec); }
  bool on_object_end(std::size_t, json::error_code&) { return close(); }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return append(part); }
  bool on_string(json::string_view last, std::size_t, json::error_code& ec) {
    return add(JsonKind::string, settle(last), ec);
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return append(part); }
  bool on_key(json::string_view last, std::size_t, json::error_code& ec) {
    key_ = settle(last);
    for (std::uint32_t i = nodes_[open_[depth_ - 1]].first_child; i != JsonNode::kNone; i = nodes_[i].next) {
      if (nodes_[i].key == key_) {
        return refuse("a property is given twice", ec);
      }
    }
    return true;
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view text, json::error_code& ec) {
    return add(JsonKind::number, in_source(text), ec);
  }
  bool on_uint64(std::uint64_t, json::string_view text, json::error_code& ec) {
    return add(JsonKind::number, in_source(text), ec);
  }
  bool on_double(double, json::string_view text, json::error_code& ec) {
    return add(JsonKind::number, in_source(text), ec);
  }
  bool on_bool(bool value, json::error_code& ec) { return add(JsonKind::boolean, value ? "true" : "false", ec); }
  bool on_null(json::error_code& ec) { return add(JsonKind::null, {}, ec); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool refuse(const char* why, json::error_code& ec) {
    refusal_ = why;
    ec = json::make_error_code(json::error::syntax);
    return false;
  }

  bool append(json::string_view part) {
    pending_.append(part.data(), part.size());
    return true;
  }

  // The whole string: a view of the source where it stands there as it is, else a copy in the document's memory.
  std::string_view settle(json::string_view last) {
    const std::string_view view(last.data(), last.size());
    if (pending_.empty() && lies_in_source(view)) {
      return view;
    }
    pending_.append(view);
    const std::string_view copy = copied(pending_);
    pending_.clear();
    return copy;
  }
  std::string_view in_source(json::string_view text) {
    const std::string_view view(text.data(), text.size());
    return lies_in_source(view) ? view : copied(view);
  }
  bool lies_in_source(std::string_view view) const {
    const std::less_equal<> not_after;
    return not_after(source_.data(), view.data()) &&
           not_after(view.data() + view.size(), source_.data() + source_.size());
  }
  std::string_view copied(std::string_view text) {
    if (text.empty()) {
      return {};
    }
    auto* place = static_cast<char*>(memory_.allocate(text.size(), 1));
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
  }

  bool add(JsonKind kind, std::string_view text, json::error_code& ec) {
    if (nodes_.size() == kMaxNodes) {
      return refuse("too many values", ec);
    }
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    JsonNode node;
    node.kind = kind;
    node.text = text;
    if (depth_ > 0) {
      JsonNode& parent = nodes_[open_[depth_ - 1]];
      node.parent = open_[depth_ - 1];
      node.key = parent.kind == JsonKind::object ? key_ : std::string_view();
      ++parent.children;
      (parent.first_child == JsonNode::kNone ? parent.first_child : nodes_[last_child_[depth_ - 1]].next) = index;
      last_child_[depth_ - 1] = index;
    }
    nodes_.push_back(node);
    return true;
  }
  bool open(JsonKind kind, json::error_code& ec) {
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    if (depth_ == kMaxDepth) {
      return refuse("nested too deeply", ec);
    }
    if (!add(kind, {}, ec)) {
      return false;
    }
    open_[depth_++] = index;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  std::string_view source_;
  std::pmr::vector<JsonNode>& nodes_;
  std::pmr::memory_resource& memory_;
  std::pmr::string pending_;
  std::string_view key_;
  std::array<std::uint32_t, kMaxDepth> open_{};
  std::array<std::uint32_t, kMaxDepth> last_child_{};
  std::size_t depth_ = 0;
  const char* refusal_ = nullptr;
};

tl::unexpected<Error> refused(const std::string& why, std::size_t offset) {
  return fail(ErrorKind::malformed_request,
              "the body is not acceptable JSON: " + why + " (at byte " + std::to_string(offset) + ")");
}

std::string reason_of(const json::error_code& error) {
  if (error == json::error::too_deep) {
    return "nested too deeply";
  }
  if (error == json::error::extra_data) {
    return "something follows the value";
  }
  if (error == json::error::incomplete) {
    return "the text ends too early";
  }
  if (error == json::error::object_too_large) {
    return "too many properties in one object";
  }
  if (error == json::error::array_too_large) {
    return "too many values";
  }
  if (error == json::error::key_too_large) {
    return "a property name is too long";
  }
  if (error == json::error::illegal_leading_surrogate || error == json::error::illegal_trailing_surrogate ||
      error == json::error::expected_utf16_escape) {
    return "an escaped character is not valid";
  }
  return "syntax error or invalid UTF-8";
}

}  // namespace

std::string_view name(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::number:
      return "a number";
    case JsonKind::string:
      return "a string";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  return "an unknown value";
}

Result<void> JsonDocument::parse(std::string_view text) {
  try {
    nodes_.reserve(kUsualNodes);
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::basic_parser<NodeBuilder> parser(options, text, nodes_, memory_);
    json::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (error) {
      const char* const own = parser.handler().refusal();
      return refused(own != nullptr ? own : reason_of(error), used);
    }
    if (used != text.size()) {
      return refused("something follows the value", used);
    }
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::malformed_request, "the body needs more memory than is left for it; send a smaller one");
  } catch (const std::exception&) {
    return refused("syntax error", 0);
  }
}

}  // namespace cc::ethereum
