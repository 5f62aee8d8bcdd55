// The JSON body of a chamber request, read strictly: unknown fields, wrong types and absent fields are errors that name
// the field. Memory of the parsed document is wiped, because it held passphrases and tokens.
//
// Secrets: secret() and hex_secret() move a text into locked memory; the text itself is wiped with the document.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace cc::api {

// One object of the document. Lives no longer than its JsonBody.
class JsonObject {
 public:
  bool has(std::string_view field) const;
  bool is_null(std::string_view field) const;

  // Errors, all malformed_request: the field is absent, of another type, or out of range.
  Result<std::string> text(std::string_view field) const;
  Result<std::optional<std::string>> optional_text(std::string_view field) const;
  Result<SecretBytes> secret(std::string_view field) const;
  Result<std::uint32_t> number(std::string_view field) const;
  Result<std::uint32_t> number_or(std::string_view field, std::uint32_t absent) const;
  Result<bool> flag_or(std::string_view field, bool absent) const;
  Result<std::vector<std::string>> texts(std::string_view field) const;
  Result<JsonObject> object(std::string_view field, std::initializer_list<std::string_view> known) const;
  Result<std::vector<JsonObject>> objects(std::string_view field, std::initializer_list<std::string_view> known) const;
  // The object or the text under this field as JSON text (a keystore comes either way).
  Result<std::string> nested_json(std::string_view field) const;
  // A list of such, and a list of texts into locked memory. Longer than `most`: an error that says so.
  Result<std::vector<std::string>> nested_jsons(std::string_view field, std::size_t most) const;
  Result<std::vector<SecretBytes>> secrets(std::string_view field, std::size_t most) const;

 private:
  friend class JsonBody;
  JsonObject(const void* object, std::string where) : object_(object), where_(std::move(where)) {}
  static Result<JsonObject> checked(const void* object, std::string where,
                                    std::initializer_list<std::string_view> known);
  std::string path(std::string_view field) const;

  const void* object_;  // boost::json::object, kept out of the headers
  std::string where_;   // path in the document, for messages
};

class JsonBody {
 public:
  // Errors: malformed_request (no JSON, deeper than 16 levels, no UTF-8, no object, a field that is not in `known`).
  static Result<JsonBody> parse(std::string_view text, std::initializer_list<std::string_view> known);
  // With any fields, for a second reader who looks for a few of them.
  static Result<JsonBody> look(std::string_view text);
  // As parse(), and an empty body is an empty object.
  static Result<JsonBody> parse_optional(std::string_view text, std::initializer_list<std::string_view> known);
  ~JsonBody();
  JsonBody(JsonBody&&) noexcept;
  JsonBody& operator=(JsonBody&&) noexcept;

  const JsonObject& root() const { return *root_; }
  const JsonObject* operator->() const { return &*root_; }

 private:
  struct Document;
  JsonBody();
  static Result<JsonBody> read(std::string_view text);
  std::unique_ptr<Document> document_;
  std::optional<JsonObject> root_;
};

}  // namespace cc::api
