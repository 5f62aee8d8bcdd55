// POST /api/v1/chamber/init, /init/reset and /register: from nothing to a sealed or an open chamber.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/ceremony_input.h"
#include "api/families.h"

namespace cc::api {
namespace json = boost::json;
namespace {

Result<http::Response> init(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"kms_key_arns", "kms_threshold", "unseal_threshold",
                                                                "operators", "setup_token"}));
  CC_ASSIGN(const SecretBytes token, one_time_token(request, body.root(), "setup_token"));
  seal::InitRequest wanted;
  CC_ASSIGN(wanted.keks, body->texts("kms_key_arns"));
  CC_ASSIGN(wanted.kms_threshold, body->number("kms_threshold"));
  CC_ASSIGN(wanted.unseal_threshold, body->number_or("unseal_threshold", 0));
  if (body->has("operators")) {
    CC_ASSIGN(wanted.operators, body->texts("operators"));
  }
  CC_ASSIGN(const seal::InitReply reply, context.chamber.init(wanted, token));
  context.metrics.chamber_initialized();
  tell_change(context);
  return reply.operator_tokens.empty() ? opened_reply(reply.state, reply.validators_loaded)
                                       : tokens_reply(reply.state, reply.operator_tokens, {});
}

Result<http::Response> init_reset(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse_optional(request.body, {"setup_token"}));
  CC_ASSIGN(const SecretBytes token, one_time_token(request, body.root(), "setup_token"));
  CC_TRY(context.chamber.init_reset(token));
  tell_change(context);
  return state_reply(seal::VisibleState::uninitialized);
}

Result<http::Response> register_operator(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"operator", "credential_id", "passphrase", "kind",
                                                                "secret", "device", "registration_token"}));
  CC_ASSIGN(const SecretBytes token, one_time_token(request, body.root(), "registration_token"));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const std::optional<std::string> credential_id, body->optional_text("credential_id"));
  CC_ASSIGN(seal::CredentialSecret secret, credential(body.root()));
  CC_TRY(add_device(secret, body.root(), "device"));
  CC_ASSIGN(const seal::RegisterReply reply,
            context.chamber.register_operator(name, token, credential_id.value_or("default"), secret));
  json::object out{{"registered", reply.registered}, {"remaining", reply.remaining}};
  if (reply.state) {
    out["status"] = seal::name(*reply.state);
    tell_change(context);
  }
  return http::json(200, json::serialize(out));
}

}  // namespace

void add_chamber_init_routes(http::Router& router, Context& context) {
  const auto add = [&](const char* path, auto endpoint) {
    router.add("POST", path,
               queued(context.ceremonies, takes_secrets(context),
                      for_anyone([&context, endpoint](http::Request& request) { return endpoint(context, request); })));
  };
  add("/api/v1/chamber/init", init);
  add("/api/v1/chamber/init/reset", init_reset);
  add("/api/v1/chamber/register", register_operator);
}

}  // namespace cc::api
