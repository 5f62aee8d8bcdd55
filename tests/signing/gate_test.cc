// Sealing under load, and the end of the pipeline.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "signing/pipeline_fixture.h"

namespace cc::signing {
namespace {

using test::Barrier;
using test::kind_of;
using test::MemorySlashingStore;
using test::Replies;
using test::Reply;
using test::ring_key;
using test::root_of;
using test::vote;

TEST(Gate, ClosingUnderLoadAnswersEveryJobAndNoSignatureLeavesAfterwards) {
  MemorySlashingStore store;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  std::atomic<std::uint64_t> submitted{0}, answered{0}, signatures{0}, late{0};
  std::atomic<bool> closed{false}, stop{false};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 1; t <= 4; ++t) {
    threads.emplace_back([&, t] {
      const auto key = ring_key(t);
      for (std::uint64_t target = 1; !stop; ++target) {
        while (submitted - answered > 400 && !stop) {
          std::this_thread::yield();
        }
        ++submitted;
        pipeline.submit(vote(key, target, root_of(target), [&](Reply reply) {
          if (reply) {
            ++signatures;
            late += closed ? 1 : 0;
          } else {
            EXPECT_EQ(reply.error().kind, ErrorKind::signer_sealed);
          }
          ++answered;
        }));
      }
    });
  }
  while (signatures < 100) {
    std::this_thread::yield();
  }
  pipeline.close_gate(Milliseconds(20'000));
  closed = true;
  const std::uint64_t at_close = signatures;
  std::this_thread::sleep_for(Milliseconds(30));
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(late, 0U);
  EXPECT_EQ(signatures, at_close);
  EXPECT_EQ(submitted, answered);
  EXPECT_EQ(pipeline.counters().queued, 0U);
}

TEST(Gate, ACommitUnderWayFinishesWithinThePatience) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  pipeline.submit(vote(ring_key(1), 6, root_of(2), replies.slot(1)));
  std::thread closer([&] { pipeline.close_gate(Milliseconds(20'000)); });
  EXPECT_EQ(kind_of(replies.wait(1)[1]), ErrorKind::signer_sealed) << "what was not committed is refused at once";
  EXPECT_EQ(replies.count(), 1U);
  barrier.open();
  closer.join();
  EXPECT_TRUE(replies.wait(2)[0]->has_value());
}

TEST(Gate, WhatIsNotCommittedWithinThePatienceIsRefusedEvenWhenTheCommitSucceedsLater) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  const auto log = std::make_shared<test::WatchedSigner::Log>();
  Replies replies;
  Pipeline pipeline(store, {}, std::make_unique<test::WatchedSigner>(log));
  pipeline.open_gate();
  const auto key = ring_key(1);
  pipeline.submit(vote(key, 5, root_of(1), replies.slot(0)));
  log->wait_for(1);
  barrier.wait_for_arrivals(1);
  pipeline.close_gate(Milliseconds(30));
  EXPECT_EQ(kind_of(replies.wait(1)[0]), ErrorKind::signer_sealed);
  barrier.open();
  pipeline.open_gate();
  pipeline.submit(vote(key, 5, root_of(1), replies.slot(1)));
  EXPECT_TRUE(replies.wait(2)[1]->has_value());
  EXPECT_EQ(replies.count(), 2U);
  EXPECT_EQ(key.use_count(), 1) << "a job still holds the key";
}

TEST(Gate, ClosingAnIdlePipelineReturnsAtOnceAndItOpensAgain) {
  MemorySlashingStore store;
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  const auto start = std::chrono::steady_clock::now();
  pipeline.close_gate(Milliseconds(20'000));
  pipeline.close_gate(Milliseconds(20'000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds(5'000));
  EXPECT_FALSE(pipeline.gate_open());
  pipeline.open_gate();
  EXPECT_TRUE(pipeline.gate_open());
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  EXPECT_TRUE(replies.wait(1)[0]->has_value());
}

TEST(Gate, TheEndOfThePipelineAnswersEverything) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  {
    Pipeline pipeline(store, {});
    pipeline.open_gate();
    pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
    barrier.wait_for_arrivals(1);
    for (std::size_t i = 1; i < 40; ++i) {
      pipeline.submit(vote(ring_key(1), 5 + i, root_of(i), replies.slot(i)));
    }
    barrier.open();
  }
  EXPECT_EQ(replies.count(), 40U);
}

}  // namespace
}  // namespace cc::signing
