// Moves the key records to a new master key while there is such work, whoever began it: this process, or one before a
// restart. A thread of its own, so that neither the KMS step nor a checkpoint waits for thousands of flushes. No
// secrets of its own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "seal/chamber.h"

namespace cc::app {

class MasterKeyWork {
 public:
  explicit MasterKeyWork(seal::Chamber& chamber) : chamber_(chamber) {}
  ~MasterKeyWork() { stop(); }
  MasterKeyWork(const MasterKeyWork&) = delete;
  MasterKeyWork& operator=(const MasterKeyWork&) = delete;

  void start();
  // There may be something to do: look now. Never blocks.
  void wake();
  // Waits for the batch under way.
  void stop();

 private:
  void run();
  // Between two batches. Returns whether to stop.
  bool pause();
  // Whether there is more to do at once.
  bool batch();

  seal::Chamber& chamber_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool woken_ = true;
  std::thread thread_;
  std::string last_trouble_;  // of the thread alone
};

}  // namespace cc::app
