// The one thread that nobody waits for: expires unseal rounds, opens the KMS lock and tries again after failures,
// follows the stored record, and keeps the checkpoint of the slashing store fresh.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "seal/chamber.h"

namespace cc::app {

// What the thread does beside the chamber's own steps, and how often.
struct BackgroundWork {
  std::function<void()> checkpoint;           // every few seconds
  std::function<Result<bool>()> follow_keys;  // whether other signers changed keys
  // An open chamber whose record could not be read for `max_stale` is told with the reason, and with nothing once it
  // can be read again.
  std::function<void(const std::optional<Error>&)> stale;
  Milliseconds follow{5000};      // between two readings of the record; zero: only when woken
  Milliseconds keys_interval{0};  // zero: never
  Milliseconds max_stale{30'000};
};

class Background {
 public:
  // All outlive this.
  Background(seal::Chamber& chamber, const Clock& clock, Random& random, BackgroundWork work);
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void start();
  // Something changed: run the KMS step now. Never blocks.
  void wake();
  // Waits for the step under way.
  void stop();

 private:
  void run();
  void kms_step();
  void judge_staleness(const Result<void>& done);
  void follow_keys();
  Milliseconds jittered(Milliseconds pause);

  seal::Chamber& chamber_;
  const Clock& clock_;
  Random& random_;
  BackgroundWork work_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool woken_ = true;  // the first step runs at once
  std::thread thread_;

  // Of the thread alone.
  Milliseconds next_step_{};
  Milliseconds next_checkpoint_{};
  Milliseconds next_keys_{};
  Milliseconds last_read_{};  // when the record was last read
  bool stale_ = false;
  Milliseconds pause_{};
  std::string last_trouble_, last_keys_trouble_;
};

}  // namespace cc::app
