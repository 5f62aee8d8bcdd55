// POST /api/v1/chamber/unseal, /unseal/challenge and /unseal/reset: operators learn what their hardware keys are asked,
// give their shares, or start over.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/ceremony_input.h"
#include "api/device_json.h"
#include "api/families.h"

namespace cc::api {
namespace json = boost::json;
namespace {

http::Response counters(const seal::UnsealReply& reply) {
  return http::json(200, json::serialize(json::object{{"shares_received", reply.shares_received},
                                                      {"shares_required", reply.shares_required}}));
}

http::Response rehearsal(const seal::UnsealReply& reply) {
  return http::json(200, json::serialize(json::object{{"dry_run", true},
                                                      {"shares_received", reply.shares_received},
                                                      {"shares_required", reply.shares_required},
                                                      {"would_unseal", reply.would_open}}));
}

Result<http::Response> unseal(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body,
            JsonBody::parse(request.body, {"operator", "passphrase", "kind", "secret", "dry_run"}));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const seal::CredentialSecret secret, credential(body.root()));
  CC_ASSIGN(const bool dry_run, body->flag_or("dry_run", false));
  if (dry_run) {
    return context.chamber.rehearse(name, secret, request.peer).map(rehearsal);
  }
  CC_ASSIGN(const seal::UnsealReply reply, context.chamber.unseal(name, secret, request.peer));
  context.metrics.unseal_share_accepted(name);
  if (!reply.state) {
    return counters(reply);
  }
  context.metrics.chamber_unsealed();
  return opened_reply(*reply.state, reply.validators_loaded);
}

// Open to all, as the proof comes afterwards; a challenge is no secret.
Result<http::Response> challenge(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"operator"}));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const auto challenges, context.chamber.challenges(name));
  return http::json(200, json::serialize(challenges_to_json(challenges)));
}

// An operator proves a credential, anyone else needs the scope chamber_seal.
Result<http::Response> unseal_reset(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse_optional(request.body, {"operator", "passphrase", "kind", "secret"}));
  if (!body->has("operator")) {
    CC_TRY(caller_of(context, request, access::Scope::chamber_seal));
    return context.chamber.unseal_reset_authorised().map(counters);
  }
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const seal::CredentialSecret secret, credential(body.root()));
  return context.chamber.unseal_reset(name, secret, request.peer).map(counters);
}

}  // namespace

void add_chamber_unseal_routes(http::Router& router, Context& context) {
  router.add("POST", "/api/v1/chamber/unseal",
             queued(context.ceremonies, takes_secrets(context),
                    for_anyone([&context](http::Request& request) { return unseal(context, request); })));
  router.add("POST", "/api/v1/chamber/unseal/challenge",
             queued(context.ceremonies, open_to_all(),
                    for_anyone([&context](http::Request& request) { return challenge(context, request); })));
  router.add("POST", "/api/v1/chamber/unseal/reset",
             queued(context.ceremonies, takes_secrets(context),
                    for_anyone([&context](http::Request& request) { return unseal_reset(context, request); })));
}

}  // namespace cc::api
