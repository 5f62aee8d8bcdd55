#include "app/key_pair_check.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "crypto/key_pairs.h"

namespace cc::app {
namespace {

constexpr std::size_t kBatch = 256;
constexpr int kLowestPriority = 19;

}  // namespace

KeyPairCheck::KeyPairCheck(keys::KeyRing& ring, Random& random)
    : ring_(ring), random_(random), thread_([this] { run(); }) {}

KeyPairCheck::~KeyPairCheck() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ++round_;
  }
  changed_.notify_all();
  thread_.join();
}

void KeyPairCheck::opened() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    ++round_;
  }
  changed_.notify_all();
}

void KeyPairCheck::closed() {
  const std::lock_guard lock(mutex_);
  wanted_ = false;
  ++round_;
}

KeyPairCheck::Counters KeyPairCheck::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

bool KeyPairCheck::still(std::uint64_t round) const {
  const std::lock_guard lock(mutex_);
  return round_ == round;
}

void KeyPairCheck::run() {
  ::pthread_setname_np(::pthread_self(), "cc-pairs");
  // Of this thread alone, as Linux has it. Without the right to it the check only runs at the usual priority.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowestPriority));
  for (;;) {
    std::uint64_t round = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || wanted_; });
      if (stopping_) {
        return;
      }
      wanted_ = false;
      round = round_;
    }
    check_all(round);
  }
}

void KeyPairCheck::check_all(std::uint64_t round) {
  const std::vector<BlsPublicKey> names = ring_.public_keys();
  for (std::size_t begin = 0; begin < names.size(); begin += kBatch) {
    if (!still(round)) {
      return;
    }
    Batch batch;
    for (std::size_t i = begin; i < std::min(begin + kBatch, names.size()); ++i) {
      if (auto key = ring_.find(names[i])) {
        batch.push_back(std::move(key));
      }
    }
    check(batch);
  }
  const std::lock_guard lock(mutex_);
  ++counters_.rounds;
  log::info("key pairs checked",
            {{"keys", static_cast<std::uint64_t>(names.size())}, {"wrong_since_start", counters_.wrong}});
}

void KeyPairCheck::check(std::span<const std::shared_ptr<const keys::RingKey>> batch) {
  std::vector<crypto::KeyPair> pairs;
  pairs.reserve(batch.size());
  for (const auto& key : batch) {
    pairs.push_back({&key->secret, &key->public_key});
  }
  const bool match = crypto::pairs_match(pairs, random_);
  if (!match && batch.size() > 1) {
    check(batch.first(batch.size() / 2));
    check(batch.subspan(batch.size() / 2));
    return;
  }
  if (!match) {
    ring_.remove(batch.front()->public_key);
    log::error(
        "a loaded key does not belong to its public key and was taken out of use: restore its record or import the "
        "key again",
        {{"pubkey", to_0x(batch.front()->public_key)}, {"source", keys::name(batch.front()->source)}});
  }
  const std::lock_guard lock(mutex_);
  counters_.checked += batch.size();
  counters_.wrong += match ? 0 : 1;
}

}  // namespace cc::app
