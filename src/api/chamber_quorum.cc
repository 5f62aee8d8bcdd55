// POST /api/v1/chamber/rotate/approve and /drill: an operator's credential is the proof, no token is needed.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/ceremony_input.h"
#include "api/families.h"
#include "base/iso_time.h"

namespace cc::api {
namespace json = boost::json;
namespace {

Result<http::Response> approve(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body,
            JsonBody::parse(request.body, {"operator", "passphrase", "kind", "secret", "rotation"}));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const std::string rotation, body->text("rotation"));
  CC_ASSIGN(const seal::CredentialSecret secret, credential(body.root()));
  CC_ASSIGN(const seal::ApproveReply reply, context.chamber.approve(name, secret, rotation, request.peer));
  json::object out{{"approvals_received", reply.approvals_received}, {"approvals_required", reply.approvals_required}};
  if (reply.state) {
    out["status"] = seal::name(*reply.state);
    tell_change(context);
  }
  if (!reply.safe_to_disable.empty()) {
    out["safe_to_disable"] = json::array(reply.safe_to_disable.begin(), reply.safe_to_disable.end());
  }
  return http::json(200, json::serialize(out));
}

Result<http::Response> drill(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"operator", "passphrase", "kind", "secret"}));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const seal::CredentialSecret secret, credential(body.root()));
  CC_ASSIGN(const seal::DrillReply reply, context.chamber.drill(name, secret, request.peer));
  return http::json(200, json::serialize(json::object{{"operator", name},
                                                      {"credential_id", reply.credential_id},
                                                      {"drilled_at", iso_time(reply.drilled_at)}}));
}

}  // namespace

void add_chamber_quorum_routes(http::Router& router, Context& context) {
  router.add("POST", "/api/v1/chamber/rotate/approve",
             queued(context.ceremonies, takes_secrets(context),
                    for_anyone([&context](http::Request& request) { return approve(context, request); })));
  router.add("POST", "/api/v1/chamber/drill",
             queued(context.ceremonies, takes_secrets(context),
                    for_anyone([&context](http::Request& request) { return drill(context, request); })));
}

}  // namespace cc::api
