#include "signing/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace cc::signing {
namespace {

TEST(Workers, ATaskThatComesAloneRunsWhetherSomebodyIsAtWorkOrNobody) {
  std::promise<void> at_work, go_on, behind, alone;
  Workers workers(2);
  workers.post([&] {
    at_work.set_value();
    go_on.get_future().wait();
  });
  at_work.get_future().wait();
  workers.post_alone([&] { behind.set_value(); });
  go_on.set_value();
  behind.get_future().wait();
  workers.post_alone([&] { alone.set_value(); });
  alone.get_future().wait();
}

TEST(Workers, EverythingPostedRunsHoweverTheWorkersComeAndGo) {
  constexpr int kTasks = 20'000;
  constexpr int kRound = 64;
  std::atomic<int> ran{0};
  {
    Workers workers(3);
    for (int i = 0; i < kTasks; ++i) {
      if (i % 3 == 0) {
        workers.post([&] { ++ran; });
      } else if (i % 7 == 0) {
        workers.post(std::vector<std::function<void()>>(1, [&] { ++ran; }));
      } else {
        workers.post_alone([&] { ++ran; });
      }
      if (i % kRound == 0) {
        // Waits for all of them without posting: what was posted alone must not need another wake-up.
        while (ran != i + 1) {
          std::this_thread::yield();
        }
        // The next one finds a worker that still looks for more, or is about to sleep, or sleeps.
        std::this_thread::sleep_for(std::chrono::microseconds(i / kRound % 16 * 40));
      }
    }
  }
  EXPECT_EQ(ran, kTasks);
}

}  // namespace
}  // namespace cc::signing
