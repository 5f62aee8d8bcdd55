// What is inside a Pipeline. pipeline.cc holds its doors: admission, the gate, and how answers leave; committer.cc
// holds its committer: which jobs share a transaction, what the guard says of each, when signing starts. Internal to
// signing.
//
// Threads: callers, the committer and the workers; the lock guards what is declared behind it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "signing/batch.h"
#include "signing/pipeline.h"
#include "signing/workers.h"

namespace cc::signing {

class Pipeline::Engine {
 public:
  Engine(guard::SlashingStore& store, PipelineOptions options, std::unique_ptr<GroupSigner> signer);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

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

  static Error sealed() { return {ErrorKind::signer_sealed, "signer is sealed"}; }
  std::optional<Error> refusal_at_the_door() const;
  void refuse_waiting(const Error& error);
  std::size_t idle_workers() const;
  void chunk_signed(bool group);
  void post_release(const BatchPtr& batch, const std::vector<Chunk>& chunks);
  void release(const BatchPtr& batch, Chunk chunk);

  // On the committer's thread; these are in committer.cc.
  void run_committer();
  BatchPtr next_batch();
  void commit(const BatchPtr& batch);
  void observe(const Batch& batch, const Result<void>& outcome, std::chrono::nanoseconds duration) const;
  Result<void> decide(guard::SlashingTransaction& tx, const BatchPtr& batch, std::vector<BlsPublicKey>& unknown);
  void report_unknown(const std::vector<BlsPublicKey>& unknown);

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

}  // namespace cc::signing
