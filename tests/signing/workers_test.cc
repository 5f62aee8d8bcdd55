#include "signing/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace cc::signing {
namespace {

TEST(Workers, ATaskBehindRunsWhetherSomebodyIsAtWorkOrNobody) {
  std::promise<void> at_work, go_on, behind, alone;
  Workers workers(2);
  workers.post([&] {
    at_work.set_value();
    go_on.get_future().wait();
  });
  at_work.get_future().wait();
  workers.post_behind([&] { behind.set_value(); });
  go_on.set_value();
  behind.get_future().wait();
  workers.post_behind([&] { alone.set_value(); });
  alone.get_future().wait();
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
