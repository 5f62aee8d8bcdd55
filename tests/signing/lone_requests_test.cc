#include "signing/lone_requests.h"

#include <gtest/gtest.h>

namespace cc::signing {
namespace {

TEST(LoneRequests, AnEarlyFollowerStopsHelpForAWhile) {
  using namespace std::chrono_literals;
  LoneRequests lone;
  LoneRequests::Clock::time_point now{};
  const auto help = [&](std::chrono::microseconds after) {
    now += after;
    if (!lone.begin(now)) {
      return false;
    }
    EXPECT_FALSE(lone.begin(now)) << "one at a time";
    EXPECT_FALSE(lone.hashed());
    now += 400us;
    lone.ended(now);
    return true;
  };
  EXPECT_TRUE(help(0us));
  EXPECT_TRUE(help(100us));
  for (unsigned i = 0; i < LoneRequests::kPause; ++i) {
    EXPECT_FALSE(help(10us)) << i;
  }
  EXPECT_TRUE(help(10us));
  lone.crowd();
  EXPECT_FALSE(help(1s));
  std::function<void()> task = [] {};
  EXPECT_FALSE(lone.hand_over(task)) << "nobody is there";
  EXPECT_TRUE(task);
}

}  // namespace
}  // namespace cc::signing
