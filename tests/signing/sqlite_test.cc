// The pipeline over the real store: what it promised holds after the store was closed and opened again.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "adapters/sqlite/slashing_store.h"
#include "base/random.h"
#include "signing/pipeline_fixture.h"
#include "support/process.h"

namespace cc::signing {
namespace {

using test::kind_of;
using test::Replies;
using test::Reply;
using test::ring_key;
using test::root_of;
using test::vote;

std::unique_ptr<sqlite::SqliteSlashingStore> open(const test::TemporaryFolder& folder) {
  SystemRandom random;
  return sqlite::SqliteSlashingStore::open(folder / "slashing.sqlite", sqlite::OpenMode::open_or_create, random)
      .value();
}

TEST(PipelineOverSqlite, AConflictIsRefusedAfterTheStoreWasOpenedAgain) {
  const test::TemporaryFolder folder;
  {
    const auto store = open(folder);
    Replies replies;
    Pipeline pipeline(*store, {});
    pipeline.open_gate();
    pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
    ASSERT_TRUE(replies.wait(1)[0]->has_value());
  }
  const auto store = open(folder);
  Replies replies;
  Pipeline pipeline(*store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(2), replies.slot(0)));
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(1)));
  const auto all = replies.wait(2);
  EXPECT_EQ(kind_of(all[0]), ErrorKind::slashable);
  EXPECT_TRUE(all[1]->has_value());
}

TEST(PipelineOverSqlite, RacingThreadsGetOneSignaturePerDutyAndShareFlushes) {
  constexpr std::uint64_t kThreads = 8;
  constexpr std::uint64_t kTargets = 40;
  const test::TemporaryFolder folder;
  const auto store = open(folder);
  std::array<std::atomic<int>, kTargets + 1> signatures{};
  std::atomic<std::uint64_t> answered{0};
  {
    Pipeline pipeline(*store, {});
    pipeline.open_gate();
    const auto key = ring_key(1);
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t target = 1; target <= kTargets; ++target) {
          pipeline.submit(vote(key, target, root_of(t), [&signatures, &answered, target](const Reply& reply) {
            signatures[target] += reply ? 1 : 0;
            ++answered;
          }));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    while (answered < kThreads * kTargets) {
      std::this_thread::yield();
    }
    EXPECT_LT(pipeline.counters().batches_total, kThreads * kTargets) << "every request was flushed alone";
  }
  int total = 0;
  for (const std::atomic<int>& count : signatures) {
    EXPECT_LE(count, 1);
    total += count;
  }
  EXPECT_GT(total, 0);
}

}  // namespace
}  // namespace cc::signing
