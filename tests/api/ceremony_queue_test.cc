#include "api/ceremony_queue.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace cc::api {
namespace {

// Work that waits until it is let go, and a log of what ran.
class Stage {
 public:
  std::function<void()> blocker() {
    return [this] {
      std::unique_lock lock(mutex_);
      blocked_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
    };
  }
  std::function<void()> entry(std::string name) {
    return [this, name = std::move(name)] {
      const std::lock_guard lock(mutex_);
      log_.push_back(name);
      changed_.notify_all();
    };
  }
  void wait_until_blocked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return blocked_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return log_.size() >= count; }));
    return log_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  bool blocked_ = false, open_ = false;
};

TEST(CeremonyQueue, SourcesTakeTurns) {
  Stage stage;
  CeremonyQueue queue;
  ASSERT_TRUE(queue.run("x", stage.blocker()));
  stage.wait_until_blocked();
  for (const std::string name : {"a1", "a2", "a3", "b1", "c1", "c2"}) {
    ASSERT_TRUE(queue.run(name.substr(0, 1), stage.entry(name)));
  }
  EXPECT_EQ(queue.waiting(), 6U);
  stage.open();
  EXPECT_EQ(stage.wait_for(6), (std::vector<std::string>{"a1", "b1", "c1", "a2", "c2", "a3"}));
}

TEST(CeremonyQueue, OneSourceCannotFillTheQueue) {
  Stage stage;
  CeremonyQueue queue({.per_source = 2, .total = 4});
  ASSERT_TRUE(queue.run("flood", stage.blocker()));
  stage.wait_until_blocked();
  EXPECT_TRUE(queue.run("flood", stage.entry("f1")));
  EXPECT_TRUE(queue.run("flood", stage.entry("f2")));
  EXPECT_FALSE(queue.run("flood", stage.entry("f3")));
  EXPECT_TRUE(queue.run("alice", stage.entry("a1")));
  EXPECT_TRUE(queue.run("bob", stage.entry("b1")));
  EXPECT_FALSE(queue.run("carol", stage.entry("c1"))) << "the queue as a whole is short too";
  stage.open();
  EXPECT_EQ(stage.wait_for(4), (std::vector<std::string>{"f1", "a1", "b1", "f2"}));
  EXPECT_TRUE(queue.run("flood", stage.entry("f4")));
  stage.wait_for(5);
}

TEST(CeremonyQueue, ItsEndDropsWhatWaitsAndFinishesWhatRuns) {
  Stage stage;
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> dropped = token;
  {
    CeremonyQueue queue;
    ASSERT_TRUE(queue.run("a", [work = stage.entry("ran")] { work(); }));
    stage.wait_for(1);
    ASSERT_TRUE(queue.run("a", [&stage] { stage.open(); }));
    ASSERT_TRUE(queue.run("a", [token = std::move(token)] {}));
  }
  EXPECT_TRUE(dropped.expired());
}

}  // namespace
}  // namespace cc::api
