// The log of a running signer: who waits is told when it is durable, a full disk stops ceremonies and nothing else, and
// a flood of refusals is summed up.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <sstream>

#include "audit/trail.h"
#include "log_of.h"

namespace cc::audit {
namespace {

class HandClock final : public Clock {
 public:
  Milliseconds monotonic() const override { return Milliseconds(now.load()); }
  std::uint64_t unix_seconds() const override { return test::kTime; }
  std::atomic<std::int64_t> now{0};
};

class MemoryFile final : public LogFile {
 public:
  Result<void> append(std::string_view lines) override {
    const std::lock_guard lock(mutex);
    if (full) {
      return fail(ErrorKind::store_unavailable, "the disk is full");
    }
    text += lines;
    return {};
  }
  Result<void> reserve() override {
    const std::lock_guard lock(mutex);
    return no_room ? Result<void>(fail(ErrorKind::store_unavailable, "no room left")) : Result<void>();
  }
  Result<std::uint64_t> read(const std::function<bool(std::string_view)>& line) const override {
    std::istringstream in(content());
    for (std::string one; std::getline(in, one);) {
      if (!line(one)) {
        break;
      }
    }
    return 0;
  }
  std::string content() const {
    const std::lock_guard lock(mutex);
    return text;
  }
  void set_full(bool yes) {
    const std::lock_guard lock(mutex);
    full = yes;
  }
  mutable std::mutex mutex;
  std::string text;
  bool full = false, no_room = false;
};

TrailOptions quick() {
  TrailOptions out;
  out.retry = Milliseconds(5);
  out.checkpoint_every = 4;
  out.refusal_burst = 3;
  return out;
}

Draft unseal(Outcome outcome = Outcome::done) {
  return test::draft(Event::unseal, outcome, Author::of_operator("alice"));
}

// Waits for what another thread will do.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(Milliseconds(1));
  }
  return false;
}

struct World {
  HandClock clock;
  MemoryFile file;
  Trail trail{file, clock, test::log_id(), Head{}, quick()};
};

TEST(Trail, WhatIsToldIsInTheFileWhenTheCallReturns) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  ASSERT_TRUE(world.trail.ask(unseal(Outcome::asked), true));
  const Verifier found = test::verified(world.file.content());
  EXPECT_EQ(test::faults_of(found), "");
  EXPECT_EQ(found.head(), world.trail.facts().durable);
  EXPECT_EQ(found.head().number, 2U);
}

TEST(Trail, AnswersWaitUntilTheirEntryIsDurable) {
  World world;
  std::promise<std::string> seen;
  world.trail.keep(test::draft(Event::log_started),
                   [&](const Result<void>& kept) { seen.set_value(kept ? world.file.content() : "failed"); });
  EXPECT_NE(seen.get_future().get().find("log_started"), std::string::npos);
}

TEST(Trail, ManyThreadsMakeOneChain) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        EXPECT_TRUE(world.trail.tell(unseal()));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const Verifier found = test::verified(world.file.content());
  EXPECT_EQ(test::faults_of(found), "");
  EXPECT_EQ(found.head().number, 201U);
}

TEST(Trail, AFullDiskRefusesCeremoniesAndLosesNothing) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  world.file.set_full(true);
  const auto refused = world.trail.ask(unseal(Outcome::asked), true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::store_unavailable);
  EXPECT_NE(refused.error().message.find("nothing was done"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(world.trail.facts().trouble);
  EXPECT_FALSE(world.trail.ask(unseal(Outcome::asked), true));
  world.trail.note(test::draft(Event::closed));
  world.file.set_full(false);
  ASSERT_TRUE(eventually([&] { return !world.trail.facts().trouble; }));
  ASSERT_TRUE(world.trail.ask(unseal(Outcome::asked), true));
  const std::string text = world.file.content();
  EXPECT_EQ(test::faults_of(test::verified(text)), "");
  EXPECT_NE(text.find("closed"), std::string::npos) << "it was kept in memory";
}

TEST(Trail, NoRoomSetAsideRefusesToo) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  {
    const std::lock_guard lock(world.file.mutex);
    world.file.no_room = true;
  }
  ASSERT_TRUE(world.trail.tell(unseal()));
  ASSERT_TRUE(eventually([&] { return world.trail.facts().trouble.has_value(); }));
  EXPECT_FALSE(world.trail.ask(unseal(Outcome::asked), true));
  {
    const std::lock_guard lock(world.file.mutex);
    world.file.no_room = false;
  }
  EXPECT_TRUE(eventually([&] { return !world.trail.facts().trouble; })) << "it asks again by itself";
}

TEST(Trail, WhatDoesNotFitIntoMemoryIsCounted) {
  HandClock clock;
  MemoryFile file;
  TrailOptions options = quick();
  options.waiting_limit = 1000;
  Trail trail(file, clock, test::log_id(), Head{}, options);
  ASSERT_TRUE(trail.tell(test::draft(Event::log_started)));
  file.set_full(true);
  for (int i = 0; i < 100; ++i) {
    trail.note(unseal());
  }
  ASSERT_TRUE(eventually([&] { return trail.facts().trouble.has_value(); }));
  const std::uint64_t lost = trail.facts().lost;
  EXPECT_GT(lost, 80U);
  file.set_full(false);
  ASSERT_TRUE(eventually([&] { return file.content().find("entries_lost") != std::string::npos; }));
  EXPECT_EQ(test::faults_of(test::verified(file.content())), "");
  EXPECT_NE(file.content().find(R"("count":)" + std::to_string(lost)), std::string::npos) << file.content();
}

TEST(Trail, AFloodOfRefusalsIsSummedUp) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  std::atomic<int> answered{0};
  for (int i = 0; i < 50; ++i) {
    world.trail.keep_refusal(unseal(Outcome::refused), [&](const Result<void>&) { ++answered; });
  }
  ASSERT_TRUE(eventually([&] { return answered == 50; }));
  EXPECT_EQ(world.trail.facts().left_out, 47U);
  // Refused signatures have a measure of their own.
  for (int i = 0; i < 5; ++i) {
    world.trail.keep_refusal(test::draft(Event::sign, Outcome::refused), nullptr);
  }
  EXPECT_EQ(world.trail.facts().left_out, 49U);
  world.clock.now += 61'000;
  ASSERT_TRUE(eventually([&] { return world.file.content().find(R"("left_out")") != std::string::npos; }));
  EXPECT_NE(world.file.content().find(R"("count":49)"), std::string::npos);
  EXPECT_EQ(test::faults_of(test::verified(world.file.content())), "");
}

TEST(Trail, AFloodOfStrangersGoesUnaskedButNobodyElseDoes) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(world.trail.ask(test::draft(Event::unseal, Outcome::asked, Author::anyone()), false));
  }
  EXPECT_EQ(world.trail.facts().durable.number, 4U);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(world.trail.ask(unseal(Outcome::asked), true));
  }
  EXPECT_EQ(world.trail.facts().durable.number, 24U);
}

TEST(Trail, SignsItsHeadWhileTheKeyIsThere) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  world.trail.take_key(test::checkpoint_key());
  world.trail.checkpoint();
  world.trail.checkpoint();  // nothing new to sign
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(world.trail.tell(unseal()));
  }
  world.trail.drop_key();
  world.trail.checkpoint();
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(world.trail.tell(unseal()));
  }
  Expectations expected;
  expected.keys.insert(test::checkpoint_key().public_key());
  const Verifier found = test::verified(world.file.content(), expected);
  EXPECT_EQ(test::faults_of(found), "");
  EXPECT_EQ(found.checkpoints(), 3U);
}

TEST(Trail, TellsTheHashesBehindAHead) {
  World world;
  ASSERT_TRUE(world.trail.tell(test::draft(Event::log_started)));
  const Head first = world.trail.facts().durable;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(world.trail.tell(unseal()));
  }
  const auto hashes = world.trail.hashes_after(first, 100);
  ASSERT_TRUE(hashes);
  Head at = first;
  for (const crypto::Digest& hash : *hashes) {
    at = {at.number + 1, next_head(at.value, hash)};
  }
  EXPECT_EQ(at, world.trail.facts().durable);
  EXPECT_EQ(world.trail.hashes_after(first, 2)->size(), 2U);
  EXPECT_EQ(world.trail.hashes_after(Head{}, 100)->size(), 6U);
  EXPECT_TRUE(world.trail.hashes_after(at, 100)->empty());
  Head other = first;
  other.value[0] ^= 1;
  EXPECT_EQ(world.trail.hashes_after(other, 100).error().kind, ErrorKind::record_conflict);
  EXPECT_EQ(world.trail.hashes_after({99, first.value}, 100).error().kind, ErrorKind::not_found);
}

TEST(Trail, ABrokenLogTakesNothingAndSaysWhy) {
  HandClock clock;
  MemoryFile file;
  Trail trail(file, clock, test::log_id(), Head{}, quick(), Error{ErrorKind::store_unavailable, "it was rewritten"});
  EXPECT_NE(trail.ask(unseal(Outcome::asked), true).error().message.find("rewritten"), std::string::npos);
  EXPECT_FALSE(trail.tell(unseal()));
  trail.note(unseal());
  EXPECT_EQ(file.content(), "");
  EXPECT_EQ(trail.facts().lost, 2U);
}

TEST(Trail, WhatWaitsIsWrittenBeforeItEnds) {
  HandClock clock;
  MemoryFile file;
  {
    Trail trail(file, clock, test::log_id(), Head{}, quick());
    trail.note(test::draft(Event::log_started));
    trail.note(test::draft(Event::stopped));
  }
  EXPECT_EQ(test::verified(file.content()).head().number, 2U);
}

}  // namespace
}  // namespace cc::audit
