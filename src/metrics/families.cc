#include "metrics/families.h"

#include <algorithm>
#include <limits>

#include "base/locked_memory.h"
#include "base/result.h"

namespace cc::metrics {
namespace {

using prometheus::Labels;

// From a tenth of a millisecond (a BLS signature takes about a third of one) to the request timeout.
prometheus::Histogram::BucketBoundaries seconds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

constexpr std::string_view compiler() { return __VERSION__; }

}  // namespace

prometheus::Family<prometheus::Counter>& Registry::Families::counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Family<prometheus::Gauge>& Registry::Families::gauges(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<prometheus::Histogram>& Registry::Families::histograms(const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}
prometheus::Counter& Registry::Families::counter(const char* name, const char* help) {
  return counters(name, help).Add(Labels{});
}
prometheus::Gauge& Registry::Families::gauge(const char* name, const char* help) {
  return gauges(name, help).Add(Labels{});
}

Registry::Families::Families(std::string_view version)
    : signing_requests_total(
          counters("containment_signing_requests_total", "Sign requests by operation and HTTP status")),
      slashing_rejections_total(
          counters("containment_slashing_rejections_total", "Sign requests refused by slashing protection")),
      unseal_shares_total(
          counters("containment_chamber_unseal_shares_total", "Shares accepted towards an unseal, by operator")),
      auth_rejections_total(counters("containment_auth_rejections_total", "Requests refused for their token or scope")),
      kms_errors_total(counters("containment_kms_errors_total", "Failed calls of key-encryption keys, by error code")),
      store_errors_total(counters("containment_store_errors_total", "Failed calls of stores, by error code")),
      signatures_total(counters("containment_signatures_total", "Signatures computed, by the way they were")),
      signatures_from_tables(signatures_total.Add(Labels{{"way", "table"}})),
      signatures_one_by_one(signatures_total.Add(Labels{{"way", "single"}})),
      same_message_fallbacks_total(
          counter("containment_same_message_fallbacks_total",
                  "Batches whose check failed and that were signed again one by one; not 0 means bad hardware")),
      chamber_init_total(counter("containment_chamber_init_total", "Init ceremonies begun")),
      chamber_seal_total(counter("containment_chamber_seal_total", "Times the chamber was sealed")),
      chamber_unseal_total(counter("containment_chamber_unseal_total", "Times the chamber was unsealed")),
      malformed_requests_total(counter("http_bls_malformed_request_count_total",
                                       "Sign requests that could not be read (Web3Signer's name)")),
      missing_identifier_total(counter("signing_bls_missing_identifier_count_total",
                                       "Sign requests for a key that is not loaded (Web3Signer's name)")),
      without_history_total(counter("containment_signing_without_history_total",
                                    "Signatures for validators of which no slashing history was known")),
      permitted_signings_total(counter("eth2_slashingprotection_permitted_signings_total",
                                       "Signatures that slashing protection let pass (Web3Signer's name)")),
      prevented_signings_total(counter("eth2_slashingprotection_prevented_signings_total",
                                       "Signatures that slashing protection refused (Web3Signer's name)")),
      signing_duration(histograms("containment_signing_duration_seconds", "From the parsed request to the signature")
                           .Add(Labels{}, seconds())),
      bls_signing_duration(
          histograms("signing_bls_signing_duration", "From the parsed request to the signature (Web3Signer's name)")
              .Add(Labels{}, seconds())),
      database_duration_block(histograms("eth2_slashingprotection_database_duration",
                                         "Check and record in the slashing store (Web3Signer's name)")
                                  .Add(Labels{{"signingOperation", "block"}}, seconds())),
      database_duration_attestation(histograms("eth2_slashingprotection_database_duration",
                                               "Check and record in the slashing store (Web3Signer's name)")
                                        .Add(Labels{{"signingOperation", "attestation"}}, seconds())),
      is_healthy(gauge("containment_healthy", "1 when every health check passes")),
      concurrency_limit(gauge("containment_signing_concurrency_limit", "Sign requests the queue can hold")),
      semaphore_available(gauge("containment_signing_semaphore_available", "Free places in the signing queue")),
      keys_to_load(
          gauge("containment_keys_loading_total", "Keys that the load under way, or the last one, set out to open")),
      keys_in_ring(gauge("containment_keys_loaded", "Keys opened so far, ready to sign once the load is over")),
      signers_loaded(gauge("signing_signers_loaded_count", "Keys ready to sign (Web3Signer's name)")),
      operators_fresh(gauge("containment_operators_fresh", "Operators who drilled lately; NaN while unknown")),
      operators_margin(
          gauge("containment_operators_margin", "Fresh operators beyond the threshold; NaN while unknown")),
      keks_healthy(gauge("containment_keks_healthy", "KEKs that opened their share when probed; NaN while unknown")),
      keks_margin(gauge("containment_keks_margin", "Healthy KEKs beyond the threshold; NaN while unknown")),
      locked_mapped_bytes(gauge("containment_locked_memory_mapped_bytes", "Pages mapped for secrets")),
      locked_in_use_bytes(gauge("containment_locked_memory_in_use_bytes", "Bytes of secrets held")),
      locked_limit_bytes(gauge("containment_locked_memory_limit_bytes", "RLIMIT_MEMLOCK; +Inf when unlimited")),
      locked_backing(gauges("containment_locked_memory_backing", "1 for the weakest backing in use")),
      server(registry) {
  auto& states = gauges("containment_signer_state", "1 for the state the chamber is in");
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    state.at(i) = &states.Add(Labels{{"state", std::string(kStates.at(i))}});
  }
  gauges("containment_build_info", "1, with what was built")
      .Add(Labels{{"version", std::string(version)}, {"compiler", std::string(compiler())}})
      .Set(1);
  gauges("process_release", "1, with the release (Web3Signer's name)")
      .Add(Labels{{"version", "containment-chamber/" + std::string(version)}})
      .Set(1);
}

prometheus::Counter& Registry::Families::signing_requests(std::size_t operation, std::size_t status) {
  auto& cached = signing_cache_.at(operation).at(status);
  prometheus::Counter* found = cached.load(std::memory_order_acquire);
  if (found == nullptr) {
    const int code = kStatuses.at(status);
    found = &signing_requests_total.Add(Labels{{"operation", std::string(kOperations.at(operation))},
                                               {"status", code == 0 ? "other" : std::to_string(code)}});
    cached.store(found, std::memory_order_release);
  }
  return *found;
}

prometheus::Counter& Registry::Families::slashing_rejections(std::size_t operation) {
  auto& cached = rejection_cache_.at(operation);
  prometheus::Counter* found = cached.load(std::memory_order_acquire);
  if (found == nullptr) {
    found = &slashing_rejections_total.Add(Labels{{"operation", std::string(kOperations.at(operation))}});
    cached.store(found, std::memory_order_release);
  }
  return *found;
}

prometheus::Counter& Registry::Families::unseal_shares(std::string_view operator_name) {
  const std::scoped_lock lock(operators_mutex_);
  std::string label(operator_name);
  if (!operators_.contains(operator_name)) {
    if (operators_.size() < kOperatorLimit) {
      operators_.emplace(operator_name);
    } else {
      label = "other";
    }
  }
  return unseal_shares_total.Add(Labels{{"operator", label}});
}

prometheus::Counter& Registry::Families::http_requests(std::string_view route, int status) {
  const auto at = static_cast<std::size_t>(std::find(kHttpStatuses.begin(), kHttpStatuses.end() - 1, status) -
                                           kHttpStatuses.begin());
  const std::scoped_lock lock(routes_mutex_);
  const bool known = routes_.contains(route) || routes_.size() < kRouteLimit;
  const std::string label(!known ? "other" : route.empty() ? "none" : route);
  prometheus::Counter*& cached = routes_[label].at(at);
  if (cached == nullptr) {
    const int code = kHttpStatuses.at(at);
    cached =
        &server.http_requests.Add(Labels{{"route", label}, {"status", code == 0 ? "other" : std::to_string(code)}});
  }
  return *cached;
}

prometheus::Counter& Registry::Families::by_code(prometheus::Family<prometheus::Counter>& family,
                                                 std::string_view code) {
  return family.Add(Labels{{"code", std::string(facts(kind_of(code)).code)}});
}

void Registry::Families::read_locked_memory() {
  const LockedMemoryReport report = locked_memory_report();
  locked_mapped_bytes.Set(static_cast<double>(report.bytes_mapped));
  locked_in_use_bytes.Set(static_cast<double>(report.bytes_in_use));
  const bool unlimited = report.limit_bytes == std::numeric_limits<std::size_t>::max();
  locked_limit_bytes.Set(unlimited ? std::numeric_limits<double>::infinity() : static_cast<double>(report.limit_bytes));
  for (const LockBacking backing : {LockBacking::memfd_secret, LockBacking::mlock, LockBacking::unlocked}) {
    locked_backing.Add(Labels{{"backing", std::string(name(backing))}}).Set(backing == report.backing ? 1 : 0);
  }
}

}  // namespace cc::metrics
