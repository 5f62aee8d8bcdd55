// POST /api/v1/chamber/seal and /resume. Sealing has a queue of its own: it waits for nobody's ceremony.
#include "api/answer.h"
#include "api/ceremony_input.h"
#include "api/families.h"
#include "base/log.h"

namespace cc::api {
namespace {

Result<http::Response> seal_chamber(Context& context, http::Request& request) {
  CC_ASSIGN(const access::Caller caller, caller_of(context, request, access::Scope::chamber_seal));
  CC_ASSIGN(const JsonBody body, JsonBody::parse_optional(request.body, {"reason", "hold", "all"}));
  CC_ASSIGN(const std::optional<std::string> reason, body->optional_text("reason"));
  CC_ASSIGN(const bool hold, body->flag_or("hold", false));
  CC_ASSIGN(const bool all, body->flag_or("all", false));
  log::warn("asked to seal", {{"policy", caller.policy}});
  const Result<void> kept = context.chamber.seal(reason.value_or(""), hold, all);
  context.metrics.chamber_sealed();
  CC_TRY(kept);
  return state_reply(seal::VisibleState::sealed);
}

Result<http::Response> resume(Context& context, http::Request& request) {
  CC_TRY(JsonBody::parse_optional(request.body, {"reason"}));
  CC_TRY(context.chamber.resume());
  if (context.chamber_changed) {
    context.chamber_changed();
  }
  return state_reply(context.chamber.status().state);
}

}  // namespace

void add_chamber_seal_routes(http::Router& router, Context& context) {
  router.add("POST", "/api/v1/chamber/seal",
             queued(context.sealing, needs(context, access::Scope::chamber_seal),
                    [&context](http::Request& request) { return seal_chamber(context, request); }));
  router.add("POST", "/api/v1/chamber/resume",
             queued(context.ceremonies, needs(context, access::Scope::chamber_seal),
                    [&context](http::Request& request) { return resume(context, request); }));
}

}  // namespace cc::api
