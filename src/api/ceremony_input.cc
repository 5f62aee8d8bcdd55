#include "api/ceremony_input.h"

#include <boost/json.hpp>

#include "api/answer.h"
#include "api/device_json.h"

namespace cc::api {
namespace json = boost::json;

Result<SecretBytes> one_time_token(const http::Request& request, const JsonObject& body, std::string_view field) {
  if (body.has(field)) {
    return body.secret(field);
  }
  if (const auto token = bearer(request)) {
    return SecretBytes::copy_of(*token);
  }
  return fail(ErrorKind::unauthorized,
              "send the " + std::string(field) + " as Authorization: Bearer, or as a field of the body");
}

Result<seal::CredentialSecret> credential(const JsonObject& body) {
  seal::CredentialSecret out;
  if (body.has("passphrase") == (body.has("kind") || body.has("secret"))) {
    return fail(ErrorKind::malformed_request, "give either passphrase, or kind and secret");
  }
  if (body.has("passphrase")) {
    CC_ASSIGN(out.secret, body.secret("passphrase"));
    return out;
  }
  CC_ASSIGN(const std::string kind, body.text("kind"));
  return credential_of(body, kind, "secret");
}

Result<seal::CredentialSecret> credential_of(const JsonObject& body, const std::string& kind, std::string_view field) {
  seal::CredentialSecret out;
  out.kind = kind;
  CC_ASSIGN(out.secret, body.secret(field));
  if (seal::is_device_kind(kind)) {
    CC_ASSIGN(out.secret, answer_from_hex(out.secret));
  } else if (kind != seal::kPassphraseKind) {
    return fail(ErrorKind::unsupported, "a credential is of kind passphrase, yubikey or fido2");
  }
  return out;
}

Result<void> add_device(seal::CredentialSecret& to, const JsonObject& body, std::string_view field) {
  if (seal::is_device_kind(to.kind)) {
    CC_ASSIGN(to.device, device_from_json(body, field, to.kind));
  } else if (body.has(field)) {
    return fail(ErrorKind::malformed_request, "a passphrase has no " + std::string(field));
  }
  return {};
}

void tell_change(const Context& context) {
  if (context.chamber_changed) {
    context.chamber_changed();
  }
}

// The text is wiped by nobody but the socket, so it is built once.
http::Response tokens_reply(seal::VisibleState state,
                            const std::vector<std::pair<std::string, SecretBytes>>& operator_tokens,
                            const std::string& more) {
  std::string body = R"({"status":)" + json::serialize(json::string(seal::name(state))) + R"(,"operator_tokens":{)";
  std::size_t secret_bytes = 0;
  for (const auto& [name, token] : operator_tokens) {
    secret_bytes += name.size() + token.size() + 16;
  }
  body.reserve(body.size() + 2 * secret_bytes + more.size() + 2);
  bool first = true;
  for (const auto& [name, token] : operator_tokens) {
    const auto bytes = expose_secret_bytes(token);
    body += (first ? "" : ",") + json::serialize(json::string(name)) + ":\"";
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());  // cc-reg- and base64url: no escapes
    body += '"';
    first = false;
  }
  body += "}" + more + "}";
  return http::json(200, std::move(body));
}

http::Response state_reply(seal::VisibleState state) {
  return http::json(200, json::serialize(json::object{{"status", seal::name(state)}}));
}

http::Response opened_reply(seal::VisibleState state, std::uint64_t validators_loaded) {
  return http::json(
      200, json::serialize(json::object{{"status", seal::name(state)}, {"validators_loaded", validators_loaded}}));
}

}  // namespace cc::api
