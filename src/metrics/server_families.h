// The families about the process, its listeners and its canaries. Only the .cc files of this room include it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <mutex>
#include <set>
#include <string>

namespace cc::metrics {

// Sets a counter to what was counted elsewhere.
void raise_to(prometheus::Counter& counter, std::uint64_t total);

struct ServerFamilies {
  explicit ServerFamilies(prometheus::Registry& registry);

  prometheus::Gauge& http_connections;
  prometheus::Gauge& http_in_flight;
  prometheus::Gauge& http_shed;
  prometheus::Family<prometheus::Counter>& http_requests;
  prometheus::Histogram& http_duration;
  prometheus::Counter& http_evicted;
  prometheus::Counter& worker_submitted;
  prometheus::Counter& worker_completed;
  prometheus::Counter& worker_rejected;
  prometheus::Counter& handshakes_ok;
  prometheus::Counter& handshakes_failed;
  prometheus::Counter& tls_reloads_ok;
  prometheus::Counter& tls_reloads_failed;
  // Absent until there is a certificate: an expiry of 0 would look like an expired one.
  prometheus::Family<prometheus::Gauge>& tls_not_before;
  prometheus::Family<prometheus::Gauge>& tls_not_after;
  prometheus::Counter& canary_signed;
  prometheus::Counter& canary_refused;
  prometheus::Counter& audit_entries;
  prometheus::Counter& audit_left_out;
  prometheus::Counter& audit_lost;
  prometheus::Gauge& audit_failing;
  prometheus::Gauge& audit_waiting;
  prometheus::Gauge& audit_number;
  prometheus::Gauge& process_cpu;
  prometheus::Gauge& process_memory;
  prometheus::Gauge& process_open_fds;
  prometheus::Gauge& process_max_fds;
  prometheus::Gauge& process_start;
  prometheus::Gauge& process_threads;

  // From /proc; what cannot be read keeps its last value.
  void read_process();
};

}  // namespace cc::metrics
