// No double signature, whatever the threads and the store do.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "signing/pipeline_fixture.h"

namespace cc::signing {
namespace {

using test::MemorySlashingStore;
using test::Reply;
using test::ring_key;
using test::root_of;
using test::StoreFault;
using test::vote;

TEST(Race, OneKeyAndManyConflictingRootsGiveExactlyOneSignature) {
  MemorySlashingStore store;
  Pipeline pipeline(store, {});
  pipeline.open_gate();
  const auto key = ring_key(1);
  for (std::uint64_t target = 1; target <= 20; ++target) {
    std::atomic<int> signatures{0}, slashable{0}, others{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 16; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 4; ++i) {
          pipeline.submit(vote(key, target, root_of(1000 * t + i), [&](Reply reply) {
            if (reply) {
              ++signatures;
            } else {
              ++(reply.error().kind == ErrorKind::slashable ? slashable : others);
            }
          }));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    while (signatures + slashable + others < 64) {
      std::this_thread::yield();
    }
    ASSERT_EQ(signatures, 1) << "target " << target;
    ASSERT_EQ(slashable, 63);
  }
}

// What left the pipeline, by key and target.
struct Released {
  std::mutex mutex;
  std::map<std::pair<std::size_t, std::uint64_t>, std::set<Root>> roots;
  std::atomic<std::uint64_t> answered{0};
};

StoreFault random_fault(std::mt19937_64& random) {
  switch (random() % 12) {
    case 0:
      return StoreFault::unavailable;
    case 1:
      return StoreFault::failed_commit;
    case 2:
      return StoreFault::doubt_lost;
    case 3:
      return StoreFault::doubt_kept;
    case 4:
      return StoreFault::throws;
    default:
      return StoreFault::none;
  }
}

TEST(Race, UnderInjectedFaultsEverySignatureIsRecordedAndNoneConflict) {
  constexpr std::size_t kKeys = 4;
  constexpr std::uint64_t kJobsPerThread = 400;
  MemorySlashingStore store;
  Released released;
  std::mt19937_64 seed(20260101);
  for (int i = 0; i < 2000; ++i) {
    store.push_fault(random_fault(seed));
  }
  std::vector<std::shared_ptr<const keys::RingKey>> keys;
  for (std::uint32_t i = 1; i <= kKeys; ++i) {
    keys.push_back(ring_key(i));
  }
  {
    Pipeline pipeline(store, {});
    pipeline.open_gate();
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937_64 random(t);
        for (std::uint64_t i = 0; i < kJobsPerThread; ++i) {
          const std::size_t which = random() % kKeys;
          const std::uint64_t target = 1 + i / 8;
          const Root root = root_of(random() % 3);
          pipeline.submit(vote(keys[which], target, root, [&released, which, target, root](const Reply& reply) {
            if (reply) {
              const std::lock_guard lock(released.mutex);
              released.roots[{which, target}].insert(root);
            }
            ++released.answered;
          }));
          if (i % 100 == 50) {
            pipeline.close_gate(Milliseconds(1));
            pipeline.open_gate();
          }
          if (i % 5 == 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  EXPECT_EQ(released.answered, 4 * kJobsPerThread);
  EXPECT_GT(released.roots.size(), 20U) << "too few signatures to mean anything";
  for (const auto& [place, roots] : released.roots) {
    EXPECT_EQ(roots.size(), 1U) << "key " << place.first << " target " << place.second;
    for (const Root& root : roots) {
      EXPECT_TRUE(test::recorded(store, keys[place.first]->public_key, place.second, root));
    }
  }
}

}  // namespace
}  // namespace cc::signing
