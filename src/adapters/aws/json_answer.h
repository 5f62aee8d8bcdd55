// A JSON answer of AWS, one object deep. Memory of the parsed document is wiped: it held credentials or plaintexts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cc::aws {

class JsonAnswer {
 public:
  // Errors: malformed_request, never quoting a value.
  static Result<JsonAnswer> parse(std::string_view text);
  ~JsonAnswer();
  JsonAnswer(JsonAnswer&&) noexcept;
  JsonAnswer& operator=(JsonAnswer&&) noexcept;

  // Text members; empty when absent or of another type. `inside` names an object member to look into.
  std::optional<std::string> text(std::string_view field, std::string_view inside = {}) const;
  std::optional<SecretBytes> secret(std::string_view field) const;
  std::optional<bool> flag(std::string_view field, std::string_view inside = {}) const;

 private:
  struct Document;
  JsonAnswer();
  std::unique_ptr<Document> document_;
};

// Base64 into locked memory, no copy left. Errors: malformed_request.
Result<SecretBytes> secret_from_base64(const SecretBytes& text);

}  // namespace cc::aws
