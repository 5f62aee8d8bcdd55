// The sign path behind the parsers: queue → one committer (guard, one durable transaction per batch) → signing workers
// → reply. What arrives while a transaction flushes, or while chunks wait for a worker, is the next batch: no timers. A
// signature may be computed while the commit flushes but leaves only after it returned; on failure it is wiped.
//
// Threads: submit() and put() from any thread, never block. Refusals at the door (gate, limit, refuse_with) come on the
// caller's thread, other replies on one of the pipeline's. A reply must not throw and must not
// wait for the pipeline. Secrets: holds the keys of the jobs under way, and drops each before its reply. Errors in
// replies: signer_sealed, overloaded, what refuse_with() was given, the guard's (slashable, no_history, key_retired,
// network_mismatch), the store's (store_unavailable, store_in_doubt).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/chain.h"
#include "base/clock.h"
#include "base/result.h"
#include "guard/rules.h"
#include "guard/slashing_store.h"
#include "keys/key_ring.h"
#include "metrics/metrics.h"
#include "signing/group_signer.h"

namespace cc::signing {

struct SignJob {
  std::shared_ptr<const keys::RingKey> key;
  guard::Check check;  // key, duty, signing root, genesis root
  std::function<void(Result<BlsSignature>)> reply;
};

struct PipelineOptions {
  std::size_t workers = 0;          // 0: one per core
  std::size_t queue_limit = 16384;  // more is answered `overloaded`
  std::size_t batch_limit = 512;
  guard::Policy policy{};
  bool same_message = true;              // signer made here: groups of one root by tables, or all one by one
  bool vector_kernel = true;             // for the tables, where the machine has one
  metrics::Registry* metrics = nullptr;  // told how long transactions take and how they fail
};

// refused: by the guard or at the door. failed: by the store, or sealed before the commit.
struct PipelineCounters {
  std::uint64_t signed_total = 0, refused_total = 0, failed_total = 0, batches_total = 0, queued = 0, limit = 0;
};

class Pipeline {
 public:
  // The store outlives the pipeline. The gate is closed at first. `signer` is the arithmetic; what the options
  // say when null.
  Pipeline(guard::SlashingStore& store, PipelineOptions options, std::unique_ptr<GroupSigner> signer = nullptr);
  // Refuses what waits, finishes what is committing, answers everything.
  ~Pipeline();

  // Calls job.reply exactly once. signer_sealed while the gate is closed, overloaded when the queue is full.
  void submit(SignJob job);
  // The same without starting the committer: the caller has more at hand and calls wake() once, soon.
  void put(SignJob job);
  void wake();
  // Several at once, in their order; each is admitted or refused as by itself.
  void submit(std::vector<SignJob> jobs);
  // Opens and closes admission. close_gate() refuses what waits for a transaction at once, and returns when the
  // transaction under way was answered, at most `patience` later; what was not answered by then is refused with
  // signer_sealed.
  void open_gate();
  void close_gate(Milliseconds patience);
  bool gate_open() const;
  // While set, every submit and everything that still waits is answered with this error (slashing_store_mismatch, …).
  void refuse_with(std::optional<Error> error);
  std::optional<Error> refusal() const;
  PipelineCounters counters() const;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace cc::signing
