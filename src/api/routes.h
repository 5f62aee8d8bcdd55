// Every endpoint of the API port and of the metrics port.
#pragma once

#include "api/context.h"
#include "http/router.h"

namespace cc::api {

// The API port: Web3Signer's contract and the chamber endpoints. `context` outlives the router.
void add_routes(http::Router& router, Context& context);

// The metrics port: GET /metrics in the Prometheus text format, and /upcheck.
void add_metrics_routes(http::Router& router, Context& context);

}  // namespace cc::api
