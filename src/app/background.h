// The one thread that nobody waits for: expires unseal rounds, opens the KMS lock and tries again after failures,
// follows the stored record, and keeps the checkpoint of the slashing store fresh.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "seal/chamber.h"

namespace cc::app {

class Background {
 public:
  // All outlive this. `checkpoint` is called every few seconds.
  Background(seal::Chamber& chamber, const Clock& clock, Random& random, std::function<void()> checkpoint);
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
  Milliseconds jittered(Milliseconds pause);

  seal::Chamber& chamber_;
  const Clock& clock_;
  Random& random_;
  std::function<void()> checkpoint_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool woken_ = true;  // the first step runs at once
  std::thread thread_;

  // Of the thread alone.
  Milliseconds next_step_{};
  Milliseconds next_checkpoint_{};
  Milliseconds pause_{};
  std::string last_trouble_;
};

}  // namespace cc::app
