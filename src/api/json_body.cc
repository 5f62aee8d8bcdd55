#include "api/json_body.h"

#include <boost/json.hpp>
#include <limits>

#include "formats/wiping_json.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr std::size_t kDeepest = 16;

const json::object& object_at(const void* object) { return *static_cast<const json::object*>(object); }

tl::unexpected<Error> malformed(std::string message) { return fail(ErrorKind::malformed_request, std::move(message)); }

Result<std::uint32_t> small_number(const json::value& value, const std::string& path) {
  if (value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= std::numeric_limits<std::uint32_t>::max()) {
    return static_cast<std::uint32_t>(value.get_int64());
  }
  return malformed(path + " must be a whole number from 0 to 4294967295");
}

std::string joined(std::initializer_list<std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    out += (out.empty() ? "" : ", ") + std::string(name);
  }
  return out.empty() ? "none" : out;
}

Result<std::string> json_text(const json::value& value, const std::string& where) {
  if (value.is_object()) {
    return json::serialize(value);
  }
  if (value.is_string()) {
    return std::string(std::string_view(value.get_string()));
  }
  return malformed(where + " must be an object or its JSON text");
}

template <class Item, class Read>
Result<std::vector<Item>> list(const json::object& object, std::string_view field, const std::string& where,
                               std::size_t most, const Read& read) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr || !value->is_array()) {
    return malformed(where + (value == nullptr ? " is missing" : " must be a list"));
  }
  if (value->get_array().size() > most) {
    return malformed(where + " has " + std::to_string(value->get_array().size()) +
                     " items; one request takes at most " + std::to_string(most) + ": send several");
  }
  std::vector<Item> out;
  for (const json::value& one : value->get_array()) {
    CC_ASSIGN(Item item, read(one, where + "[" + std::to_string(out.size()) + "]"));
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

Result<JsonObject> JsonObject::checked(const void* object, std::string where,
                                       std::initializer_list<std::string_view> known) {
  for (const auto& member : object_at(object)) {
    bool found = false;
    for (const std::string_view name : known) {
      found = found || name == std::string_view(member.key());
    }
    if (!found) {
      std::string message = "unknown field ";
      message += where.empty() ? "" : where + ".";
      message += std::string_view(member.key()).substr(0, 64);
      message += "; known: ";
      return malformed(message + joined(known));
    }
  }
  return JsonObject(object, std::move(where));
}

std::string JsonObject::path(std::string_view field) const {
  return where_.empty() ? std::string(field) : where_ + "." + std::string(field);
}

bool JsonObject::has(std::string_view field) const { return object_at(object_).contains(field); }

bool JsonObject::is_null(std::string_view field) const {
  const json::value* value = object_at(object_).if_contains(field);
  return value != nullptr && value->is_null();
}

Result<std::string> JsonObject::text(std::string_view field) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr) {
    return malformed(path(field) + " is missing");
  }
  if (!value->is_string()) {
    return malformed(path(field) + " must be a text");
  }
  return std::string(std::string_view(value->get_string()));
}

Result<std::optional<std::string>> JsonObject::optional_text(std::string_view field) const {
  if (!has(field)) {
    return std::nullopt;
  }
  return text(field).map([](std::string value) { return std::optional(std::move(value)); });
}

Result<SecretBytes> JsonObject::secret(std::string_view field) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr) {
    return malformed(path(field) + " is missing");
  }
  if (!value->is_string()) {
    return malformed(path(field) + " must be a text");
  }
  return SecretBytes::copy_of(std::string_view(value->get_string()));
}

Result<std::uint32_t> JsonObject::number(std::string_view field) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr) {
    return malformed(path(field) + " is missing");
  }
  return small_number(*value, path(field));
}

Result<std::uint32_t> JsonObject::number_or(std::string_view field, std::uint32_t absent) const {
  return has(field) ? number(field) : Result<std::uint32_t>(absent);
}

Result<bool> JsonObject::flag_or(std::string_view field, bool absent) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr) {
    return absent;
  }
  if (!value->is_bool()) {
    return malformed(path(field) + " must be true or false");
  }
  return value->get_bool();
}

Result<std::vector<std::string>> JsonObject::texts(std::string_view field) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr) {
    return malformed(path(field) + " is missing");
  }
  if (!value->is_array()) {
    return malformed(path(field) + " must be a list of texts");
  }
  std::vector<std::string> out;
  for (const json::value& one : value->get_array()) {
    if (!one.is_string()) {
      return malformed(path(field) + "[" + std::to_string(out.size()) + "] must be a text");
    }
    out.emplace_back(std::string_view(one.get_string()));
  }
  return out;
}

Result<JsonObject> JsonObject::object(std::string_view field, std::initializer_list<std::string_view> known) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr || !value->is_object()) {
    return malformed(path(field) + (value == nullptr ? " is missing" : " must be an object"));
  }
  return checked(&value->get_object(), path(field), known);
}

Result<std::vector<JsonObject>> JsonObject::objects(std::string_view field,
                                                    std::initializer_list<std::string_view> known) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr || !value->is_array()) {
    return malformed(path(field) + (value == nullptr ? " is missing" : " must be a list of objects"));
  }
  std::vector<JsonObject> out;
  for (const json::value& one : value->get_array()) {
    const std::string where = path(field) + "[" + std::to_string(out.size()) + "]";
    if (!one.is_object()) {
      return malformed(where + " must be an object");
    }
    CC_ASSIGN(JsonObject object, checked(&one.get_object(), where, known));
    out.push_back(std::move(object));
  }
  return out;
}

Result<std::string> JsonObject::nested_json(std::string_view field) const {
  const json::value* value = object_at(object_).if_contains(field);
  if (value == nullptr) {
    return malformed(path(field) + " is missing");
  }
  return json_text(*value, path(field));
}

Result<std::vector<std::string>> JsonObject::nested_jsons(std::string_view field, std::size_t most) const {
  return list<std::string>(object_at(object_), field, path(field), most, json_text);
}

Result<std::vector<SecretBytes>> JsonObject::secrets(std::string_view field, std::size_t most) const {
  return list<SecretBytes>(object_at(object_), field, path(field), most,
                           [](const json::value& value, const std::string& where) -> Result<SecretBytes> {
                             return value.is_string() ? SecretBytes::copy_of(std::string_view(value.get_string()))
                                                      : Result<SecretBytes>(malformed(where + " must be a text"));
                           });
}

struct JsonBody::Document {
  cc::json::WipingResource memory;
  json::value value;
};

JsonBody::JsonBody() : document_(std::make_unique<Document>()) {}
JsonBody::~JsonBody() = default;
JsonBody::JsonBody(JsonBody&&) noexcept = default;
JsonBody& JsonBody::operator=(JsonBody&&) noexcept = default;

Result<JsonBody> JsonBody::read(std::string_view text) {
  JsonBody out;
  json::parse_options options;
  options.max_depth = kDeepest;
  std::array<unsigned char, 4096> scratch{};
  try {
    json::parser parser(&out.document_->memory, options, scratch.data(), scratch.size());
    parser.reset(&out.document_->memory);
    json::error_code error;
    parser.write(text.data(), text.size(), error);
    if (error) {
      wipe(scratch);
      return malformed("the body is not JSON: " + error.message());
    }
    // Built anew in place: assigning would copy it out of the wiped memory.
    out.document_->value.~value();
    new (&out.document_->value) json::value(parser.release());
  } catch (const std::exception&) {
    wipe(scratch);
    return malformed("the body is not JSON that fits into memory");
  }
  wipe(scratch);
  if (!out.document_->value.is_object()) {
    return malformed("the body must be a JSON object");
  }
  return out;
}

Result<JsonBody> JsonBody::parse(std::string_view text, std::initializer_list<std::string_view> known) {
  CC_ASSIGN(JsonBody out, read(text));
  CC_ASSIGN(JsonObject root, JsonObject::checked(&out.document_->value.get_object(), "", known));
  out.root_.emplace(std::move(root));
  return out;
}

Result<JsonBody> JsonBody::look(std::string_view text) {
  CC_ASSIGN(JsonBody out, read(text));
  out.root_.emplace(JsonObject(&out.document_->value.get_object(), ""));
  return out;
}

Result<JsonBody> JsonBody::parse_optional(std::string_view text, std::initializer_list<std::string_view> known) {
  return parse(text.find_first_not_of(" \t\r\n") == std::string_view::npos ? "{}" : text, known);
}

}  // namespace cc::api
