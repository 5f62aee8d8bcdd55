// What the signer counts, in Prometheus' text format: the containment_* names, and those names of Web3Signer that its
// dashboards read. docs/reference/metrics.md lists them.
//
// No series is labelled by public key, path or peer: every label takes its values from a closed or a capped list, so
// that no caller can grow the memory. The hot path (signing_request) reads cached pointers. Thread-safe. No secrets.
// Never fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cc::metrics {

// Which table of the slashing store a check touched, in Web3Signer's words.
enum class SlashingOperation { block, attestation };

struct HttpServerCounts {
  std::uint64_t connections = 0, in_flight = 0;  // now
  std::uint64_t handed_total = 0, shed_total = 0, evicted_total = 0;
  std::uint64_t handshakes_total = 0, handshakes_failed_total = 0;
};

class Registry {
 public:
  // `version` names the program in containment_build_info and process_release.
  explicit Registry(std::string_view version);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The text of one scrape, format version 0.0.4.
  std::string render() const;
  static std::string_view content_type();

  // Signing. `operation` is the signing type, upper case; any other word counts as "other". `http_status` is the
  // answer's: 200 also feeds the durations and the permitted counter, 412 the refusals.
  void signing_request(std::string_view operation, int http_status, std::chrono::nanoseconds duration);
  // How signatures were computed: from a message's table or one by one; and a batch whose sum check failed.
  void signatures_made(std::uint64_t from_tables, std::uint64_t one_by_one);
  void same_message_fallback();
  void malformed_request();
  void unknown_key();
  // Signatures released for validators of which no history was known.
  void signed_without_history(std::uint64_t count);
  void slashing_store_call(SlashingOperation operation, std::chrono::nanoseconds duration);
  void signing_queue(std::uint64_t limit, std::uint64_t available);

  // The chamber. `state` is one of the six visible states; `operator_name` must name a known operator, never a caller's
  // word.
  void chamber_state(std::string_view state);
  void healthy(bool yes);
  void chamber_initialized();
  void chamber_sealed();
  void chamber_unsealed();
  void unseal_share_accepted(std::string_view operator_name);

  // How many operators and KEKs there are beyond what opening needs; nothing while it is not known.
  struct Margin {
    unsigned ready = 0;
    int margin = 0;
  };
  void operators_margin(const std::optional<Margin>& known);
  void keks_margin(const std::optional<Margin>& known);

  // Failures by their stable code word (base/error_kinds.inc).
  void auth_rejected(std::string_view code);
  void kms_error(std::string_view code);
  void store_error(std::string_view code);

  // Keys: progress of a load (total known at its start), then what the ring holds.
  void keys_loading(std::uint64_t loaded, std::uint64_t total);
  void keys_loaded(std::uint64_t count);

  // The listeners of the API, all together.
  void http_server(const HttpServerCounts& counts);
  // One answered request. `route` is the pattern it was routed by, never the caller's path; empty: none.
  void http_request(std::string_view route, int http_status, std::chrono::nanoseconds duration);
  // The certificate in force, in seconds since 1970; a reload of its files.
  void tls_certificate(std::int64_t not_before, std::int64_t not_after);
  void tls_reload(bool taken);

  // The audit log.
  struct AuditCounts {
    std::uint64_t entries_total = 0, left_out_total = 0, lost_total = 0, waiting_bytes = 0, head_number = 0;
    bool failing = false;
  };
  void audit(const AuditCounts& counts);

  // A sign request for a canary key.
  void canary(bool signature_given);

 private:
  class Families;
  std::unique_ptr<Families> families_;
};

}  // namespace cc::metrics
