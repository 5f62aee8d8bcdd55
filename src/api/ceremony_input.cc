#include "api/ceremony_input.h"

#include <boost/json.hpp>

#include "api/answer.h"

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
  CC_ASSIGN(out.kind, body.text("kind"));
  CC_ASSIGN(out.secret, body.secret("secret"));
  if (out.kind != "passphrase") {
    return fail(ErrorKind::unsupported, "kind must be passphrase");
  }
  return out;
}

http::Response state_reply(seal::VisibleState state) {
  return http::json(200, json::serialize(json::object{{"status", seal::name(state)}}));
}

http::Response opened_reply(seal::VisibleState state, std::uint64_t validators_loaded) {
  return http::json(
      200, json::serialize(json::object{{"status", seal::name(state)}, {"validators_loaded", validators_loaded}}));
}

}  // namespace cc::api
