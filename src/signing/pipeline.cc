#include "signing/pipeline.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "guard/store_in_parts.h"
#include "signing/batch.h"
#include "signing/table_signer.h"
#include "signing/workers.h"

namespace cc::signing {
namespace {

// Of the keys that signed without history, at most so many are named in the log.
constexpr std::size_t kMostNamed = 100;
// So many jobs are worth a transaction, and most likely a group, of their own beside the group that is being signed.
constexpr std::size_t kWorthAnother = 16;

Error sealed() { return {ErrorKind::signer_sealed, "signer is sealed"}; }

std::size_t worker_count(std::size_t wanted) {
  return wanted != 0 ? wanted : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::unique_ptr<GroupSigner> make_signer(const PipelineOptions& options) {
  if (!options.same_message) {
    return std::make_unique<HashedGroupSigner>();
  }
  TableSignerOptions out;
  out.vector_kernel = options.vector_kernel;
  out.metrics = options.metrics;
  return std::make_unique<TableSigner>(out);
}

}  // namespace

class Pipeline::Engine {
 public:
  Engine(guard::SlashingStore& store, PipelineOptions options, std::unique_ptr<GroupSigner> signer)
      : store_(store),
        options_(options),
        signer_(signer ? std::move(signer) : make_signer(options)),
        workers_(worker_count(options.workers)),
        committer_([this] { run_committer(); }) {}

  ~Engine() {
    {
      const std::lock_guard lock(mutex_);
      open_ = false;
      stopping_ = true;
    }
    refuse_waiting(sealed());
    wake_.notify_all();
    committer_.join();
  }

  void put(SignJob job);
  void wake();
  void submit(std::vector<SignJob> jobs);
  void open_gate();
  void close_gate(Milliseconds patience);
  void refuse_with(std::optional<Error> error);

  bool gate_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  std::optional<Error> refusal() const {
    const std::lock_guard lock(mutex_);
    return refusal_;
  }
  PipelineCounters counters() const {
    const std::lock_guard lock(mutex_);
    return {signed_.load(), refused_.load(), failed_.load(), batches_.load(), unanswered_, options_.queue_limit};
  }

 private:
  using BatchPtr = std::shared_ptr<Batch>;

  std::optional<Error> refusal_at_the_door() const;
  void refuse_waiting(const Error& error);
  void run_committer();
  BatchPtr next_batch();
  void commit(const BatchPtr& batch);
  void observe(const Batch& batch, const Result<void>& outcome, std::chrono::nanoseconds duration) const;
  Result<void> decide(guard::SlashingTransaction& tx, const BatchPtr& batch, std::vector<BlsPublicKey>& unknown);
  void report_unknown(const std::vector<BlsPublicKey>& unknown);
  std::size_t idle_workers() const;
  void chunk_signed(bool group);
  void post_release(const BatchPtr& batch, const std::vector<Chunk>& chunks);
  void release(const BatchPtr& batch, Chunk chunk);

  guard::SlashingStore& store_;
  const PipelineOptions options_;
  const std::unique_ptr<GroupSigner> signer_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;  // the committer: work or stop
  std::condition_variable idle_;  // close_gate: everything answered, or open again
  std::deque<SignJob> queue_;
  std::set<BatchPtr> live_;         // taken, not fully released
  std::ptrdiff_t open_chunks_ = 0;  // posted for signing and not signed
  std::ptrdiff_t open_groups_ = 0;  // those of one root among them
  std::uint64_t unanswered_ = 0;    // admitted and not answered yet
  std::optional<Error> refusal_;
  bool open_ = false;
  bool stopping_ = false;
  std::size_t unknown_named_ = 0;  // of the committer alone

  std::atomic<std::uint64_t> signed_{0}, refused_{0}, failed_{0}, batches_{0};
  // Last, so that they join before what they use dies.
  Workers workers_;
  std::thread committer_;
};

std::optional<Error> Pipeline::Engine::refusal_at_the_door() const {
  if (!open_) {
    return sealed();
  }
  if (refusal_) {
    return refusal_;
  }
  if (unanswered_ >= options_.queue_limit) {
    return Error{ErrorKind::overloaded, "too many signatures wait; try again"};
  }
  return std::nullopt;
}

void Pipeline::Engine::put(SignJob job) {
  std::unique_lock lock(mutex_);
  if (std::optional<Error> refusal = refusal_at_the_door()) {
    lock.unlock();
    refused_.fetch_add(1);
    job.key.reset();
    job.reply(fail(*std::move(refusal)));
    return;
  }
  queue_.push_back(std::move(job));
  ++unanswered_;
}

// A request that comes alone has its message hashed to the curve while it is checked and recorded; that takes no key.
void Pipeline::Engine::wake() {
  std::optional<Root> alone;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() == 1 && live_.empty()) {
      alone = queue_.front().check.signing_root;
    }
  }
  if (alone) {
    workers_.post_alone([this, root = *alone] { signer_->prepare(root); });
  }
  wake_.notify_one();
}

void Pipeline::Engine::submit(std::vector<SignJob> jobs) {
  std::vector<std::pair<SignJob, Error>> refused;
  {
    const std::lock_guard lock(mutex_);
    for (SignJob& job : jobs) {
      if (std::optional<Error> refusal = refusal_at_the_door()) {
        refused.emplace_back(std::move(job), *std::move(refusal));
        continue;
      }
      queue_.push_back(std::move(job));
      ++unanswered_;
    }
  }
  wake_.notify_one();
  refused_.fetch_add(refused.size());
  for (auto& [job, error] : refused) {
    job.key.reset();
    job.reply(fail(std::move(error)));
  }
}

void Pipeline::Engine::open_gate() {
  {
    const std::lock_guard lock(mutex_);
    open_ = !stopping_;
  }
  idle_.notify_all();
}

void Pipeline::Engine::close_gate(Milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  refuse_waiting(sealed());
  std::set<BatchPtr> late;
  {
    std::unique_lock lock(mutex_);
    if (idle_.wait_for(lock, patience, [this] { return open_ || unanswered_ == 0; })) {
      return;
    }
    late = live_;
  }
  for (const BatchPtr& batch : late) {
    post_release(batch, batch->give_up(sealed()));
  }
}

void Pipeline::Engine::refuse_with(std::optional<Error> error) {
  {
    const std::lock_guard lock(mutex_);
    refusal_ = error;
  }
  if (error) {
    refuse_waiting(*error);
  }
}

// Answers everything that no transaction has taken yet.
void Pipeline::Engine::refuse_waiting(const Error& error) {
  BatchPtr batch;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) {
      return;
    }
    batch = std::make_shared<Batch>(
        std::vector<SignJob>(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end())));
    queue_.clear();
    live_.insert(batch);
  }
  post_release(batch, batch->settle(fail(error)));
}

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

// Under the lock.
std::size_t Pipeline::Engine::idle_workers() const {
  const auto busy = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, open_chunks_));
  return workers_.count() - std::min(busy, workers_.count());
}

// One chunk fewer; the committer may go on when that was what it waited for.
void Pipeline::Engine::chunk_signed(bool group) {
  {
    const std::lock_guard lock(mutex_);
    --open_chunks_;
    open_groups_ -= group ? 1 : 0;
    if (queue_.empty() || idle_workers() == 0 || open_groups_ > 0) {
      return;
    }
  }
  wake_.notify_one();
}

void Pipeline::Engine::post_release(const BatchPtr& batch, const std::vector<Chunk>& chunks) {
  std::vector<std::function<void()>> tasks;
  tasks.reserve(chunks.size());
  for (const Chunk chunk : chunks) {
    tasks.emplace_back([this, batch, chunk] { release(batch, chunk); });
  }
  workers_.post(std::move(tasks));
}

void Pipeline::Engine::release(const BatchPtr& batch, Chunk chunk) {
  const Batch::Ruling ruling = batch->rule(chunk);
  signed_.fetch_add(ruling.count.signed_jobs);
  refused_.fetch_add(ruling.count.refused_jobs);
  failed_.fetch_add(ruling.count.failed_jobs);
  batch->answer(chunk, ruling);
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    if (batch->answered(chunk.size())) {
      live_.erase(batch);
    }
    unanswered_ -= chunk.size();
    idle = unanswered_ == 0;
  }
  if (idle) {
    idle_.notify_all();
  }
}

Pipeline::Pipeline(guard::SlashingStore& store, PipelineOptions options, std::unique_ptr<GroupSigner> signer)
    : engine_(std::make_unique<Engine>(store, options, std::move(signer))) {}
Pipeline::~Pipeline() = default;

void Pipeline::submit(SignJob job) {
  engine_->put(std::move(job));
  engine_->wake();
}
void Pipeline::put(SignJob job) { engine_->put(std::move(job)); }
void Pipeline::wake() { engine_->wake(); }
void Pipeline::submit(std::vector<SignJob> jobs) { engine_->submit(std::move(jobs)); }
void Pipeline::open_gate() { engine_->open_gate(); }
void Pipeline::close_gate(Milliseconds patience) { engine_->close_gate(patience); }
bool Pipeline::gate_open() const { return engine_->gate_open(); }
void Pipeline::refuse_with(std::optional<Error> error) { engine_->refuse_with(std::move(error)); }
std::optional<Error> Pipeline::refusal() const { return engine_->refusal(); }
PipelineCounters Pipeline::counters() const { return engine_->counters(); }

}  // namespace cc::signing
