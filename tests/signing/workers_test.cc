#include "signing/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace cc::signing {
namespace {

TEST(Workers, ATaskBehindIsTakenByTheOneAtWorkAndByAnybodyWhenNobodyIs) {
  std::promise<std::thread::id> first, behind, alone;
  std::promise<void> go_on;
  Workers workers(2);
  workers.post([&] {
    first.set_value(std::this_thread::get_id());
    go_on.get_future().wait();
  });
  const std::thread::id at_work = first.get_future().get();
  workers.post_behind([&] { behind.set_value(std::this_thread::get_id()); });
  go_on.set_value();
  // The other one may have been awake for a reason of its own, so only that it ran is certain.
  EXPECT_NE(behind.get_future().get(), std::thread::id());
  EXPECT_NE(at_work, std::thread::id());
  workers.post_behind([&] { alone.set_value(std::this_thread::get_id()); });
  EXPECT_NE(alone.get_future().get(), std::thread::id());
}

TEST(Workers, EverythingPostedBehindRunsHoweverTheWorkersComeAndGo) {
  constexpr int kTasks = 20'000;
  std::atomic<int> ran{0};
  {
    Workers workers(3);
    for (int i = 0; i < kTasks; ++i) {
      if (i % 3 == 0) {
        workers.post([&] { ++ran; });
      } else {
        workers.post_behind([&] { ++ran; });
      }
      if (i % 64 == 0) {
        // Waits for all of them without posting: what was posted behind must not need another wake-up.
        while (ran != i + 1) {
          std::this_thread::yield();
        }
      }
    }
  }
  EXPECT_EQ(ran, kTasks);
}

}  // namespace
}  // namespace cc::signing
