#include "metrics/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

#include "metrics/families.h"

namespace cc::metrics {
namespace {

double in_seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

// The place of a word in a closed list whose last entry stands for every other word.
template <class List, class Word>
std::size_t place(const List& list, const Word& word) {
  const auto found = std::find(list.begin(), list.end() - 1, word);
  return static_cast<std::size_t>(found - list.begin());
}

}  // namespace

Registry::Registry(std::string_view version) : families_(std::make_unique<Families>(version)) {}
Registry::~Registry() = default;

std::string Registry::render() const {
  families_->read_locked_memory();
  families_->server.read_process();
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

std::string_view Registry::content_type() { return "text/plain; version=0.0.4; charset=utf-8"; }

void Registry::signing_request(std::string_view operation, int http_status, std::chrono::nanoseconds duration) {
  const std::size_t which = place(kOperations, operation);
  families_->signing_requests(which, place(kStatuses, http_status)).Increment();
  if (http_status == 200) {
    families_->signing_duration.Observe(in_seconds(duration));
    families_->bls_signing_duration.Observe(in_seconds(duration));
    families_->permitted_signings_total.Increment();
  } else if (http_status == 412) {
    families_->slashing_rejections(which).Increment();
    families_->prevented_signings_total.Increment();
  }
}

void Registry::signatures_made(std::uint64_t from_tables, std::uint64_t one_by_one) {
  families_->signatures_from_tables.Increment(static_cast<double>(from_tables));
  families_->signatures_one_by_one.Increment(static_cast<double>(one_by_one));
}
void Registry::same_message_fallback() { families_->same_message_fallbacks_total.Increment(); }

void Registry::malformed_request() { families_->malformed_requests_total.Increment(); }
void Registry::unknown_key() { families_->missing_identifier_total.Increment(); }

void Registry::signed_without_history(std::uint64_t count) {
  families_->without_history_total.Increment(static_cast<double>(count));
}

void Registry::slashing_store_call(SlashingOperation operation, std::chrono::nanoseconds duration) {
  auto& histogram = operation == SlashingOperation::block ? families_->database_duration_block
                                                          : families_->database_duration_attestation;
  histogram.Observe(in_seconds(duration));
}

void Registry::signing_queue(std::uint64_t limit, std::uint64_t available) {
  families_->concurrency_limit.Set(static_cast<double>(limit));
  families_->semaphore_available.Set(static_cast<double>(available));
}

void Registry::chamber_state(std::string_view state) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    families_->state.at(i)->Set(kStates.at(i) == state ? 1 : 0);
  }
}

void Registry::healthy(bool yes) { families_->is_healthy.Set(yes ? 1 : 0); }
void Registry::chamber_initialized() { families_->chamber_init_total.Increment(); }
void Registry::chamber_sealed() { families_->chamber_seal_total.Increment(); }
void Registry::chamber_unsealed() { families_->chamber_unseal_total.Increment(); }

void Registry::unseal_share_accepted(std::string_view operator_name) {
  families_->unseal_shares(operator_name).Increment();
}

void Registry::auth_rejected(std::string_view code) {
  families_->by_code(families_->auth_rejections_total, code).Increment();
}
void Registry::kms_error(std::string_view code) { families_->by_code(families_->kms_errors_total, code).Increment(); }
void Registry::store_error(std::string_view code) {
  families_->by_code(families_->store_errors_total, code).Increment();
}

void Registry::keys_loading(std::uint64_t loaded, std::uint64_t total) {
  families_->keys_to_load.Set(static_cast<double>(total));
  families_->keys_in_ring.Set(static_cast<double>(loaded));
}

void Registry::keys_loaded(std::uint64_t count) {
  families_->keys_in_ring.Set(static_cast<double>(count));
  families_->signers_loaded.Set(static_cast<double>(count));
}

namespace {

void set_margin(const std::optional<Registry::Margin>& known, prometheus::Gauge& ready, prometheus::Gauge& margin) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  ready.Set(known ? static_cast<double>(known->ready) : kUnknown);
  margin.Set(known ? static_cast<double>(known->margin) : kUnknown);
}

}  // namespace

void Registry::operators_margin(const std::optional<Margin>& known) {
  set_margin(known, families_->operators_fresh, families_->operators_margin);
}
void Registry::keks_margin(const std::optional<Margin>& known) {
  set_margin(known, families_->keks_healthy, families_->keks_margin);
}

}  // namespace cc::metrics
