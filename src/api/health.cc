#include "api/health.h"

#include <algorithm>
#include <boost/json.hpp>

#include "api/families.h"
#include "audit/journal.h"

namespace cc::api {
namespace json = boost::json;
namespace {

const char* up_or_down(bool up) { return up ? "UP" : "DOWN"; }

// Web3Signer's shape: {"status","checks":[{"id","status","data"?}],"outcome"}. Says nothing of topology: it is open to
// all.
http::Response healthcheck(const Health& health) {
  json::object keys{{"id", "keys-check"}, {"status", up_or_down(health.keys > 0)}};
  keys["data"] = json::object{{"keys-loaded", health.keys}};
  json::object store{{"id", "slashing-protection-db-health-check"}, {"status", up_or_down(health.stores_ready)}};
  if (health.trouble) {
    store["data"] = json::object{{"code", facts(health.trouble->kind).code}};
  }
  const json::array checks{
      json::object{{"id", "default-check"}, {"status", "UP"}},
      json::object{{"id", "signing-open"}, {"status", up_or_down(health.open)}},
      std::move(keys),
      json::object{{"id", "key-files"}, {"status", up_or_down(health.key_files)}},
      std::move(store),
  };
  const char* outcome = up_or_down(health.good());
  return http::json(health.good() ? 200 : 503,
                    json::serialize(json::object{{"status", outcome}, {"checks", checks}, {"outcome", outcome}}));
}

}  // namespace

Health health_of(const Context& context) {
  Health out;
  out.open = context.pipeline.gate_open();
  out.keys = context.ring.size();
  if (context.key_files != nullptr) {
    const ReloadState files = context.key_files->status().state;
    out.key_files =
        !context.key_files->loading() && files != ReloadState::completed_with_errors && files != ReloadState::failed;
  }
  out.trouble = context.pipeline.refusal();
  if (!out.trouble && context.stores_ready) {
    if (const Result<void> ready = context.stores_ready(); !ready) {
      out.trouble = ready.error();
    }
  }
  out.stores_ready = !out.trouble.has_value();
  return out;
}

void refresh_gauges(const Context& context) {
  const Health health = health_of(context);
  const signing::PipelineCounters counters = context.pipeline.counters();
  context.metrics.healthy(health.good());
  const seal::Status status = context.chamber.status();
  context.metrics.chamber_state(seal::name(status.state));
  using Margin = metrics::Registry::Margin;
  context.metrics.operators_margin(status.drills ? std::optional(Margin{status.drills->fresh, status.drills->margin})
                                                 : std::nullopt);
  context.metrics.keks_margin(status.keks ? std::optional(Margin{status.keks->healthy, status.keks->margin})
                                          : std::nullopt);
  context.metrics.keys_loaded(health.keys);
  if (context.server_counters) {
    const http::ServerCounters server = context.server_counters();
    metrics::HttpServerCounts counts;
    counts.connections = server.connections;
    counts.in_flight = server.in_flight;
    counts.handed_total = server.handed_total;
    counts.shed_total = server.shed_total;
    counts.evicted_total = server.evicted_total;
    counts.handshakes_total = server.handshakes_total;
    counts.handshakes_failed_total = server.handshakes_failed_total;
    context.metrics.http_server(counts);
  }
  if (context.journal != nullptr) {
    const audit::Journal::Facts log = context.journal->facts();
    context.metrics.audit({.entries_total = log.entries,
                           .left_out_total = log.left_out,
                           .lost_total = log.lost,
                           .waiting_bytes = log.waiting,
                           .head_number = log.durable.number,
                           .failing = log.trouble.has_value()});
  }
  context.metrics.signing_queue(counters.limit, counters.limit - std::min(counters.limit, counters.queued));
}

void add_upcheck_route(http::Router& router) {
  router.add("GET", "/upcheck",
             [](const http::Request&, const http::Responder& respond) {
               http::Response response;
               response.content_type = "text/plain; charset=utf-8";
               response.body = "OK";
               respond(std::move(response));
             },
             {.always = true});
}

void add_health_routes(http::Router& router, Context& context) {
  add_upcheck_route(router);
  router.add("GET", "/healthcheck", [&context](const http::Request&, const http::Responder& respond) {
    respond(healthcheck(health_of(context)));
  });
}

}  // namespace cc::api
