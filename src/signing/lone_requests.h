// A request that comes alone may be signed by the thread that brings it, which saves it every wake-up of another: that
// thread hashes its message while the committer records it, and then takes the signing over from the committer, when
// the guard has allowed it by then.
//
// While it signs, nobody reads what others send. So a request that was there already when the last such signature was
// done (a client that waits for its answer cannot be so quick), or that comes while others are under way, stops this
// for the next ones.
//
// Thread-safe. At most one thread helps at a time.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

namespace cc::signing {

class LoneRequests {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kSoonest{20};
  static constexpr unsigned kPause = 8;  // lone requests that others sign meanwhile

  // One came alone: whether its thread helps from here on.
  bool begin(Clock::time_point now = Clock::now());
  // Several came together, or one while others were under way.
  void crowd();
  // The committer offers what is to be signed; false: nobody is there to take it.
  bool hand_over(std::function<void()>& task);
  // The helper has hashed the message, and gets what was handed over, if anything.
  std::function<void()> hashed();
  // The helper is done.
  void ended(Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  bool helping_ = false;
  std::function<void()> task_;
  std::optional<Clock::time_point> ended_;
  unsigned pause_ = 0;
};

}  // namespace cc::signing
