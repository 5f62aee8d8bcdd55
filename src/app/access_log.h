// What is told of every answered request: a line in the log, when its level is wanted, and the counters.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/log.h"
#include "http/server.h"
#include "metrics/metrics.h"

namespace cc::app {

// `level`: trace … error, or off. Lines carry request_id, method, route (the pattern, never the caller's path), status,
// duration_ms, peer and tls. `metrics` outlives the function.
std::function<void(const http::Exchange&)> access_log(const std::string& level, metrics::Registry& metrics);

}  // namespace cc::app
