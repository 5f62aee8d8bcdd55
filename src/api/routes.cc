#include "api/routes.h"

#include <algorithm>

#include "api/families.h"
#include "api/health.h"
#include "api/witness.h"

namespace cc::api {
namespace {

// Two passphrases of the largest size, escaped.
constexpr std::size_t kLargestCeremony = 256UL * 1024;

// A ceremony asks for its secret in the body, so anybody can make the signer hold one: it is small. Bodies of keys and
// many signatures are large, and only taken from callers whose token was looked at first.
void keep_ceremonies_small(http::Router& router) {
  router.wrap([](std::string_view, std::string_view pattern, http::Handler&, http::RouteOptions& options) {
    const bool chamber = pattern.starts_with("/api/v1/chamber/");
    if (chamber && !pattern.starts_with("/api/v1/chamber/keys") && pattern != "/api/v1/chamber/sign") {
      options.body_limit = std::min(options.body_limit, kLargestCeremony);
    }
  });
}

}  // namespace

void add_routes(http::Router& router, Context& context) {
  add_web3signer_routes(router, context);
  add_many_keys_routes(router, context);
  add_health_routes(router, context);
  add_chamber_status_routes(router, context);
  add_chamber_init_routes(router, context);
  add_chamber_unseal_routes(router, context);
  add_chamber_seal_routes(router, context);
  add_chamber_credentials_routes(router, context);
  add_chamber_rotate_routes(router, context);
  add_chamber_quorum_routes(router, context);
  add_chamber_keys_routes(router, context);
  add_reload_routes(router, context);
  add_keymanager_routes(router, context);
  add_audit_routes(router, context);
  keep_ceremonies_small(router);
  add_witness(router, context);  // last: it stands around all of them
}

void add_metrics_routes(http::Router& router, Context& context) {
  add_upcheck_route(router);
  router.add("GET", "/metrics", [&context](const http::Request&, const http::Responder& respond) {
    refresh_gauges(context);
    http::Response response;
    response.content_type = metrics::Registry::content_type();
    response.body = context.metrics.render();
    respond(std::move(response));
  });
}

}  // namespace cc::api
