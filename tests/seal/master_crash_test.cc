// rotate master with every fault at every call of chamber and key room, and with two crashes in a row. Afterwards every
// key record is there and opens, the set in force opens, no share was spent, and the ceremony goes to its end.
#include <gtest/gtest-spi.h>

#include <iostream>

#include "base/log.h"
#include "seal/master_world.h"
#include "seal/record_keys.h"

namespace cc::seal {
namespace {

using test::StepFault;

struct Count {
  std::uint64_t points = 0, runs = 0, double_crashes = 0;
};

std::set<BlsPublicKey> names_of(const MasterWorld& w) {
  std::set<BlsPublicKey> out;
  for (const auto& [key, stored] : w.store.records) {
    out.insert(key);
  }
  return out;
}

struct Trial {
  MasterWorld w;
  SealRecord before;
  std::set<BlsPublicKey> keys;
  bool crashed = false;
  bool applied = false;

  Trial(const MasterWorld& from, const std::string& seed) : w(seed) {
    w.copy_stored(from);
    const auto opened = w.open();
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    before = w.world.record();
    keys = names_of(w);
    w.world.steps.clear();
    w.world.steps.all_calls = true;
  }

  // Whatever happened: nobody's share and no key record is lost, and the epoch tells how far it is.
  void expect_nothing_lost() {
    const SealRecord now = w.world.record();
    EXPECT_EQ(now.core.locks, before.core.locks);
    EXPECT_EQ(now.members, before.members);
    EXPECT_EQ(now.hints, before.hints);
    EXPECT_EQ(names_of(w), keys);
    const std::uint64_t steps = now.core.epoch - before.core.epoch;
    ASSERT_LE(steps, 2U);
    EXPECT_EQ(now.core.retiring.has_value(), steps == 1);
    EXPECT_EQ(now.core.master_key == before.core.master_key, steps == 0);
    for (const MasterKeyId& used : w.used()) {
      EXPECT_TRUE(used == now.core.master_key || used == now.core.retiring) << "a record under a key that is gone";
    }
  }

  // True while the fault's step is still within the ceremony.
  bool under_fire(std::uint64_t at, StepFault fault) {
    w.world.steps.plant(at, fault);
    const unsigned closings = w.world.listener.closings;
    Result<void> outcome;
    try {
      outcome = w.rotate();
    } catch (const test::Crash&) {
      crashed = true;
    }
    const bool reached = w.world.steps.taken > at;
    applied = w.world.steps.applied;
    w.world.steps.clear();
    expect_nothing_lost();
    if (!crashed) {
      EXPECT_EQ(w.world.listener.closings, closings) << "signing never stops";
      EXPECT_TRUE(w.chamber->may_sign());
      EXPECT_EQ(w.ring.size() + 1, keys.size());
      if (!outcome) {
        EXPECT_NE(outcome.error().kind, ErrorKind::internal) << outcome.error().message;
        EXPECT_FALSE(outcome.error().message.empty());
      }
    }
    return reached;
  }

  // To the end from here; the ceremony begins anew only when the record says that it never began.
  void finish() {
    for (int turn = 0; turn < 4; ++turn) {
      EXPECT_TRUE(w.chamber->run_kms_step());
      const auto done =
          w.world.record().core.epoch == before.core.epoch && !w.world.record().core.staged ? w.rotate() : w.go_on();
      EXPECT_TRUE(done) << (done ? "" : done.error().message);
      if (w.world.record().core.epoch == before.core.epoch + 2) {
        break;
      }
    }
    expect_nothing_lost();
    EXPECT_EQ(w.world.record().core.epoch, before.core.epoch + 2) << "it cannot be brought to its end";
    EXPECT_EQ(w.used(), std::set<MasterKeyId>{w.world.record().core.master_key});
    const auto opened = w.open();
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    EXPECT_EQ(w.world.listener.master->keys.size(), 1U);
    for (const BlsPublicKey& name : w.ring.public_keys()) {
      EXPECT_EQ(w.ring.find(name)->secret.public_key(), name) << "the key is the one that it was";
    }
    EXPECT_EQ(w.ring.size() + 1, keys.size());
  }
};

std::string label(bool operators, std::uint64_t at, StepFault fault) {
  return std::string(operators ? "unseal" : "kms_only") + ", call " + std::to_string(at) + ", " +
         test::kFaultNames.at(static_cast<std::size_t>(fault));
}

void enumerate(bool operators, std::size_t keys, Count& count) {
  MasterWorld stored("stored");
  prepare(stored, operators, keys);
  for (std::uint64_t at = 0;; ++at) {
    bool reached = false;
    for (const StepFault fault : test::kAllFaults) {
      SCOPED_TRACE(label(operators, at, fault));
      Trial run(stored, label(operators, at, fault));
      reached = run.under_fire(at, fault);
      if (!reached) {
        break;
      }
      if (!run.applied) {
        continue;
      }
      ++count.runs;
      if (run.crashed) {
        EXPECT_TRUE(run.w.open());
      }
      run.finish();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
    if (!reached) {
      return;
    }
    ++count.points;
  }
}

void enumerate_twice(bool operators, std::size_t keys, Count& count) {
  MasterWorld stored("stored");
  prepare(stored, operators, keys);
  for (std::uint64_t at = 0;; ++at) {
    bool second_reached = true;
    for (std::uint64_t second = 0; second_reached; ++second) {
      SCOPED_TRACE(label(operators, at, StepFault::crash_after) + ", again at call " + std::to_string(second));
      Trial run(stored, label(operators, at, StepFault::crash_after) + std::to_string(second));
      if (!run.under_fire(at, StepFault::crash_after)) {
        return;
      }
      run.w.stop();
      run.w.world.steps.plant(second, StepFault::crash_after);
      try {
        EXPECT_TRUE(run.w.open());
        EXPECT_TRUE(run.w.go_on());
      } catch (const test::Crash&) {
        run.w.stop();
      }
      second_reached = run.w.world.steps.taken > second;
      run.w.world.steps.clear();
      ++count.double_crashes;
      run.expect_nothing_lost();
      EXPECT_TRUE(run.w.open());
      run.finish();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
  }
}

struct MasterCrashes : testing::Test {
  void SetUp() override { log::configure(log::Level::error, log::Format::text); }
};

TEST_F(MasterCrashes, EveryFaultAtEveryCallLosesNoKey) {
  Count count;
  for (const bool operators : {false, true}) {
    enumerate(operators, 2, count);
    if (HasFailure()) {
      return;
    }
  }
  std::cout << "  " << count.points << " calls, " << count.runs << " runs (calls × faults)\n";
  EXPECT_GE(count.points, 30U);
  EXPECT_GE(count.runs, 250U);
}

TEST_F(MasterCrashes, TwoCrashesInARowToo) {
  Count count;
  for (const bool operators : {false, true}) {
    enumerate_twice(operators, 2, count);
    if (HasFailure()) {
      return;
    }
  }
  std::cout << "  " << count.double_crashes << " runs with two crashes\n";
  EXPECT_GE(count.double_crashes, 300U);
}

// The enumeration must be able to find a key that was lost.
TEST_F(MasterCrashes, WouldNoticeAKeyThatWasLeftBehind) {
  static std::unique_ptr<Trial> run;
  MasterWorld stored("stored");
  prepare(stored, false, 2);
  run = std::make_unique<Trial>(stored, "planted");
  const auto left_behind = *run->w.store.records.begin();
  ASSERT_TRUE(run->w.rotate());
  run->w.store.records[left_behind.first] = left_behind.second;
  EXPECT_NONFATAL_FAILURE(run->expect_nothing_lost(), "under a key that is gone");
  EXPECT_FALSE(run->w.open());
  run.reset();
}

}  // namespace
}  // namespace cc::seal
