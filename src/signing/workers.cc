#include "signing/workers.h"

#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <utility>

namespace cc::signing {
namespace {

// Longer than an answer's way to a client on this machine and its next request's way back.
constexpr std::chrono::microseconds kLinger{300};

}  // namespace

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
    tasks_.push_back({std::move(task)});
    if (wakes_by_itself()) {
      return;
    }
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
    for (std::function<void()>& task : tasks) {
      tasks_.push_back({std::move(task)});
    }
    if (wakes_by_itself() && !several) {
      return;
    }
  }
  if (several) {
    wake_.notify_all();
  } else {
    wake_.notify_one();
  }
}

void Workers::post_alone(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    const bool awake = at_work_ > 0 || !tasks_.empty();
    tasks_.push_back({std::move(task), true});
    if (wakes_by_itself() || awake) {
      return;
    }
  }
  wake_.notify_one();
}

// Under the lock. Whether a worker that lingers takes what was just posted.
bool Workers::wakes_by_itself() { return lingers_ && !found_.exchange(true); }

// Gives its core to whoever wants it between two looks.
void Workers::linger(std::unique_lock<std::mutex>& lock) {
  lingers_ = true;
  found_ = false;
  lock.unlock();
  const auto end = std::chrono::steady_clock::now() + kLinger;
  while (!found_ && std::chrono::steady_clock::now() < end) {
    ::sched_yield();
  }
  lock.lock();
  lingers_ = false;
}

void Workers::run() {
  ::pthread_setname_np(::pthread_self(), "cc-sign");
  std::unique_lock lock(mutex_);
  bool alone = false;
  for (;;) {
    if (alone && tasks_.empty() && !lingers_ && !stopping_) {
      linger(lock);
    }
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) {
      return;
    }
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    ++at_work_;
    lock.unlock();
    task.work();
    task.work = nullptr;  // what the task holds (keys among it) goes before the wait
    alone = task.alone;
    lock.lock();
    --at_work_;
  }
}

}  // namespace cc::signing
