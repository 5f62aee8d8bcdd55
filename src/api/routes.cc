#include "api/routes.h"

#include "api/families.h"
#include "api/health.h"
#include "api/witness.h"

namespace cc::api {

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
