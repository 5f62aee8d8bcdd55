#include "adapters/dynamodb/value.h"

#include <boost/json.hpp>
#include <charconv>

#include "http/json_text.h"

namespace cc::dynamodb {
namespace {

namespace bj = boost::json;

constexpr std::size_t kDigits = 20;

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(out) : std::nullopt;
}

void append_value(std::string& to, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    to.append("{\"S\":").append(http::json_string(*text)).append("}");
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    to.append("{\"N\":\"").append(std::to_string(*number)).append("\"}");
  } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
    to.append("{\"B\":\"").append(to_base64(*bytes)).append("\"}");
  } else {
    to.append(std::get<bool>(value) ? R"({"BOOL":true})" : R"({"BOOL":false})");
  }
}

std::optional<Value> value_from(const bj::value& json) {
  const bj::object* const object = json.if_object();
  if (object == nullptr || object->size() != 1) {
    return std::nullopt;
  }
  const auto& member = *object->begin();
  const bj::string* const text = member.value().if_string();
  if (member.key() == "BOOL" && member.value().is_bool()) {
    return Value(member.value().get_bool());
  }
  if (text == nullptr) {
    return std::nullopt;
  }
  if (member.key() == "S") {
    return Value(std::string(std::string_view(*text)));
  }
  if (member.key() == "N") {
    const auto number = number_from(*text);
    return number ? std::optional<Value>(*number) : std::nullopt;
  }
  if (member.key() == "B") {
    auto bytes = from_base64(*text);
    return bytes ? std::optional<Value>(*std::move(bytes)) : std::nullopt;
  }
  return std::nullopt;
}

template <class Type>
std::optional<Type> member_of(const Item& item, const std::string& name) {
  const auto found = item.find(name);
  const Type* const value = found == item.end() ? nullptr : std::get_if<Type>(&found->second);
  return value == nullptr ? std::nullopt : std::optional<Type>(*value);
}

}  // namespace

void append_json(std::string& to, const Item& item) {
  to += '{';
  bool first = true;
  for (const auto& [name, value] : item) {
    to.append(first ? "" : ",").append(http::json_string(name)).append(":");
    append_value(to, value);
    first = false;
  }
  to += '}';
}

Result<Item> item_from(const bj::value& json) {
  const bj::object* const object = json.if_object();
  if (object == nullptr) {
    return fail(ErrorKind::malformed_request, "an item that is no object");
  }
  Item out;
  for (const auto& member : *object) {
    std::optional<Value> value = value_from(member.value());
    if (!value) {
      return fail(ErrorKind::malformed_request, "the attribute " + http::json_string(member.key().substr(0, 40)) +
                                                    " is of a type that this program does not write");
    }
    out.emplace(member.key(), *std::move(value));
  }
  return out;
}

std::optional<std::string> text_of(const Item& item, const std::string& name) {
  return member_of<std::string>(item, name);
}
std::optional<std::uint64_t> number_of(const Item& item, const std::string& name) {
  return member_of<std::uint64_t>(item, name);
}
std::optional<Bytes> bytes_of(const Item& item, const std::string& name) { return member_of<Bytes>(item, name); }
std::optional<bool> flag_of(const Item& item, const std::string& name) { return member_of<bool>(item, name); }

std::string sortable(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0') + digits;
}

std::optional<std::uint64_t> from_sortable(std::string_view text) {
  return text.size() == kDigits ? number_from(text) : std::nullopt;
}

}  // namespace cc::dynamodb
