// A fixed pool of threads that runs tasks in the order given. Tasks must not throw.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cc::signing {

class Workers {
 public:
  explicit Workers(std::size_t count);
  // Runs everything that was posted, then joins.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void post(std::function<void()> task);
  void post(std::vector<std::function<void()>> tasks);
  // Of a request that nothing else is under way beside. A worker at work takes it next, and whoever did it looks for
  // more for a moment before it sleeps: who sends one request at a time sends the next one soon, and waking a core
  // takes some 50 microseconds.
  void post_alone(std::function<void()> task);
  std::size_t count() const { return threads_.size(); }

 private:
  struct Task {
    std::function<void()> work;
    bool alone = false;
  };
  void run();
  bool wakes_by_itself();
  void linger(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::size_t at_work_ = 0;
  bool lingers_ = false;            // one of them, awake and without work
  std::atomic<bool> found_{false};  // there is work for it
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cc::signing
