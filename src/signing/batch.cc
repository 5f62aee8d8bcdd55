#include "signing/batch.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace cc::signing {
namespace {

// Jobs of different roots are cheaper together too, though little so beyond this; smaller chunks answer earlier.
constexpr std::size_t kLargestMixedChunk = 32;
// Jobs of one root are cheaper the more of them are together: a run from the least group on is one chunk, and is shared
// among the workers where each part is still worth its own inversions and sum check.
constexpr std::size_t kLeastGroup = 8;
constexpr std::size_t kLeastShare = 32;
constexpr std::size_t kLargestGroup = 256;

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

Batch::Batch(std::vector<SignJob> jobs) : jobs_(std::move(jobs)), verdicts_(jobs_.size()) {}

std::vector<Chunk> Batch::plan(std::size_t workers, std::size_t idle) {
  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    (verdicts_[i] ? refused : order_).push_back(i);
  }
  std::sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
    return std::tie(jobs_[a].check.signing_root, a) < std::tie(jobs_[b].check.signing_root, b);
  });
  const std::size_t permitted = order_.size();
  order_.insert(order_.end(), refused.begin(), refused.end());
  signatures_.resize(permitted);

  std::vector<Chunk> chunks = cut(permitted, std::max<std::size_t>(1, workers), std::max<std::size_t>(1, idle));
  const std::lock_guard lock(mutex_);
  planned_ = true;
  if (permitted < order_.size()) {
    parked_.push_back({permitted, order_.size()});
  }
  return chunks;
}

// Runs of one root that are worth a group are cut among the workers; the rest is cut by count, whatever the roots.
std::vector<Chunk> Batch::cut(std::size_t permitted, std::size_t workers, std::size_t idle) const {
  const std::size_t mixed = std::clamp<std::size_t>(divide_up(permitted, idle), 1, kLargestMixedChunk);
  std::vector<Chunk> chunks;
  std::size_t begin = 0;  // of what is in no chunk yet
  for (std::size_t run = 0; run < permitted;) {
    std::size_t end = run;
    while (end < permitted && root(end) == root(run)) {
      ++end;
    }
    if (end - run >= kLeastGroup) {
      if (begin < run) {
        chunks.push_back({begin, run});
      }
      const std::size_t width = std::clamp(divide_up(end - run, workers), kLeastShare, kLargestGroup);
      for (std::size_t at = run; at < end; at += width) {
        chunks.push_back({at, std::min(at + width, end)});
      }
      begin = end;
    } else {
      for (; end - begin >= mixed; begin += mixed) {
        chunks.push_back({begin, begin + mixed});
      }
    }
    run = end;
  }
  if (begin < permitted) {
    chunks.push_back({begin, permitted});
  }
  return chunks;
}

bool Batch::is_group(Chunk chunk) const {
  return chunk.size() >= kLeastGroup && root(chunk.begin) == root(chunk.end - 1);
}

bool Batch::sign(Chunk chunk, GroupSigner& signer) {
  std::vector<const keys::RingKey*> group;
  std::vector<SingleRequest> singles;
  for (std::size_t begin = chunk.begin; begin < chunk.end && !given_up();) {
    const Root& message = root(begin);
    group.clear();
    std::size_t end = begin;
    for (; end < chunk.end && root(end) == message; ++end) {
      group.push_back(jobs_[order_[end]].key.get());
    }
    if (group.size() == 1) {
      singles.push_back({&message, group.front(), &signatures_[begin]});
    } else {
      signer.sign(message, group, std::span(signatures_).subspan(begin, end - begin));
    }
    begin = end;
  }
  if (!singles.empty() && !given_up()) {
    signer.sign_each(singles);
  }
  const std::lock_guard lock(mutex_);
  if (outcome_ == Outcome::pending) {
    parked_.push_back(chunk);
    return false;
  }
  return true;
}

const Error* Batch::loss_of(std::size_t position) const {
  const auto found = lost_.empty() || verdicts_[position] ? lost_.end() : lost_.find(jobs_[position].check.key);
  return found == lost_.end() ? nullptr : &found->second;
}

std::vector<Chunk> Batch::settle(Result<void> outcome, std::map<BlsPublicKey, Error> lost) {
  const std::lock_guard lock(mutex_);
  if (outcome_ == Outcome::pending) {
    lost_ = std::move(lost);
    outcome_ = outcome ? Outcome::committed : Outcome::failed;
    if (!outcome) {
      error_ = std::move(outcome).error();
    }
  }
  if (!planned_) {
    order_.resize(jobs_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    parked_ = {{0, order_.size()}};
  }
  return std::exchange(parked_, {});
}

std::vector<Chunk> Batch::give_up(Error error) {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  outcome_ = Outcome::failed;
  error_ = std::move(error);
  return std::exchange(parked_, {});
}

bool Batch::given_up() const {
  const std::lock_guard lock(mutex_);
  return given_up_;
}

Batch::Ruling Batch::rule(Chunk chunk) {
  Ruling out;
  {
    const std::lock_guard lock(mutex_);
    if (outcome_ == Outcome::failed) {
      out.failure = error_;
    } else if (outcome_ == Outcome::pending) {
      out.failure = Error{ErrorKind::internal, "released before the outcome was known"};
    }
  }
  if (out.failure) {
    out.count.failed_jobs = chunk.size();
    for (std::size_t i = chunk.begin; i < std::min(chunk.end, signatures_.size()); ++i) {
      wipe(signatures_[i]);
    }
    return out;
  }
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    const bool lost = loss_of(order_[i]) != nullptr;
    if (lost && i < signatures_.size()) {
      wipe(signatures_[i]);
    }
    ++(lost ? out.count.failed_jobs : verdicts_[order_[i]] ? out.count.refused_jobs : out.count.signed_jobs);
  }
  return out;
}

void Batch::answer(Chunk chunk, const Ruling& ruling) {
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    const std::size_t position = order_[i];
    const Error* const loss = loss_of(position);
    SignJob job = std::move(jobs_[position]);
    job.key.reset();
    if (loss != nullptr) {
      job.reply(fail(*loss));
    } else if (ruling.failure) {
      job.reply(fail(*ruling.failure));
    } else if (verdicts_[position]) {
      job.reply(fail(*std::move(verdicts_[position])));
    } else {
      job.reply(signatures_[i]);
    }
  }
}

}  // namespace cc::signing
