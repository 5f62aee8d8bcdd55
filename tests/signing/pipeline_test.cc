#include "signing/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

#include "signing/pipeline_fixture.h"

namespace cc::signing {
namespace {

using test::Barrier;
using test::free_message;
using test::kind_of;
using test::MemorySlashingStore;
using test::Replies;
using test::ring_key;
using test::root_of;
using test::StoreFault;
using test::vote;
using test::WatchedSigner;

TEST(Pipeline, ASignatureVerifiesUnderTheKeyAndTheRoot) {
  MemorySlashingStore store;
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  const auto key = ring_key(1);
  pipeline.submit(vote(key, 5, root_of(11), replies.slot(0)));
  pipeline.submit(free_message(key, root_of(12), replies.slot(1)));
  const auto all = replies.wait(2);
  ASSERT_TRUE(all[0] && *all[0]);
  ASSERT_TRUE(all[1] && *all[1]);
  EXPECT_TRUE(crypto::verify(key->public_key, root_of(11), **all[0]));
  EXPECT_TRUE(crypto::verify(key->public_key, root_of(12), **all[1]));
  EXPECT_TRUE(test::recorded(store, key->public_key, 5, root_of(11)));
}

TEST(Pipeline, FirstSignaturesWithoutHistoryAreCountedOnceTheyAreReleased) {
  MemorySlashingStore store;
  metrics::Registry metrics("test");
  Replies replies;
  PipelineOptions options;
  options.metrics = &metrics;
  Pipeline pipeline(store, options);
  pipeline.open_gate();
  const auto counted = [&](int count) {
    return metrics.render().find("containment_signing_without_history_total " + std::to_string(count) + "\n") !=
           std::string::npos;
  };
  store.push_fault(StoreFault::failed_commit);
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  replies.wait(1);
  EXPECT_TRUE(counted(0)) << "nothing was released";
  std::size_t slot = 1;
  for (const std::uint32_t key : {1U, 1U, 2U}) {
    pipeline.submit(vote(ring_key(key), 4 + slot, root_of(1), replies.slot(slot)));
    replies.wait(++slot);
  }
  EXPECT_TRUE(counted(2)) << "one for each validator";
  pipeline.submit(free_message(ring_key(3), root_of(12), replies.slot(slot)));
  replies.wait(++slot);
  EXPECT_TRUE(counted(2)) << "what needs no history has none";
}

TEST(Pipeline, TheGateIsClosedAtFirst) {
  MemorySlashingStore store;
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  EXPECT_EQ(kind_of(replies.wait(1)[0]), ErrorKind::signer_sealed);
  EXPECT_TRUE(store.state().validators.empty());
}

TEST(Pipeline, WhatArrivesDuringAFlushIsOneBatch) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  for (std::size_t i = 1; i <= 50; ++i) {
    pipeline.submit(vote(ring_key(static_cast<std::uint32_t>(i + 1)), 5, root_of(i), replies.slot(i)));
  }
  barrier.open();
  for (const auto& reply : replies.wait(51)) {
    EXPECT_TRUE(reply && *reply);
  }
  EXPECT_EQ(pipeline.counters().batches_total, 2U);
  EXPECT_EQ(pipeline.counters().signed_total, 51U);
}

TEST(Pipeline, WhatIsPutIsSignedAfterOneWake) {
  MemorySlashingStore store;
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  for (std::uint32_t i = 0; i < 20; ++i) {
    pipeline.put(vote(ring_key(i + 1), 5, root_of(1), replies.slot(i)));
  }
  pipeline.wake();
  for (const auto& reply : replies.wait(20)) {
    EXPECT_TRUE(reply && *reply);
  }
}

TEST(Pipeline, ManyAtOnceKeepTheirOrder) {
  MemorySlashingStore store;
  Replies replies;
  PipelineOptions options;
  options.queue_limit = 3;
  Pipeline pipeline(store, options);
  pipeline.open_gate();
  std::vector<SignJob> jobs;
  for (std::uint64_t i = 0; i < 5; ++i) {
    jobs.push_back(vote(ring_key(1), 5, root_of(i), replies.slot(i)));
  }
  pipeline.submit(std::move(jobs));
  const auto all = replies.wait(5);
  EXPECT_TRUE(*all[0]) << "the first of conflicting votes";
  EXPECT_EQ(kind_of(all[1]), ErrorKind::slashable);
  EXPECT_EQ(kind_of(all[2]), ErrorKind::slashable);
  EXPECT_EQ(kind_of(all[3]), ErrorKind::overloaded);
  EXPECT_EQ(kind_of(all[4]), ErrorKind::overloaded);
}

// Says which roots were prepared, and signs nothing real.
class PreparedSigner final : public GroupSigner {
 public:
  explicit PreparedSigner(std::promise<Root>& prepared) : prepared_(prepared) {}
  void sign(const Root&, std::span<const keys::RingKey* const>, std::span<BlsSignature>) override {}
  void prepare(const Root& root) override { prepared_.set_value(root); }

 private:
  std::promise<Root>& prepared_;
};

TEST(Pipeline, ARequestThatComesAloneHasItsMessageHashedWhileItIsRecorded) {
  MemorySlashingStore store;
  std::promise<Root> prepared;
  std::future<Root> root = prepared.get_future();
  // The commit waits until the message was prepared: the other way round this test would never end.
  store.before_commit = [&] { root.wait(); };
  Replies replies;
  Pipeline pipeline(store, {}, std::make_unique<PreparedSigner>(prepared));
  pipeline.open_gate();
  pipeline.put(vote(ring_key(1), 5, root_of(9), replies.slot(0)));
  pipeline.wake();
  EXPECT_TRUE(replies.wait(1)[0]);
  EXPECT_EQ(root.get(), root_of(9));
}

TEST(Pipeline, NoBatchIsLargerThanItsLimit) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  PipelineOptions options;
  options.batch_limit = 10;
  Pipeline pipeline(store, options);
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  for (std::size_t i = 1; i <= 25; ++i) {
    pipeline.submit(free_message(ring_key(1), root_of(i), replies.slot(i)));
  }
  barrier.open();
  replies.wait(26);
  EXPECT_EQ(pipeline.counters().batches_total, 4U);
}

TEST(Pipeline, ASignatureIsComputedDuringTheFlushButLeavesAfterIt) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  const auto log = std::make_shared<WatchedSigner::Log>();
  Replies replies;
  Pipeline pipeline(store, {}, std::make_unique<WatchedSigner>(log));
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  log->wait_for(1);
  std::this_thread::sleep_for(Milliseconds(50));
  EXPECT_EQ(replies.count(), 0U) << "a signature left before its record was durable";
  barrier.open();
  EXPECT_TRUE(replies.wait(1)[0]->has_value());
}

TEST(Pipeline, TwoConflictingVotesInOneBatchGiveOneSignature) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  const auto key = ring_key(3);
  pipeline.submit(vote(ring_key(4), 5, root_of(9), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  pipeline.submit(vote(key, 8, root_of(1), replies.slot(1)));
  pipeline.submit(vote(key, 8, root_of(2), replies.slot(2)));
  pipeline.submit(vote(key, 8, root_of(1), replies.slot(3)));
  barrier.open();
  const auto all = replies.wait(4);
  EXPECT_TRUE(all[1]->has_value());
  EXPECT_EQ(kind_of(all[2]), ErrorKind::slashable);
  EXPECT_TRUE(all[3]->has_value()) << "the identical root again is allowed";
  EXPECT_EQ(pipeline.counters().refused_total, 1U);
}

TEST(Pipeline, AJobOfASealedOrOverloadedSignerIsAnsweredAtTheDoor) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  PipelineOptions options;
  options.queue_limit = 3;
  Pipeline pipeline(store, options);
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  for (std::size_t i = 1; i < 5; ++i) {
    pipeline.submit(vote(ring_key(2), 5 + i, root_of(i), replies.slot(i)));
  }
  EXPECT_EQ(pipeline.counters().queued, 3U);
  const auto early = replies.wait(2);
  EXPECT_EQ(kind_of(early[3]), ErrorKind::overloaded);
  EXPECT_EQ(kind_of(early[4]), ErrorKind::overloaded);
  barrier.open();
  replies.wait(5);
  EXPECT_EQ(pipeline.counters().signed_total, 3U);
}

TEST(Pipeline, RefuseWithAnswersEverySubmitUntilItIsLifted) {
  MemorySlashingStore store;
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.refuse_with(Error{ErrorKind::slashing_store_mismatch, "a foreign store"});
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  EXPECT_EQ(kind_of(replies.wait(1)[0]), ErrorKind::slashing_store_mismatch);
  EXPECT_TRUE(store.state().validators.empty());
  pipeline.refuse_with(std::nullopt);
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(1)));
  EXPECT_TRUE(replies.wait(2)[1]->has_value());
}

TEST(Pipeline, RefuseWithAlsoAnswersWhatStillWaits) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  pipeline.submit(vote(ring_key(1), 6, root_of(2), replies.slot(1)));
  pipeline.refuse_with(Error{ErrorKind::slashing_store_mismatch, "a foreign store"});
  EXPECT_EQ(kind_of(replies.wait(1)[1]), ErrorKind::slashing_store_mismatch);
  barrier.open();
  replies.wait(2);
  EXPECT_FALSE(test::recorded(store, ring_key(1)->public_key, 6, root_of(2)));
}

class PipelineFault : public testing::TestWithParam<std::pair<StoreFault, ErrorKind>> {};

TEST_P(PipelineFault, ReleasesNothingAndTheNextBatchGoesOn) {
  MemorySlashingStore store;
  store.push_fault(GetParam().first);
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  EXPECT_EQ(kind_of(replies.wait(1)[0]), GetParam().second);
  EXPECT_EQ(pipeline.counters().signed_total, 0U);
  EXPECT_EQ(pipeline.counters().failed_total, 1U);
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(1)));
  EXPECT_TRUE(replies.wait(2)[1]->has_value()) << "the identical root may be signed again";
}

INSTANTIATE_TEST_SUITE_P(Each, PipelineFault,
                         testing::Values(std::pair(StoreFault::unavailable, ErrorKind::store_unavailable),
                                         std::pair(StoreFault::failed_commit, ErrorKind::store_unavailable),
                                         std::pair(StoreFault::doubt_lost, ErrorKind::store_in_doubt),
                                         std::pair(StoreFault::doubt_kept, ErrorKind::store_in_doubt),
                                         std::pair(StoreFault::throws, ErrorKind::store_in_doubt)));

TEST(Pipeline, AFaultFailsTheWholeBatchEvenWhatTheGuardRefused) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  store.push_fault(StoreFault::none);
  store.push_fault(StoreFault::doubt_lost);
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  pipeline.submit(vote(ring_key(2), 8, root_of(1), replies.slot(1)));
  pipeline.submit(vote(ring_key(2), 8, root_of(2), replies.slot(2)));
  barrier.open();
  const auto all = replies.wait(3);
  EXPECT_TRUE(all[0]->has_value());
  EXPECT_EQ(kind_of(all[1]), ErrorKind::store_in_doubt);
  EXPECT_EQ(kind_of(all[2]), ErrorKind::store_in_doubt) << "it was judged by a record that may not exist";
}

// A store that says yes without having done the work.
class LyingStore final : public guard::SlashingStore {
 public:
  explicit LyingStore(int runs) : runs_(runs) {}
  Result<void> transact(const std::function<Result<void>(guard::SlashingTransaction&)>& work) override {
    for (int i = 0; i < runs_; ++i) {
      if (const auto result = inner_.transact(work); !result && i == 0) {
        return result;
      }
    }
    return {};
  }
  Result<guard::StoreIdentity> identity() override { return inner_.identity(); }
  Result<guard::StoreIdentity> begin_run() override { return inner_.begin_run(); }
  Result<void> name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                            const Root& core) override {
    return inner_.name_chamber(chamber, epoch, core);
  }

 private:
  MemorySlashingStore inner_;
  int runs_;
};

TEST(Pipeline, AStoreThatDidNotRunTheWorkReleasesNothing) {
  LyingStore store(0);
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  EXPECT_EQ(kind_of(replies.wait(1)[0]), ErrorKind::internal);
}

TEST(Pipeline, AStoreThatRunsTheWorkTwiceAnswersEachJobOnce) {
  LyingStore store(2);
  Replies replies;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  pipeline.submit(vote(ring_key(1), 5, root_of(1), replies.slot(0)));
  replies.wait(1);
  std::this_thread::sleep_for(Milliseconds(20));
  EXPECT_EQ(replies.count(), 1U);
}

TEST(Pipeline, JobsOfOneRootAreSignedAsOneGroup) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  const auto log = std::make_shared<WatchedSigner::Log>();
  Replies replies;
  PipelineOptions options;
  options.workers = 1;
  Pipeline pipeline(store, options, std::make_unique<WatchedSigner>(log));
  pipeline.open_gate();
  pipeline.submit(free_message(ring_key(1), root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  for (std::size_t i = 1; i <= 24; ++i) {  // two messages, their jobs interleaved
    const auto key = ring_key(static_cast<std::uint32_t>(i));
    pipeline.submit(vote(key, 5, root_of(100 + i % 2), replies.slot(i)));
  }
  barrier.open();
  const auto all = replies.wait(25);
  for (std::size_t i = 1; i <= 24; ++i) {
    ASSERT_TRUE(all[i]->has_value());
    EXPECT_TRUE(crypto::verify(ring_key(static_cast<std::uint32_t>(i))->public_key, root_of(100 + i % 2), **all[i]));
  }
  // One worker, so each root is one group; no group mixes the two.
  EXPECT_EQ(log->groups, (std::vector<std::size_t>{12, 12}));
  EXPECT_EQ(log->singles, (std::vector<std::size_t>{1}));
}

TEST(Pipeline, JobsWhoseRootsDifferAreSignedTogetherAndEachGetsItsOwnSignature) {
  MemorySlashingStore store;
  Barrier barrier;
  store.before_commit = [&] { barrier.pass(); };
  const auto log = std::make_shared<WatchedSigner::Log>();
  Replies replies;
  PipelineOptions options;
  options.workers = 1;
  Pipeline pipeline(store, options, std::make_unique<WatchedSigner>(log));
  pipeline.open_gate();
  pipeline.submit(free_message(ring_key(1), root_of(1), replies.slot(0)));
  barrier.wait_for_arrivals(1);
  // Every tenth job is of one root that comes again, the rest have their own; every seventh is a second vote.
  const auto root = [](std::size_t i) { return root_of(i % 10 == 0 ? 7 : 100 + i); };
  for (std::size_t i = 1; i <= 40; ++i) {
    const std::size_t number = i % 7 == 0 ? i - 1 : i;
    pipeline.submit(vote(ring_key(static_cast<std::uint32_t>(number)), 5, root(i), replies.slot(i)));
  }
  barrier.open();
  const auto all = replies.wait(41);
  for (std::size_t i = 1; i <= 40; ++i) {
    if (i % 7 == 0) {
      EXPECT_EQ(kind_of(all[i]), ErrorKind::slashable) << i;
      continue;
    }
    ASSERT_TRUE(all[i]->has_value()) << i;
    EXPECT_TRUE(crypto::verify(ring_key(static_cast<std::uint32_t>(i))->public_key, root(i), **all[i])) << i;
  }
  EXPECT_EQ(log->signatures, 36U);
  EXPECT_GE(*std::ranges::max_element(log->singles), 16U);
}

TEST(HashedGroupSigner, SignsLikeThePlainPathAndForgetsOldRoots) {
  HashedGroupSigner signer(1);
  const auto one = ring_key(1);
  const auto two = ring_key(2);
  for (std::uint64_t round = 0; round < 3; ++round) {
    for (std::uint64_t message = 0; message < 3; ++message) {
      const std::array<const keys::RingKey*, 2> keys{one.get(), two.get()};
      std::array<BlsSignature, 2> signatures{};
      signer.sign(root_of(message), keys, signatures);
      EXPECT_EQ(signatures[0], one->secret.sign(root_of(message)));
      EXPECT_EQ(signatures[1], two->secret.sign(root_of(message)));
    }
  }
}

}  // namespace
}  // namespace cc::signing
