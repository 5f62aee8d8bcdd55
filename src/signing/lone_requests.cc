#include "signing/lone_requests.h"

#include <utility>

namespace cc::signing {

bool LoneRequests::begin(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (helping_) {
    return false;
  }
  if (ended_ && now - *ended_ < kSoonest) {
    pause_ = kPause;
  }
  ended_.reset();
  if (pause_ > 0) {
    --pause_;
    return false;
  }
  helping_ = true;
  return true;
}

void LoneRequests::crowd() {
  const std::lock_guard lock(mutex_);
  pause_ = kPause;
}

bool LoneRequests::hand_over(std::function<void()>& task) {
  const std::lock_guard lock(mutex_);
  if (!helping_) {
    return false;
  }
  task_ = std::move(task);
  return true;
}

std::function<void()> LoneRequests::hashed() {
  const std::lock_guard lock(mutex_);
  helping_ = false;
  return std::exchange(task_, nullptr);
}

void LoneRequests::ended(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  ended_ = now;
}

}  // namespace cc::signing
