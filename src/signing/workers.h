// A fixed pool of threads that runs tasks in the order given. Tasks must not throw.
#pragma once

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
  // For a worker that is at work now and takes it next, which saves a wake-up; wakes one when none is at work.
  void post_behind(std::function<void()> task);
  std::size_t count() const { return threads_.size(); }

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::size_t at_work_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cc::signing
