#include "adapters/aws/json_answer.h"

#include <boost/json.hpp>

#include "base/bytes.h"
#include "formats/json_shape.h"
#include "formats/wiping_json.h"

namespace cc::aws {

namespace bj = boost::json;

struct JsonAnswer::Document {
  json::WipingResource memory;
  bj::value value;

  Document() : value(bj::storage_ptr(&memory)) {}

  const bj::value* find(std::string_view field, std::string_view inside) const {
    const bj::object* object = &value.get_object();
    if (!inside.empty()) {
      const bj::value* const inner = object->if_contains(inside);
      object = inner == nullptr ? nullptr : inner->if_object();
    }
    return object == nullptr ? nullptr : object->if_contains(field);
  }
};

JsonAnswer::JsonAnswer() : document_(std::make_unique<Document>()) {}
JsonAnswer::~JsonAnswer() = default;
JsonAnswer::JsonAnswer(JsonAnswer&&) noexcept = default;
JsonAnswer& JsonAnswer::operator=(JsonAnswer&&) noexcept = default;

Result<JsonAnswer> JsonAnswer::parse(std::string_view text) {
  CC_TRY(json::check_shape(text));
  JsonAnswer out;
  bj::error_code error;
  out.document_->value = bj::parse(text, error, bj::storage_ptr(&out.document_->memory));
  if (error || !out.document_->value.is_object()) {
    return fail(ErrorKind::malformed_request, "not a JSON object");
  }
  return out;
}

std::optional<std::string> JsonAnswer::text(std::string_view field, std::string_view inside) const {
  const bj::value* const found = document_->find(field, inside);
  if (found == nullptr || !found->is_string()) {
    return std::nullopt;
  }
  return std::string(std::string_view(found->get_string()));
}

std::optional<SecretBytes> JsonAnswer::secret(std::string_view field) const {
  const bj::value* const found = document_->find(field, {});
  if (found == nullptr || !found->is_string()) {
    return std::nullopt;
  }
  return SecretBytes::copy_of(std::string_view(found->get_string()));
}

std::optional<bool> JsonAnswer::flag(std::string_view field, std::string_view inside) const {
  const bj::value* const found = document_->find(field, inside);
  if (found == nullptr || !found->is_bool()) {
    return std::nullopt;
  }
  return found->get_bool();
}

Result<SecretBytes> secret_from_base64(const SecretBytes& text) {
  const auto raw = expose_secret_bytes(text);
  auto bytes = from_base64({reinterpret_cast<const char*>(raw.data()), raw.size()});
  if (!bytes) {
    return fail(bytes.error());
  }
  SecretBytes out = SecretBytes::copy_of(*bytes);
  wipe(*bytes);
  return out;
}

}  // namespace cc::aws
