#include "metrics/server_families.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <vector>

namespace cc::metrics {
namespace {

using prometheus::Labels;

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return gauges(registry, name, help).Add(Labels{});
}
prometheus::Counter& one_of(prometheus::Registry& registry, const char* name, const char* help, const char* result) {
  return counters(registry, name, help).Add(Labels{{"result", result}});
}
// Web3Signer's pool of workers; ours are the requests handed to handlers.
prometheus::Counter& worker(prometheus::Registry& registry, const char* name, const char* help) {
  return counters(registry, name, help).Add(Labels{{"poolType", "worker"}, {"poolName", "vert.x-worker-thread"}});
}

prometheus::Histogram::BucketBoundaries seconds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

constexpr const char* kHandshakes = "containment_tls_handshakes_total";
constexpr const char* kHandshakesHelp = "TLS handshakes by their result";
constexpr const char* kReloads = "containment_tls_reloads_total";
constexpr const char* kReloadsHelp = "Times the TLS files were read again, by the result";
constexpr const char* kCanary = "containment_canary_signing_total";
constexpr const char* kCanaryHelp = "Sign requests for a canary key, by whether a signature was given";

// The fields of /proc/self/stat behind the program's name, which may hold blanks.
std::vector<std::string> stat_fields() {
  std::ifstream in("/proc/self/stat");
  std::string text;
  std::getline(in, text);
  const std::size_t end = text.rfind(')');
  std::istringstream rest(end == std::string::npos ? std::string() : text.substr(end + 1));
  std::vector<std::string> out;
  for (std::string word; rest >> word;) {
    out.push_back(word);
  }
  return out;
}

double number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

double boot_seconds() {
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("btime ", 0) == 0) {
      return number(line.substr(6));
    }
  }
  return 0;
}

}  // namespace

void raise_to(prometheus::Counter& counter, std::uint64_t total) {
  const double more = static_cast<double>(total) - counter.Value();
  if (more > 0) {
    counter.Increment(more);
  }
}

ServerFamilies::ServerFamilies(prometheus::Registry& registry)
    : http_connections(gauge(registry, "containment_http_connections", "Open connections of the API's listeners")),
      http_in_flight(
          gauge(registry, "containment_http_requests_in_flight", "Requests handed to a handler and not yet answered")),
      http_shed(gauge(registry, "containment_http_requests_shed",
                      "Requests answered 503 because of overload since the start")),
      http_requests(counters(registry, "containment_http_requests_total", "Requests by route and HTTP status")),
      http_duration(prometheus::BuildHistogram()
                        .Name("containment_http_request_duration_seconds")
                        .Help("From the head of a request to its answer being sent")
                        .Register(registry)
                        .Add(Labels{}, seconds())),
      http_evicted(counters(registry, "containment_http_connections_evicted_total",
                            "Waiting connections closed to make room for new ones")
                       .Add(Labels{})),
      worker_submitted(worker(registry, "http_vertx_worker_pool_submitted_total",
                              "Requests handed to a handler (Web3Signer's name)")),
      worker_completed(worker(registry, "http_vertx_worker_pool_completed_total",
                              "Requests answered by a handler (Web3Signer's name)")),
      worker_rejected(worker(registry, "http_vertx_worker_pool_rejected_total",
                             "Requests answered 503 because of overload (Web3Signer's name)")),
      handshakes_ok(one_of(registry, kHandshakes, kHandshakesHelp, "ok")),
      handshakes_failed(one_of(registry, kHandshakes, kHandshakesHelp, "failed")),
      tls_reloads_ok(one_of(registry, kReloads, kReloadsHelp, "ok")),
      tls_reloads_failed(one_of(registry, kReloads, kReloadsHelp, "failed")),
      tls_not_before(gauges(registry, "containment_tls_certificate_not_before_timestamp_seconds",
                            "When the TLS certificate in force begins to be valid")),
      tls_not_after(gauges(registry, "containment_tls_certificate_not_after_timestamp_seconds",
                           "When the TLS certificate in force expires")),
      canary_signed(one_of(registry, kCanary, kCanaryHelp, "signed")),
      canary_refused(one_of(registry, kCanary, kCanaryHelp, "refused")),
      audit_entries(
          counters(registry, "containment_audit_entries_total", "Entries added to the audit log since the start")
              .Add(Labels{})),
      audit_left_out(counters(registry, "containment_audit_refusals_left_out_total",
                              "Refusals that a flood kept out of the audit log; their number is in it")
                         .Add(Labels{})),
      audit_lost(counters(registry, "containment_audit_entries_lost_total",
                          "Entries that could not be kept while the audit log could not be written")
                     .Add(Labels{})),
      audit_failing(gauge(registry, "containment_audit_failing",
                          "1 while the audit log cannot be written: ceremonies are refused, signing goes on")),
      audit_waiting(gauge(registry, "containment_audit_waiting_bytes", "Bytes of the audit log not yet on disk")),
      audit_number(
          gauge(registry, "containment_audit_head_number", "Number of the last durable entry of the audit log")),
      process_cpu(gauge(registry, "process_cpu_seconds_total", "Processor time used")),
      process_memory(gauge(registry, "process_resident_memory_bytes", "Memory in use")),
      process_open_fds(gauge(registry, "process_open_fds", "Open file descriptors")),
      process_max_fds(gauge(registry, "process_max_fds", "Most file descriptors that may be open")),
      process_start(gauge(registry, "process_start_time_seconds", "When the process began, in seconds since 1970")),
      process_threads(gauge(registry, "process_threads", "Threads")) {}

void ServerFamilies::read_process() {
  // Counted from the field behind the name: state is 0, so utime is 11 and so on (proc(5) counts from 3).
  constexpr std::size_t kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kPages = 21;
  const std::vector<std::string> fields = stat_fields();
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (fields.size() > kPages && ticks > 0) {
    process_cpu.Set((number(fields[kUser]) + number(fields[kSystem])) / ticks);
    process_threads.Set(number(fields[kThreads]));
    process_start.Set(boot_seconds() + number(fields[kStart]) / ticks);
    process_memory.Set(number(fields[kPages]) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) {
    ++open;
  }
  if (!error) {
    process_open_fds.Set(open - 1);  // without the one that reads the folder
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    process_max_fds.Set(limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                                        : static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace cc::metrics
