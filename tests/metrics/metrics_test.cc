#include "metrics/metrics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <sstream>
#include <thread>
#include <vector>

#include "base/secret.h"

namespace cc::metrics {
namespace {

using std::chrono::milliseconds;

// The value of one series, or -1 when the text does not hold it.
double value_of(const std::string& text, const std::string& series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) {
      const std::string number = line.substr(series.size() + 1);
      return number == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(number);
    }
  }
  return -1;
}

int lines_starting(const std::string& text, const std::string& prefix) {
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    count += line.starts_with(prefix) ? 1 : 0;
  }
  return count;
}

TEST(Metrics, ASignatureIsCountedUnderBothNames) {
  Registry metrics("1.2.3");
  metrics.signing_request("ATTESTATION", 200, milliseconds(2));
  metrics.signing_request("ATTESTATION", 200, milliseconds(3));
  metrics.signing_request("BLOCK_V2", 412, milliseconds(1));
  const std::string text = metrics.render();
  EXPECT_EQ(value_of(text, R"(containment_signing_requests_total{operation="ATTESTATION",status="200"})"), 2);
  EXPECT_EQ(value_of(text, R"(containment_signing_requests_total{operation="BLOCK_V2",status="412"})"), 1);
  EXPECT_EQ(value_of(text, R"(containment_slashing_rejections_total{operation="BLOCK_V2"})"), 1);
  EXPECT_EQ(value_of(text, "containment_signing_duration_seconds_count"), 2);
  EXPECT_NEAR(value_of(text, "containment_signing_duration_seconds_sum"), 0.005, 1e-9);
  EXPECT_EQ(value_of(text, "signing_bls_signing_duration_count"), 2);
  EXPECT_EQ(value_of(text, "eth2_slashingprotection_permitted_signings_total"), 2);
  EXPECT_EQ(value_of(text, "eth2_slashingprotection_prevented_signings_total"), 1);
}

TEST(Metrics, WordsOfCallersCannotGrowTheNumberOfSeries) {
  Registry metrics("1");
  for (int i = 0; i < 1000; ++i) {
    metrics.signing_request("TYPE_" + std::to_string(i), 100 + i % 300, milliseconds(1));
    metrics.auth_rejected("code_" + std::to_string(i));
    metrics.unseal_share_accepted("operator-" + std::to_string(i));
  }
  const std::string text = metrics.render();
  EXPECT_LE(lines_starting(text, "containment_signing_requests_total{"), 11);
  EXPECT_EQ(lines_starting(text, "containment_auth_rejections_total{"), 1);
  EXPECT_EQ(lines_starting(text, "containment_chamber_unseal_shares_total{"), 256);
  EXPECT_EQ(value_of(text, R"(containment_chamber_unseal_shares_total{operator="other"})"), 745);
}

TEST(Metrics, CodesOfErrorsKeepTheirWord) {
  Registry metrics("1");
  metrics.auth_rejected("unauthorized");
  metrics.auth_rejected("forbidden");
  metrics.kms_error("kms_denied");
  metrics.store_error("store_in_doubt");
  const std::string text = metrics.render();
  EXPECT_EQ(value_of(text, R"(containment_auth_rejections_total{code="unauthorized"})"), 1);
  EXPECT_EQ(value_of(text, R"(containment_auth_rejections_total{code="forbidden"})"), 1);
  EXPECT_EQ(value_of(text, R"(containment_kms_errors_total{code="kms_denied"})"), 1);
  EXPECT_EQ(value_of(text, R"(containment_store_errors_total{code="store_in_doubt"})"), 1);
}

TEST(Metrics, ExactlyOneStateIsOn) {
  Registry metrics("1");
  metrics.chamber_state("sealed");
  metrics.chamber_state("unsealed");
  const std::string text = metrics.render();
  EXPECT_EQ(value_of(text, R"(containment_signer_state{state="unsealed"})"), 1);
  EXPECT_EQ(value_of(text, R"(containment_signer_state{state="sealed"})"), 0);
  EXPECT_EQ(lines_starting(text, "containment_signer_state{"), 6);
}

TEST(Metrics, ALoadShowsItsProgressAndItsEnd) {
  Registry metrics("1");
  metrics.keys_loading(2500, 10000);
  std::string text = metrics.render();
  EXPECT_EQ(value_of(text, "containment_keys_loading_total"), 10000);
  EXPECT_EQ(value_of(text, "containment_keys_loaded"), 2500);
  EXPECT_EQ(value_of(text, "signing_signers_loaded_count"), 0);
  metrics.keys_loaded(10000);
  text = metrics.render();
  EXPECT_EQ(value_of(text, "containment_keys_loaded"), 10000);
  EXPECT_EQ(value_of(text, "signing_signers_loaded_count"), 10000);
}

TEST(Metrics, LockedMemoryIsReadAtEveryScrape) {
  Registry metrics("1");
  const double before = value_of(metrics.render(), "containment_locked_memory_in_use_bytes");
  const SecretBytes secret(4096);
  EXPECT_GE(value_of(metrics.render(), "containment_locked_memory_in_use_bytes"), before + 4096);
  EXPECT_GT(value_of(metrics.render(), "containment_locked_memory_limit_bytes"), 0);
  EXPECT_EQ(lines_starting(metrics.render(), "containment_locked_memory_backing{"), 3);
}

TEST(Metrics, ListenersTlsAndCanariesAreShown) {
  Registry metrics("1");
  EXPECT_EQ(metrics.render().find("containment_tls_certificate"), std::string::npos) << "0 would look like an expiry";
  metrics.http_server({.connections = 5,
                       .in_flight = 2,
                       .handed_total = 10,
                       .shed_total = 3,
                       .evicted_total = 4,
                       .handshakes_total = 6,
                       .handshakes_failed_total = 1});
  metrics.http_server({.connections = 5,
                       .in_flight = 2,
                       .handed_total = 10,
                       .shed_total = 3,
                       .evicted_total = 4,
                       .handshakes_total = 7,
                       .handshakes_failed_total = 1});
  metrics.tls_certificate(1000, 2000);
  metrics.tls_reload(true);
  metrics.tls_reload(false);
  metrics.tls_reload(false);
  metrics.canary(true);
  const std::string text = metrics.render();
  const std::string pool = R"({poolName="vert.x-worker-thread",poolType="worker"})";
  EXPECT_EQ(value_of(text, "http_vertx_worker_pool_submitted_total" + pool), 10);
  EXPECT_EQ(value_of(text, "http_vertx_worker_pool_completed_total" + pool), 8);
  EXPECT_EQ(value_of(text, "http_vertx_worker_pool_rejected_total" + pool), 3);
  EXPECT_EQ(value_of(text, "containment_http_connections_evicted_total"), 4);
  EXPECT_EQ(value_of(text, R"(containment_tls_handshakes_total{result="ok"})"), 7);
  EXPECT_EQ(value_of(text, R"(containment_tls_handshakes_total{result="failed"})"), 1);
  EXPECT_EQ(value_of(text, "containment_tls_certificate_not_after_timestamp_seconds"), 2000);
  EXPECT_EQ(value_of(text, R"(containment_tls_reloads_total{result="failed"})"), 2);
  EXPECT_EQ(value_of(text, R"(containment_canary_signing_total{result="signed"})"), 1);
  EXPECT_EQ(value_of(text, R"(containment_canary_signing_total{result="refused"})"), 0);
}

TEST(Metrics, RequestsAreCountedByRouteFromACappedList) {
  Registry metrics("1");
  metrics.http_request("/upcheck", 200, milliseconds(1));
  metrics.http_request("/upcheck", 200, milliseconds(1));
  metrics.http_request("/upcheck", 599, milliseconds(1));
  for (int i = 0; i < 500; ++i) {
    metrics.http_request("/made/up/" + std::to_string(i), 404, milliseconds(1));
  }
  const std::string text = metrics.render();
  EXPECT_EQ(value_of(text, R"(containment_http_requests_total{route="/upcheck",status="200"})"), 2);
  EXPECT_EQ(value_of(text, R"(containment_http_requests_total{route="/upcheck",status="other"})"), 1);
  EXPECT_LE(lines_starting(text, "containment_http_requests_total{"), 103);
  EXPECT_EQ(value_of(text, "containment_http_request_duration_seconds_count"), 503);
}

TEST(Metrics, TheProcessIsReadAtEveryScrape) {
  Registry metrics("1");
  const std::string text = metrics.render();
  EXPECT_GT(value_of(text, "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value_of(text, "process_open_fds"), 2);
  EXPECT_GT(value_of(text, "process_max_fds"), 10);
  EXPECT_GE(value_of(text, "process_threads"), 1);
  EXPECT_NEAR(value_of(text, "process_start_time_seconds"), static_cast<double>(std::time(nullptr)), 3600.0);
}

TEST(Metrics, EventsOfTheChamberAndTheServerAreShown) {
  Registry metrics("9.8.7");
  metrics.healthy(true);
  metrics.chamber_initialized();
  metrics.chamber_sealed();
  metrics.chamber_unsealed();
  metrics.malformed_request();
  metrics.unknown_key();
  metrics.signed_without_history(1);
  metrics.slashing_store_call(SlashingOperation::block, milliseconds(1));
  metrics.signing_queue(16384, 16000);
  metrics.http_server({.connections = 7, .in_flight = 3, .shed_total = 2});
  const std::string text = metrics.render();
  for (const std::string series :
       {"containment_healthy", "containment_chamber_init_total", "containment_chamber_seal_total",
        "containment_chamber_unseal_total", "http_bls_malformed_request_count_total",
        "signing_bls_missing_identifier_count_total", "containment_signing_without_history_total",
        R"(eth2_slashingprotection_database_duration_count{signingOperation="block"})",
        R"(process_release{version="containment-chamber/9.8.7"})"}) {
    EXPECT_EQ(value_of(text, series), 1) << series;
  }
  EXPECT_EQ(value_of(text, R"(eth2_slashingprotection_database_duration_count{signingOperation="attestation"})"), 0);
  EXPECT_EQ(value_of(text, "containment_signing_concurrency_limit"), 16384);
  EXPECT_EQ(value_of(text, "containment_signing_semaphore_available"), 16000);
  EXPECT_EQ(value_of(text, "containment_http_connections"), 7);
  EXPECT_EQ(value_of(text, "containment_http_requests_in_flight"), 3);
  EXPECT_EQ(value_of(text, "containment_http_requests_shed"), 2);
  EXPECT_NE(text.find(R"(version="9.8.7")"), std::string::npos);
}

TEST(Metrics, NoCountIsLostBetweenThreads) {
  Registry metrics("1");
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 5000; ++i) {
        metrics.signing_request("ATTESTATION", 200, milliseconds(1));
        metrics.unseal_share_accepted("alice");
      }
    });
  }
  threads.clear();
  const std::string text = metrics.render();
  EXPECT_EQ(value_of(text, R"(containment_signing_requests_total{operation="ATTESTATION",status="200"})"), 20000);
  EXPECT_EQ(value_of(text, R"(containment_chamber_unseal_shares_total{operator="alice"})"), 20000);
}

}  // namespace
}  // namespace cc::metrics
