#include "api/sign_input.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/bytes.h"

namespace cc::api {
namespace json = boost::json;
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool wants_json(std::string_view accept) {
  std::string value(accept);
  std::transform(value.begin(), value.end(), value.begin(), lower);
  return value.find("application/json") != std::string::npos || value.find("*/*") != std::string::npos;
}

Result<BlsPublicKey> public_key_of(std::string_view text) {
  BlsPublicKey key{};
  if (const bool prefixed = text.starts_with("0x") || text.starts_with("0X"); prefixed) {
    text.remove_prefix(2);
  }
  if (text.size() != 2 * key.size() || !from_hex_exact(text, key)) {
    return fail(ErrorKind::malformed_request, "a public key is 96 hexadecimal digits, with or without 0x");
  }
  return key;
}

SignOutline outline_of(std::string_view json_body) {
  SignOutline out;
  json::error_code error;
  const json::value document = json::parse(json_body, error);
  if (error || !document.is_object()) {
    return out;
  }
  if (const json::value* type = document.get_object().if_contains("type"); type != nullptr && type->is_string()) {
    out.type = std::string_view(type->get_string());
    std::transform(out.type.begin(), out.type.end(), out.type.begin(), upper);
  }
  const json::value* root = document.find_pointer("/fork_info/genesis_validators_root", error);
  Root bytes{};
  if (root != nullptr && root->is_string() && from_hex_exact(std::string_view(root->get_string()), bytes)) {
    out.genesis_validators_root = bytes;
  }
  return out;
}

}  // namespace cc::api
