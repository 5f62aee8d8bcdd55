// The committer of a pipeline: one thread, one transaction after the other.
#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <new>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/log.h"
#include "guard/store_in_parts.h"
#include "signing/pipeline_engine.h"

namespace cc::signing {
namespace {

// Of the keys that signed without history, at most so many are named in the log.
constexpr std::size_t kMostNamed = 100;
// So many jobs are worth a transaction, and most likely a group, of their own beside the group that is being signed.
constexpr std::size_t kWorthAnother = 16;

}  // namespace

void Pipeline::Engine::run_committer() {
  ::pthread_setname_np(::pthread_self(), "cc-commit");
  while (const BatchPtr batch = next_batch()) {
    commit(batch);
  }
}

// Everything that waits, up to the limit; null when the pipeline stops. While every worker has a chunk of earlier
// batches a transaction more would only make its jobs wait behind them: what arrives meanwhile shares the next flush,
// and is the cheaper to sign the more it is. Groups of one root are waited for to their end, for the same reason,
// unless what waits is many enough already.
Pipeline::Engine::BatchPtr Pipeline::Engine::next_batch() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] {
    return stopping_ ||
           (!queue_.empty() && idle_workers() > 0 && (open_groups_ <= 0 || queue_.size() >= kWorthAnother));
  });
  if (queue_.empty()) {
    return nullptr;
  }
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(queue_.size(), std::max<std::size_t>(1, options_.batch_limit)));
  std::vector<SignJob> jobs(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.begin() + count));
  queue_.erase(queue_.begin(), queue_.begin() + count);
  BatchPtr batch = std::make_shared<Batch>(std::move(jobs));
  live_.insert(batch);
  return batch;
}

void Pipeline::Engine::commit(const BatchPtr& batch) {
  bool ran = false;
  Result<void> outcome;
  std::vector<BlsPublicKey> unknown;   // recorded without any history known
  std::map<BlsPublicKey, Error> lost;  // of a store that keeps a batch in parts: what it did not keep
  const auto start = std::chrono::steady_clock::now();
  try {
    std::vector<guard::LookAhead> ahead(batch->size());
    for (std::size_t i = 0; i < batch->size(); ++i) {
      ahead[i] = guard::look_ahead(batch->job(i).check);
    }
    const guard::SlashingStore::Work work = [&](guard::SlashingTransaction& tx) -> Result<void> {
      if (std::exchange(ran, true)) {
        return fail(ErrorKind::internal, "the slashing store ran one transaction twice");
      }
      try {
        return decide(tx, batch, unknown);
      } catch (const std::bad_alloc&) {
        return fail(ErrorKind::store_unavailable, "not enough memory for the batch; nothing was signed");
      }
    };
    auto* const in_parts = dynamic_cast<guard::StoreInParts*>(&store_);
    outcome = in_parts != nullptr ? in_parts->transact_in_parts(ahead, work, lost) : store_.transact_ahead(ahead, work);
  } catch (...) {
    outcome = fail(ErrorKind::store_in_doubt, "the slashing store broke off; nothing was released");
  }
  if (outcome && !ran) {
    outcome = fail(ErrorKind::internal, "the slashing store did not run the transaction");
  }
  batches_.fetch_add(1);
  observe(*batch, outcome, std::chrono::steady_clock::now() - start);
  if (outcome) {
    report_unknown(unknown);
  }
  if (outcome && !lost.empty() && options_.metrics != nullptr) {
    options_.metrics->store_error(facts(lost.begin()->second.kind).code);
  }
  const std::vector<Chunk> chunks = batch->settle(std::move(outcome), std::move(lost));
  if (batch->size() > 1) {
    post_release(batch, chunks);
    return;
  }
  for (const Chunk chunk : chunks) {
    release(batch, chunk);  // a wake-up less
  }
}

// Once per transaction and kind of record in it, not once per job.
void Pipeline::Engine::observe(const Batch& batch, const Result<void>& outcome,
                               std::chrono::nanoseconds duration) const {
  if (options_.metrics == nullptr) {
    return;
  }
  bool blocks = false, attestations = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    blocks = blocks || std::holds_alternative<guard::BlockCheck>(batch.job(i).check.duty);
    attestations = attestations || std::holds_alternative<guard::AttestationCheck>(batch.job(i).check.duty);
  }
  if (blocks) {
    options_.metrics->slashing_store_call(metrics::SlashingOperation::block, duration);
  }
  if (attestations) {
    options_.metrics->slashing_store_call(metrics::SlashingOperation::attestation, duration);
  }
  if (!outcome && outcome.error().kind != ErrorKind::signer_sealed) {
    options_.metrics->store_error(facts(outcome.error().kind).code);
  }
}

// The whole batch in order, each check seeing those before it. Signing starts here, while the caller commits.
Result<void> Pipeline::Engine::decide(guard::SlashingTransaction& tx, const BatchPtr& batch,
                                      std::vector<BlsPublicKey>& unknown) {
  for (std::size_t i = 0; i < batch->size(); ++i) {
    guard::Notes notes;
    CC_ASSIGN(guard::Verdict verdict, guard::check_and_record(tx, options_.policy, batch->job(i).check, &notes));
    if (notes.without_history) {
      unknown.push_back(batch->job(i).check.key);
    }
    batch->set_verdict(i, std::move(verdict));
  }
  if (!gate_open() || batch->given_up()) {
    return fail(sealed());
  }
  std::size_t idle = 0;
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    idle = idle_workers();
    alone = batch->size() == 1 && live_.size() == 1;
  }
  std::vector<std::function<void()>> tasks;
  std::ptrdiff_t groups = 0;
  for (const Chunk chunk : batch->plan(workers_.count(), idle)) {
    const bool group = batch->is_group(chunk);
    groups += group ? 1 : 0;
    tasks.emplace_back([this, batch, chunk, group] {
      const bool settled = batch->sign(chunk, *signer_);
      chunk_signed(group);
      if (settled) {
        release(batch, chunk);
      }
    });
  }
  const auto chunks = static_cast<std::ptrdiff_t>(tasks.size());
  if (alone && chunks == 1) {
    workers_.post_alone(std::move(tasks.front()));  // the one that hashed its message signs it
  } else {
    workers_.post(std::move(tasks));
  }
  // Counted once they are posted for certain; some may have begun, which counts below zero until now.
  const std::lock_guard lock(mutex_);
  open_chunks_ += chunks;
  open_groups_ += groups;
  return {};
}

// A validator comes here once, since its first record is its history from then on.
void Pipeline::Engine::report_unknown(const std::vector<BlsPublicKey>& unknown) {
  if (options_.metrics != nullptr && !unknown.empty()) {
    options_.metrics->signed_without_history(unknown.size());
  }
  for (const BlsPublicKey& key : unknown) {
    if (unknown_named_ == kMostNamed) {
      log::warn("more keys signed without slashing history; containment_signing_without_history_total counts them");
    } else if (unknown_named_ < kMostNamed) {
      log::warn(
          "signed for the first time, without any slashing history: if this key signed elsewhere before, import "
          "its history (slashing import) and set anti_slashing.require_history",
          {{"key", to_0x(key)}});
    }
    unknown_named_ = std::min(unknown_named_ + 1, kMostNamed + 1);
  }
}

}  // namespace cc::signing
