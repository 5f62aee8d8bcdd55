// The part of the registry about listeners, TLS and canaries.
#include <algorithm>

#include "metrics/families.h"
#include "metrics/metrics.h"

namespace cc::metrics {

void Registry::http_server(const HttpServerCounts& counts) {
  ServerFamilies& server = families_->server;
  server.http_connections.Set(static_cast<double>(counts.connections));
  server.http_in_flight.Set(static_cast<double>(counts.in_flight));
  server.http_shed.Set(static_cast<double>(counts.shed_total));
  raise_to(server.http_evicted, counts.evicted_total);
  raise_to(server.worker_rejected, counts.shed_total);
  raise_to(server.worker_submitted, counts.handed_total);
  raise_to(server.worker_completed, counts.handed_total - std::min(counts.handed_total, counts.in_flight));
  raise_to(server.handshakes_ok, counts.handshakes_total);
  raise_to(server.handshakes_failed, counts.handshakes_failed_total);
}

void Registry::http_request(std::string_view route, int http_status, std::chrono::nanoseconds duration) {
  ServerFamilies& server = families_->server;
  server.http_duration.Observe(std::chrono::duration<double>(duration).count());
  families_->http_requests(route, http_status).Increment();
}

void Registry::tls_certificate(std::int64_t not_before, std::int64_t not_after) {
  families_->server.tls_not_before.Add({}).Set(static_cast<double>(not_before));
  families_->server.tls_not_after.Add({}).Set(static_cast<double>(not_after));
}

void Registry::tls_reload(bool taken) {
  ServerFamilies& server = families_->server;
  (taken ? server.tls_reloads_ok : server.tls_reloads_failed).Increment();
}

void Registry::audit(const AuditCounts& counts) {
  ServerFamilies& server = families_->server;
  raise_to(server.audit_entries, counts.entries_total);
  raise_to(server.audit_left_out, counts.left_out_total);
  raise_to(server.audit_lost, counts.lost_total);
  server.audit_failing.Set(counts.failing ? 1 : 0);
  server.audit_waiting.Set(static_cast<double>(counts.waiting_bytes));
  server.audit_number.Set(static_cast<double>(counts.head_number));
}

void Registry::canary(bool signature_given) {
  ServerFamilies& server = families_->server;
  (signature_given ? server.canary_signed : server.canary_refused).Increment();
}

}  // namespace cc::metrics
