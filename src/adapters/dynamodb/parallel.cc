#include "adapters/dynamodb/parallel.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace cc::dynamodb {
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

void in_parallel(std::size_t count, std::size_t most, const std::function<void(std::size_t)>& step) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> out_of_memory{false};
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) {
        step(i);
      }
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t threads = std::min(count, std::max<std::size_t>(1, most));
    while (helpers.size() + 1 < threads && start_one(helpers, work)) {
    }
    work();
  }
  if (out_of_memory) {
    throw std::bad_alloc();
  }
}

}  // namespace cc::dynamodb
