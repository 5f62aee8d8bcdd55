// /api/v1/chamber/rotate/…: replaces KEKs, operators or the mode while signing goes on. Scope chamber_rotate.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/ceremony_input.h"
#include "api/families.h"
#include "base/log.h"

namespace cc::api {
namespace json = boost::json;
namespace {

json::array names(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

json::object waiting(const seal::RotationReply& reply) {
  json::object out{{"status", seal::name(reply.state)}};
  if (!reply.rotation.empty()) {
    out["rotation"] = reply.rotation;
    out["approvals_received"] = reply.approvals_received;
    out["approvals_required"] = reply.approvals_required;
  }
  return out;
}

// What has to be approved stands behind the tokens; without approvals the reply is what the guide prints.
http::Response staged_reply(const seal::RotationReply& reply) {
  if (reply.operator_tokens.empty()) {
    return http::json(200, json::serialize(waiting(reply)));
  }
  std::string more;
  if (!reply.rotation.empty()) {
    more = R"(,"rotation":")" + reply.rotation + R"(","approvals_received":)" +
           std::to_string(reply.approvals_received) + R"(,"approvals_required":)" +
           std::to_string(reply.approvals_required);
  }
  return tokens_reply(reply.state, reply.operator_tokens, more);
}

Result<http::Response> rotate_kms(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"kms_key_arns", "kms_threshold"}));
  seal::KmsSetRequest wanted;
  CC_ASSIGN(wanted.keks, body->texts("kms_key_arns"));
  CC_ASSIGN(wanted.threshold, body->number("kms_threshold"));
  CC_ASSIGN(const seal::RotationReply reply, context.chamber.rotate_kms(wanted));
  tell_change(context);
  if (reply.state == seal::VisibleState::awaiting_rotation) {
    return staged_reply(reply);
  }
  return http::json(200, json::serialize(json::object{{"status", "ok"},
                                                      {"shares", reply.shares},
                                                      {"threshold", reply.threshold},
                                                      {"safe_to_disable", names(reply.safe_to_disable)}}));
}

Result<seal::OperatorSetRequest> operators_of(const JsonObject& body) {
  seal::OperatorSetRequest out;
  CC_ASSIGN(out.threshold, body.number("unseal_threshold"));
  CC_ASSIGN(out.operators, body.texts("operators"));
  return out;
}

Result<http::Response> rotate_unseal(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"unseal_threshold", "operators"}));
  CC_ASSIGN(const seal::OperatorSetRequest wanted, operators_of(body.root()));
  CC_ASSIGN(const seal::RotationReply reply, context.chamber.rotate_unseal(wanted));
  return staged_reply(reply);
}

Result<http::Response> rotate_mode(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"mode", "unseal_threshold", "operators"}));
  CC_ASSIGN(const std::string mode, body->text("mode"));
  if (mode == "unseal") {
    CC_ASSIGN(const seal::OperatorSetRequest wanted, operators_of(body.root()));
    CC_ASSIGN(const seal::RotationReply reply, context.chamber.rotate_to_unseal(wanted));
    return staged_reply(reply);
  }
  if (mode != "kms_only") {
    return fail(ErrorKind::malformed_request, "mode must be unseal or kms_only");
  }
  if (body->has("operators") || body->has("unseal_threshold")) {
    return fail(ErrorKind::malformed_request,
                "mode kms_only has no operators; leave out operators and unseal_threshold");
  }
  CC_ASSIGN(const seal::RotationReply reply, context.chamber.rotate_to_kms_only());
  return staged_reply(reply);
}

Result<http::Response> rotate_master(Context& context, http::Request& request) {
  CC_TRY(JsonBody::parse_optional(request.body, {}));
  CC_ASSIGN(const seal::RotationReply reply, context.chamber.rotate_master());
  tell_change(context);
  return staged_reply(reply);
}

Result<http::Response> cancel(Context& context, http::Request& request) {
  CC_TRY(JsonBody::parse_optional(request.body, {}));
  CC_TRY(context.chamber.rotate_cancel());
  return state_reply(context.chamber.status().state);
}

}  // namespace

void add_chamber_rotate_routes(http::Router& router, Context& context) {
  // Some replies carry registration tokens: all of them want a connection that nobody else reads.
  const auto add = [&](const char* path, auto endpoint) {
    router.add("POST", path,
               queued(context.ceremonies, both(needs(context, access::Scope::chamber_rotate), takes_secrets(context)),
                      [&context, endpoint, path](http::Request& request) -> Result<http::Response> {
                        CC_ASSIGN(const access::Caller caller,
                                  caller_of(context, request, access::Scope::chamber_rotate));
                        log::warn("asked to rotate", {{"policy", caller.policy}, {"path", path}});
                        return endpoint(context, request);
                      }));
  };
  add("/api/v1/chamber/rotate/kms", rotate_kms);
  add("/api/v1/chamber/rotate/unseal", rotate_unseal);
  add("/api/v1/chamber/rotate/quorum", rotate_unseal);
  add("/api/v1/chamber/rotate/mode", rotate_mode);
  add("/api/v1/chamber/rotate/master", rotate_master);
  add("/api/v1/chamber/rotate/unseal/cancel", cancel);
}

}  // namespace cc::api
