// The jobs of one transaction on their way to their replies.
//
// Invariants: every job belongs to exactly one chunk and is answered exactly once. A signature is handed out only after
// the outcome `committed` was set, which happens once, after the store returned from its flush; with any other outcome
// the signatures are wiped and every job is answered with the error.
//
// Threads: jobs and verdicts are written by the committer before the chunks exist; a chunk is touched by one thread at
// a time; the outcome is behind the batch's own lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "signing/group_signer.h"
#include "signing/pipeline.h"

namespace cc::signing {

// A range of the batch's order, worked on by one thread at a time.
struct Chunk {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

struct Answered {
  std::uint64_t signed_jobs = 0, refused_jobs = 0, failed_jobs = 0;
};

class Batch {
 public:
  explicit Batch(std::vector<SignJob> jobs);

  std::size_t size() const { return jobs_.size(); }
  const SignJob& job(std::size_t index) const { return jobs_[index]; }
  void set_verdict(std::size_t index, guard::Verdict verdict) { verdicts_[index] = std::move(verdict); }

  // Orders the permitted jobs by signing root and cuts them into chunks: groups of one root for all `workers`, the rest
  // for those that are `idle`. Jobs the guard refused form the last chunk, which needs no signing and is parked at
  // once. Call once, after the verdicts.
  std::vector<Chunk> plan(std::size_t workers, std::size_t idle);
  // Jobs of one root that are worth being signed together. After plan().
  bool is_group(Chunk chunk) const;
  // Computes the chunk's signatures. Then: true when the outcome is known and the caller must release the chunk now,
  // false when it was parked until settle().
  bool sign(Chunk chunk, GroupSigner& signer);

  // Sets the outcome, unless the batch was given up before. Returns the chunks to release. `lost`: validators whose
  // jobs fail although the rest was committed.
  std::vector<Chunk> settle(Result<void> outcome, std::map<BlsPublicKey, Error> lost = {});
  // Fails what was not released yet, committed or not.
  std::vector<Chunk> give_up(Error error);
  bool given_up() const;

  // What the replies of a chunk will be: the failure all of them share, if any, and how many of each kind. Wipes the
  // signatures of what failed. Only after the outcome is known.
  struct Ruling {
    std::optional<Error> failure;
    Answered count;
  };
  Ruling rule(Chunk chunk);
  // Calls the replies of the chunk, once.
  void answer(Chunk chunk, const Ruling& ruling);
  // Counts answered jobs, under the pipeline's lock; true with the last of them.
  bool answered(std::size_t jobs) { return (answered_ += jobs) == jobs_.size(); }

 private:
  const Root& root(std::size_t place) const { return jobs_[order_[place]].check.signing_root; }
  std::vector<Chunk> cut(std::size_t permitted, std::size_t workers, std::size_t idle) const;
  // Why this job fails although its batch was committed; null when it does not. Only after the outcome is known.
  const Error* loss_of(std::size_t position) const;

  enum class Outcome { pending, committed, failed };

  std::vector<SignJob> jobs_;
  std::vector<guard::Verdict> verdicts_;
  std::vector<BlsSignature> signatures_;  // by position in order_
  std::vector<std::size_t> order_;
  std::size_t answered_ = 0;
  bool planned_ = false;

  mutable std::mutex mutex_;
  Outcome outcome_ = Outcome::pending;
  Error error_;
  std::map<BlsPublicKey, Error> lost_;  // unchanged once the outcome is set
  bool given_up_ = false;
  std::vector<Chunk> parked_;
};

}  // namespace cc::signing
