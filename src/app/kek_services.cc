#include "app/kek_services.h"

#include <algorithm>
#include <condition_variable>
#include <deque>

#include "base/log.h"

namespace cc::app {

// What the threads of one call share with it; lives until the last of them has ended.
struct ParallelKeks::Round {
  explicit Round(std::vector<seal::WrappedShare> all) : shares(std::move(all)) {}
  const std::vector<seal::WrappedShare> shares;
  std::mutex mutex;
  std::condition_variable told;
  std::deque<std::pair<std::size_t, Result<SecretBytes>>> outcomes;
  std::size_t running = 0;
  bool over = false;  // nobody listens any more

  void tell(std::size_t place, Result<SecretBytes> outcome) {
    const std::lock_guard lock(mutex);
    if (!over) {
      outcomes.emplace_back(place, std::move(outcome));
    }
    --running;
    told.notify_one();
  }
};

ParallelKeks::~ParallelKeks() { join_ended(true); }

void ParallelKeks::join_ended(bool all) {
  std::list<Worker> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = workers_.begin(); at != workers_.end();) {
      const auto next = std::next(at);
      const std::lock_guard round(at->round->mutex);
      if (all || at->round->running == 0) {
        ended.splice(ended.end(), workers_, at);
      }
      at = next;
    }
  }
  for (Worker& worker : ended) {
    worker.thread.join();
  }
}

void ParallelKeks::unwrap_until(const std::vector<seal::WrappedShare>& shares,
                                const seal::KekService::TakeShare& take) {
  join_ended(false);
  const auto round = std::make_shared<Round>(shares);
  round->running = shares.size();
  for (std::size_t place = 0; place < shares.size(); ++place) {
    const auto ask = [this, round, place] {
      const seal::WrappedShare& one = round->shares[place];
      Result<SecretBytes> outcome = inner_.unwrap(one.kek, one.context, one.wrapped);
      log::debug("a KEK was asked for its share",
                 {{"kek", one.kek}, {"outcome", outcome ? "opened" : facts(outcome.error().kind).code}});
      round->tell(place, std::move(outcome));
    };
    try {
      const std::lock_guard lock(mutex_);
      workers_.push_back({round, std::thread(ask)});
    } catch (const std::system_error&) {
      ask();  // no more threads to be had: one after the other, then
    }
  }
  std::unique_lock lock(round->mutex);
  while (true) {
    round->told.wait(lock, [&] { return !round->outcomes.empty() || round->running == 0; });
    if (round->outcomes.empty()) {
      break;
    }
    auto [place, outcome] = std::move(round->outcomes.front());
    round->outcomes.pop_front();
    lock.unlock();
    const bool more = take(place, std::move(outcome));
    lock.lock();
    if (!more) {
      break;
    }
  }
  round->over = true;
  round->outcomes.clear();
}

Result<std::unique_ptr<KekServices>> KekServices::make(const Config& config, const Environment& environment,
                                                       const Clock& clock, Random& random) {
  aws::AwsOptions options;
  options.credentials = {environment, config.aws.profile, config.aws.region};
  options.endpoints = {{"kms", config.aws.kms_endpoint}, {"sts", config.aws.sts_endpoint}};
  options.patience.budget = std::chrono::seconds(config.aws.call_timeout_seconds);
  CC_ASSIGN(auto aws, aws::Aws::make(std::move(options), clock, random));
  return std::unique_ptr<KekServices>(new KekServices(config.kek_local_dir, std::move(aws), random));
}

KekServices::KekServices(std::string local_dir, std::unique_ptr<aws::Aws> aws, Random& random)
    : local_(std::move(local_dir), random), aws_(std::move(aws)), parallel_(*this) {}

// A name that is none, or of a scheme without a service here, is answered by the local one: it says so.
seal::KekService& KekServices::service_of(const std::string& name) {
  const auto parsed = seal::parse_kek_name(name);
  if (parsed && parsed->scheme == seal::KekScheme::aws) {
    return aws_->keks();
  }
  return local_;
}

Result<std::string> KekServices::canonical_name(const std::string& name) const {
  CC_ASSIGN(seal::KekName parsed, seal::parse_kek_name(name));
  return std::move(parsed.canonical);
}

Result<void> KekServices::prepare(const std::string& name) { return service_of(name).prepare(name); }

Result<Bytes> KekServices::wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) {
  return service_of(name).wrap(name, context, share);
}

Result<SecretBytes> KekServices::unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) {
  return service_of(name).unwrap(name, context, wrapped);
}

void KekServices::unwrap_until(const std::vector<seal::WrappedShare>& shares, const TakeShare& take) {
  parallel_.unwrap_until(shares, take);
}

}  // namespace cc::app
