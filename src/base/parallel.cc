#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace cc {
namespace {

// False when no more threads are to be had: those that started, and the caller's own, then do all the work.
bool start_one(std::vector<std::jthread>& threads, const std::function<void()>& work) {
  try {
    threads.emplace_back(work);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

bool run_side_by_side(std::size_t count, std::size_t most_threads, const std::function<bool(std::size_t)>& step) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic<bool> out_of_memory{false};
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count && !stopped; i = next++) {
        if (!step(i)) {
          stopped = true;
        }
      }
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
      stopped = true;
    }
  };
  const std::size_t threads = std::min(count, std::max<std::size_t>(1, most_threads));
  {
    std::vector<std::jthread> helpers;
    while (helpers.size() + 1 < threads && start_one(helpers, work)) {
    }
    work();
  }
  if (out_of_memory) {
    throw std::bad_alloc();
  }
  return !stopped;
}

bool run_parallel(std::size_t count, std::size_t most_threads, const std::function<bool(std::size_t)>& step) {
  const std::size_t cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  return run_side_by_side(count, std::min(most_threads, cores), step);
}

}  // namespace cc
