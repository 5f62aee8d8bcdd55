#include "signing/workers.h"

#include <pthread.h>

#include <iterator>
#include <utility>

namespace cc::signing {

Workers::Workers(std::size_t count) {
  threads_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void Workers::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Workers::post(std::vector<std::function<void()>> tasks) {
  if (tasks.empty()) {
    return;
  }
  const bool several = tasks.size() > 1;
  {
    const std::lock_guard lock(mutex_);
    tasks_.insert(tasks_.end(), std::make_move_iterator(tasks.begin()), std::make_move_iterator(tasks.end()));
  }
  if (several) {
    wake_.notify_all();
  } else {
    wake_.notify_one();
  }
}

void Workers::post_behind(std::function<void()> task) {
  bool nobody = false;
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    nobody = at_work_ == 0;
  }
  if (nobody) {
    wake_.notify_one();
  }
}

void Workers::run() {
  ::pthread_setname_np(::pthread_self(), "cc-sign");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) {
      return;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    ++at_work_;
    lock.unlock();
    task();
    task = nullptr;  // what the task holds (keys among it) goes before the wait
    lock.lock();
    --at_work_;
  }
}

}  // namespace cc::signing
