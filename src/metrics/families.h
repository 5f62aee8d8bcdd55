// The prometheus-cpp families behind metrics/metrics.h. Only the .cc files of this room include it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "metrics/metrics.h"
#include "metrics/server_families.h"

namespace cc::metrics {

// Signing types and the answers a sign request can have; the last entry of each stands for everything else.
inline constexpr std::array<std::string_view, 20> kOperations{"AGGREGATION_SLOT",
                                                              "AGGREGATE_AND_PROOF",
                                                              "AGGREGATE_AND_PROOF_V2",
                                                              "ATTESTATION",
                                                              "BLOCK",
                                                              "BLOCK_V2",
                                                              "DEPOSIT",
                                                              "RANDAO_REVEAL",
                                                              "VOLUNTARY_EXIT",
                                                              "SYNC_COMMITTEE_MESSAGE",
                                                              "SYNC_COMMITTEE_SELECTION_PROOF",
                                                              "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
                                                              "VALIDATOR_REGISTRATION",
                                                              "EXECUTION_PAYLOAD_BID",
                                                              "EXECUTION_PAYLOAD_ENVELOPE",
                                                              "PAYLOAD_ATTESTATION_MESSAGE",
                                                              "PROPOSER_PREFERENCES",
                                                              "BUILDER_REQUEST_AUTH",
                                                              "BLS_TO_EXECUTION_CHANGE",
                                                              "other"};
inline constexpr std::array<int, 11> kStatuses{200, 400, 401, 403, 404, 408, 412, 413, 500, 503, 0};
inline constexpr std::array<int, 18> kHttpStatuses{200, 202, 204, 400, 401, 403, 404, 405, 408,
                                                   409, 412, 413, 422, 429, 431, 500, 503, 0};
inline constexpr std::array<std::string_view, 6> kStates{
    "uninitialized", "awaiting_registration", "sealed", "kms_unsealed", "unsealed", "awaiting_rotation"};

class Registry::Families {
 public:
  explicit Families(std::string_view version);

  // One series per (operation, status), made on first use and then read without a lock.
  prometheus::Counter& signing_requests(std::size_t operation, std::size_t status);
  prometheus::Counter& slashing_rejections(std::size_t operation);
  // At most kOperatorLimit names get a series of their own; the rest share "other".
  prometheus::Counter& unseal_shares(std::string_view operator_name);
  // `route` is one of our patterns; at most kRouteLimit get series of their own.
  prometheus::Counter& http_requests(std::string_view route, int status);
  prometheus::Counter& by_code(prometheus::Family<prometheus::Counter>& family, std::string_view code);
  void read_locked_memory();

 private:
  static constexpr std::size_t kOperatorLimit = 255;
  static constexpr std::size_t kRouteLimit = 100;

  prometheus::Counter& counter(const char* name, const char* help);
  prometheus::Gauge& gauge(const char* name, const char* help);
  prometheus::Family<prometheus::Counter>& counters(const char* name, const char* help);
  prometheus::Family<prometheus::Gauge>& gauges(const char* name, const char* help);
  prometheus::Family<prometheus::Histogram>& histograms(const char* name, const char* help);

 public:
  prometheus::Registry registry;

  prometheus::Family<prometheus::Counter>& signing_requests_total;
  prometheus::Family<prometheus::Counter>& slashing_rejections_total;
  prometheus::Family<prometheus::Counter>& unseal_shares_total;
  prometheus::Family<prometheus::Counter>& auth_rejections_total;
  prometheus::Family<prometheus::Counter>& kms_errors_total;
  prometheus::Family<prometheus::Counter>& store_errors_total;
  prometheus::Family<prometheus::Counter>& signatures_total;
  prometheus::Counter& signatures_from_tables;
  prometheus::Counter& signatures_one_by_one;
  prometheus::Counter& same_message_fallbacks_total;
  prometheus::Counter& chamber_init_total;
  prometheus::Counter& chamber_seal_total;
  prometheus::Counter& chamber_unseal_total;
  prometheus::Counter& malformed_requests_total;
  prometheus::Counter& missing_identifier_total;
  prometheus::Counter& without_history_total;
  prometheus::Counter& permitted_signings_total;
  prometheus::Counter& prevented_signings_total;
  prometheus::Histogram& signing_duration;
  prometheus::Histogram& bls_signing_duration;
  prometheus::Histogram& database_duration_block;
  prometheus::Histogram& database_duration_attestation;
  prometheus::Gauge& is_healthy;
  std::array<prometheus::Gauge*, kStates.size()> state{};
  prometheus::Gauge& concurrency_limit;
  prometheus::Gauge& semaphore_available;
  prometheus::Gauge& keys_to_load;
  prometheus::Gauge& keys_in_ring;
  prometheus::Gauge& signers_loaded;
  prometheus::Gauge& operators_fresh;
  prometheus::Gauge& operators_margin;
  prometheus::Gauge& keks_healthy;
  prometheus::Gauge& keks_margin;
  prometheus::Gauge& locked_mapped_bytes;
  prometheus::Gauge& locked_in_use_bytes;
  prometheus::Gauge& locked_limit_bytes;
  prometheus::Family<prometheus::Gauge>& locked_backing;
  ServerFamilies server;

 private:
  std::array<std::array<std::atomic<prometheus::Counter*>, kStatuses.size()>, kOperations.size()> signing_cache_{};
  std::array<std::atomic<prometheus::Counter*>, kOperations.size()> rejection_cache_{};
  std::mutex operators_mutex_;
  std::set<std::string, std::less<>> operators_;
  std::mutex routes_mutex_;
  std::map<std::string, std::array<prometheus::Counter*, kHttpStatuses.size()>, std::less<>> routes_;
};

}  // namespace cc::metrics
