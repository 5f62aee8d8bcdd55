#include "app/master_key_work.h"

#include <chrono>

#include "base/log.h"

namespace cc::app {
namespace {

// An unseal wakes nobody here; and what failed is tried again.
constexpr std::chrono::seconds kPeriod{2};
// Other ceremonies get their turn between two batches.
constexpr std::chrono::milliseconds kBetween{5};

}  // namespace

void MasterKeyWork::start() {
  thread_ = std::thread([this] { run(); });
}

void MasterKeyWork::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void MasterKeyWork::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool MasterKeyWork::pause() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kBetween, [this] { return stopping_; });
}

void MasterKeyWork::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kPeriod, [this] { return stopping_ || woken_; });
      if (stopping_) {
        return;
      }
      woken_ = false;
    }
    while (batch()) {
      if (pause()) {
        return;
      }
    }
  }
}

bool MasterKeyWork::batch() {
  const Result<bool> more = chamber_.work_on_master_key();
  const std::string trouble = more ? std::string() : std::string(facts(more.error().kind).code) + more.error().message;
  if (!more && trouble != last_trouble_) {
    log::warn("key records cannot be moved to the new master key; trying again, all keys sign on",
              {{"code", facts(more.error().kind).code}, {"reason", more.error().message}});
  }
  last_trouble_ = trouble;
  return more && *more;
}

}  // namespace cc::app
