// Asks every KEK in force for its share now and then, and looks at the operators' drills, so that what is lost is
// noticed while there still is a margin.
//
// A thread of its own: a KEK that hangs must hold up neither the KMS step nor the checkpoints. Warns when what it finds
// changes. No secrets stay.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "seal/chamber.h"

namespace cc::app {

class KekProbe {
 public:
  explicit KekProbe(seal::Chamber& chamber) : chamber_(chamber) {}
  ~KekProbe() { stop(); }
  KekProbe(const KekProbe&) = delete;
  KekProbe& operator=(const KekProbe&) = delete;

  void start();
  // Waits for the probe under way.
  void stop();

 private:
  void run();
  void tell();
  void tell_of_operators();

  seal::Chamber& chamber_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
  std::string last_told_, last_told_of_operators_;  // of the thread alone
};

}  // namespace cc::app
