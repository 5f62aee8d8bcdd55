// rooms: api
// The bodies of chamber requests, and what is read of a sign request before its parser: no input may crash, and
// whatever is accepted obeys the rules (known fields only, texts of the length they had).
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/ceremony_input.h"
#include "api/json_body.h"
#include "api/sign_input.h"

namespace {

void must(bool held) {
  if (!held) {
    std::abort();
  }
}

void read_init(std::string_view text) {
  const auto body =
      cc::api::JsonBody::parse(text, {"kms_key_arns", "kms_threshold", "unseal_threshold", "operators", "setup_token"});
  if (!body) {
    must(body.error().kind == cc::ErrorKind::malformed_request && !body.error().message.empty());
    return;
  }
  must(!(*body)->has("passphrase"));
  const auto keks = (*body)->texts("kms_key_arns");
  must(keks || keks.error().kind == cc::ErrorKind::malformed_request);
  static_cast<void>((*body)->number("kms_threshold"));
  static_cast<void>((*body)->number_or("unseal_threshold", 0));
}

void read_register(std::string_view text) {
  const auto body = cc::api::JsonBody::parse_optional(
      text, {"operator", "credential_id", "passphrase", "kind", "secret", "registration_token"});
  if (!body) {
    return;
  }
  const auto plain = (*body)->text("passphrase");
  const auto secret = (*body)->secret("passphrase");
  must(plain.has_value() == secret.has_value());
  must(!plain || plain->size() == secret->size());
  static_cast<void>(cc::api::credential(body->root()));
  static_cast<void>((*body)->optional_text("credential_id"));
}

void read_import(std::string_view text) {
  const auto body = cc::api::JsonBody::parse(text, {"keys", "storage"});
  if (!body) {
    return;
  }
  const auto keys = (*body)->objects("keys", {"keystore", "password", "private_key", "label"});
  if (keys) {
    for (const cc::api::JsonObject& key : *keys) {
      static_cast<void>(key.nested_json("keystore"));
      static_cast<void>(key.secret("private_key"));
    }
  }
  if (const auto storage = (*body)->object("storage", {"persist"})) {
    static_cast<void>(storage->flag_or("persist", true));
  }
}

void read_keystores(std::string_view text) {
  constexpr std::size_t kMost = 3;
  const auto body = cc::api::JsonBody::parse(text, {"keystores", "passwords", "slashing_protection"});
  if (!body) {
    return;
  }
  const auto keystores = (*body)->nested_jsons("keystores", kMost);
  must(keystores ? keystores->size() <= kMost : keystores.error().kind == cc::ErrorKind::malformed_request);
  const auto passwords = (*body)->secrets("passwords", kMost);
  must(passwords ? passwords->size() <= kMost : passwords.error().kind == cc::ErrorKind::malformed_request);
  static_cast<void>((*body)->is_null("slashing_protection"));
  static_cast<void>((*body)->nested_json("slashing_protection"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_init(text);
  read_register(text);
  read_import(text);
  read_keystores(text);
  static_cast<void>(cc::api::outline_of(text));
  static_cast<void>(cc::api::wants_json(text));
  if (const auto key = cc::api::public_key_of(text)) {
    must(size == 96 || size == 98);
  }
  return 0;
}
