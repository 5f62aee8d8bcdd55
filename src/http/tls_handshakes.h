// Where the costly half of TLS runs: a thread that makes the steps of handshakes, so that a burst of new connections
// never keeps the I/O thread from requests under way. The queue is bounded; beyond it a handshake fails at once.
//
// Also counts and reports: how many handshakes succeeded and failed, and why the last ones failed (one line a second).
// add() and the counters are thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"

namespace cc::http {

class TlsHandshakes {
 public:
  TlsHandshakes();
  // Runs what is queued, then ends.
  ~TlsHandshakes();
  TlsHandshakes(const TlsHandshakes&) = delete;
  TlsHandshakes& operator=(const TlsHandshakes&) = delete;

  // False when too many wait; the step is then never run. A step must not throw.
  bool add(std::function<void()> step);

  void succeeded() { done_.fetch_add(1, std::memory_order_relaxed); }
  void failed(const std::string& peer, const std::string& reason);
  std::uint64_t done_total() const { return done_.load(std::memory_order_relaxed); }
  std::uint64_t failed_total() const { return failed_.load(std::memory_order_relaxed); }

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> steps_;
  bool ending_ = false;
  std::atomic<std::uint64_t> done_{0}, failed_{0};
  std::chrono::steady_clock::time_point next_line_{};  // guarded by mutex_
  std::uint64_t unreported_ = 0;                       // guarded by mutex_
  std::thread thread_;
};

}  // namespace cc::http
