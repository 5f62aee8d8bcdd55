#include "signing/pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "signing/pipeline_engine.h"
#include "signing/table_signer.h"

namespace cc::signing {
namespace {

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

Pipeline::Engine::Engine(guard::SlashingStore& store, PipelineOptions options, std::unique_ptr<GroupSigner> signer)
    : store_(store),
      options_(options),
      signer_(signer ? std::move(signer) : make_signer(options)),
      workers_(worker_count(options.workers)),
      committer_([this] { run_committer(); }) {}

Pipeline::Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    stopping_ = true;
  }
  refuse_waiting(sealed());
  wake_.notify_all();
  committer_.join();
}

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
