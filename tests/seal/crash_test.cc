// Every ceremony, with every fault at every external call in turn. Afterwards: a named state, what
// was announced holds, the old or the new state opens, nothing is lost.
#include <gtest/gtest-spi.h>

#include <algorithm>
#include <iostream>

#include "seal/chamber_fixture.h"
#include "seal/phases.h"

namespace cc::seal {
namespace {

using test::StepFault;

std::string fault_name(StepFault fault) { return test::kFaultNames.at(static_cast<std::size_t>(fault)); }

// Brings the chamber to signing from wherever it stands, as people would; which passphrase sets exist is known to
// `world`.
void drive_to_open(World& world, const InitRequest& request) {
  auto chamber = world.start_and_step();
  for (int turn = 0; turn < 6; ++turn) {
    switch (chamber->status().state) {
      case VisibleState::uninitialized:
        ASSERT_TRUE(init(world, *chamber, request));
        break;
      case VisibleState::awaiting_registration: {
        // The coordinator may have lost the tokens with the reply: then init-reset is the way out.
        bool stuck = world.tokens.empty();
        for (const std::string& name : request.operators) {
          const bool waits =
              chamber->status().state == VisibleState::awaiting_registration && chamber->credential_ids(name)->empty();
          stuck = stuck || (waits && !enroll(world, *chamber, name));
        }
        if (stuck) {
          ASSERT_TRUE(chamber->init_reset(secret(*chamber->setup_token())));
        }
        break;
      }
      case VisibleState::sealed:
        ASSERT_TRUE(chamber->resume());
        ASSERT_TRUE(chamber->run_kms_step());
        break;
      case VisibleState::kms_unsealed:
        for (unsigned i = 0; i < request.unseal_threshold; ++i) {
          const auto reply = chamber->unseal(request.operators[i], passphrase_of(request.operators[i]), "s");
          ASSERT_TRUE(reply) << reply.error().message;
        }
        break;
      case VisibleState::unsealed:
        EXPECT_TRUE(world.listener.loaded);
        return;
      case VisibleState::awaiting_rotation:
        FAIL() << "no rotation was asked for";
    }
  }
  FAIL() << "stuck in " << name(chamber->status().state) << " "
         << (chamber->status().trouble ? chamber->status().trouble->message : "");
}

struct Ceremony {
  const char* name;
  InitRequest request;
  // Prepares the world and returns the running chamber; then `run` is the ceremony under fire.
  std::function<std::unique_ptr<Chamber>(World&)> prepare;
  std::function<Result<void>(World&, Chamber&)> run;
};

template <class T>
Result<void> outcome(const Result<T>& result) {
  return result ? Result<void>() : Result<void>(fail(result.error()));
}

std::vector<Ceremony> ceremonies() {
  const InitRequest automatic = kms_only(2, 3);
  const InitRequest people = with_operators(2, {"alice", "bob"});
  const auto fresh = [](World& world) { return world.start(); };
  const auto run_init = [](const InitRequest& request) {
    return [request](World& world, Chamber& chamber) { return outcome(init(world, chamber, request)); };
  };
  const auto registering = [people](const std::vector<std::string>& before) {
    return [people, before](World& world) {
      auto chamber = world.start();
      EXPECT_TRUE(init(world, *chamber, people));
      for (const std::string& name : before) {
        EXPECT_TRUE(enroll(world, *chamber, name));
      }
      return chamber;
    };
  };
  const auto run_register = [](const std::string& name) {
    return [name](World& world, Chamber& chamber) { return outcome(enroll(world, chamber, name)); };
  };
  const auto unseal_all = [people](World&, Chamber& chamber) -> Result<void> {
    CC_TRY(chamber.run_kms_step());
    for (const std::string& name : people.operators) {
      CC_TRY(outcome(chamber.unseal(name, passphrase_of(name), "s")));
    }
    return {};
  };
  const auto opened = [automatic](World& world) {
    auto chamber = world.start();
    EXPECT_TRUE(init(world, *chamber, automatic));
    return chamber;
  };
  return {
      {"init kms_only", automatic, fresh, run_init(automatic)},
      {"init operators", people, fresh, run_init(people)},
      {"register first", people, registering({}), run_register("alice")},
      {"register last", people, registering({"alice"}), run_register("bob")},
      {"kms step and unseal", people,
       [people](World& world) {
         ready_to_unseal(world, people);
         return world.start();
       },
       unseal_all},
      {"restart of kms_only", automatic,
       [automatic](World& world) {
         EXPECT_TRUE(init(world, *world.start(), automatic));
         return world.start();
       },
       [](World&, Chamber& chamber) { return chamber.run_kms_step(); }},
      {"seal with hold for all", automatic, opened,
       [](World&, Chamber& chamber) { return chamber.seal("test", true, true); }},
      {"resume", automatic,
       [opened](World& world) {
         auto chamber = opened(world);
         EXPECT_TRUE(chamber->seal("test", true));
         return chamber;
       },
       [](World&, Chamber& chamber) { return chamber.resume(); }},
      {"init-reset", people, registering({"alice"}),
       [](World&, Chamber& chamber) { return chamber.init_reset(secret(*chamber.setup_token())); }},
  };
}

std::optional<ChamberId> chamber_of(World& world) {
  if (!world.store.documents.contains(kSealRecordDocument)) {
    return std::nullopt;
  }
  const StoredRecord stored = decode(world.store.record().content).value();
  const auto* record = std::get_if<SealRecord>(&stored);
  return record == nullptr ? std::nullopt : std::optional(record->core.chamber);
}

// One run with one fault. Returns whether the fault was reached; `applied`: whether it meant something there.
bool run_with_fault(const Ceremony& ceremony, std::uint64_t at, StepFault fault, bool& applied) {
  SCOPED_TRACE(std::string(ceremony.name) + ", step " + std::to_string(at) + " " + fault_name(fault));
  World world;
  auto chamber = ceremony.prepare(world);
  const auto key_before = world.listener.master ? std::optional(world.listener.master->current) : std::nullopt;
  world.steps.plant(at, fault);
  world.steps.all_calls = true;
  bool crashed = false;
  Result<void> reply;
  try {
    reply = ceremony.run(world, *chamber);
  } catch (const test::Crash&) {
    crashed = true;
  }
  const bool reached = world.steps.taken > at;
  applied = world.steps.applied;
  world.steps.clear();
  world.steps.all_calls = false;
  if (!crashed) {
    // The same process goes on: its state has a name, and what it says is what a fresh start on the same store says.
    (void)chamber->poll();
    EXPECT_EQ(chamber->may_sign(), signs(chamber->status().state)) << "signing follows the visible state";
    if (!reply) {
      EXPECT_FALSE(reply.error().message.empty());
      EXPECT_NE(reply.error().kind, ErrorKind::internal) << reply.error().message;
      EXPECT_TRUE(fault == StepFault::corrupted || reply.error().kind != ErrorKind::kms_mismatch)
          << "no other fault is a wrong key";
    }
  }
  chamber.reset();
  const auto announced = !crashed && reply ? chamber_of(world) : std::nullopt;
  drive_to_open(world, ceremony.request);
  if (key_before && world.listener.master) {
    EXPECT_EQ(world.listener.master->current, *key_before) << "a chamber that held keys keeps its master key";
  }
  if (announced) {
    EXPECT_EQ(chamber_of(world), announced) << "what was announced is what opens";
  }
  return reached;
}

TEST(CrashEnumeration, EveryCeremonySurvivesEveryFaultAtEveryStep) {
  std::uint64_t runs = 0;
  for (const Ceremony& ceremony : ceremonies()) {
    std::uint64_t steps = 0;
    for (std::uint64_t at = 0;; ++at) {
      bool reached = false;
      for (const StepFault fault : test::kAllFaults) {
        bool applied = false;
        if (!run_with_fault(ceremony, at, fault, applied)) {
          break;
        }
        reached = true;
        runs += applied ? 1 : 0;
        if (testing::Test::HasFailure()) {
          return;
        }
      }
      if (!reached) {
        break;
      }
      ++steps;
    }
    EXPECT_GE(steps, 1U) << ceremony.name << " has no step at all: the enumeration saw nothing";
    std::cout << "  " << ceremony.name << ": " << steps << " calls\n";
  }
  std::cout << "  " << runs << " runs (calls × faults)\n";
  EXPECT_GE(runs, 350U);
}

// A crash in the ceremony, and one more on the way to signing again. False when the ceremony has no such call.
bool run_with_two_crashes(const Ceremony& ceremony, std::uint64_t at, std::uint64_t second, bool& second_reached) {
  SCOPED_TRACE(std::string(ceremony.name) + ", crash at " + std::to_string(at) + ", again at " +
               std::to_string(second));
  World world;
  auto chamber = ceremony.prepare(world);
  const auto key_before = world.listener.master ? std::optional(world.listener.master->current) : std::nullopt;
  world.steps.plant(at, StepFault::crash_after);
  world.steps.all_calls = true;
  try {
    (void)ceremony.run(world, *chamber);
  } catch (const test::Crash&) {  // NOLINT(bugprone-empty-catch)
  }
  const bool reached = world.steps.taken > at;
  chamber.reset();
  world.steps.clear();
  if (!reached) {
    return false;
  }
  world.steps.plant(second, StepFault::crash_after);
  try {
    drive_to_open(world, ceremony.request);
  } catch (const test::Crash&) {  // NOLINT(bugprone-empty-catch)
  }
  second_reached = world.steps.taken > second;
  world.steps.clear();
  world.steps.all_calls = false;
  drive_to_open(world, ceremony.request);
  if (key_before && world.listener.master) {
    EXPECT_EQ(world.listener.master->current, *key_before) << "a chamber that held keys keeps its master key";
  }
  return true;
}

TEST(CrashEnumeration, TwoCrashesInARowToo) {
  std::uint64_t runs = 0;
  for (const Ceremony& ceremony : ceremonies()) {
    bool reached = true;
    for (std::uint64_t at = 0; reached; ++at) {
      bool second_reached = true;
      for (std::uint64_t second = 0; reached && second_reached; ++second) {
        second_reached = false;
        reached = run_with_two_crashes(ceremony, at, second, second_reached);
        runs += second_reached ? 1 : 0;
        if (testing::Test::HasFailure()) {
          return;
        }
      }
    }
  }
  std::cout << "  " << runs << " runs with two crashes\n";
  EXPECT_GE(runs, 600U);
}

// How many expectations of the enumeration fail when this is the ceremony, without any other fault.
int failures_of(const Ceremony& planted) {
  testing::TestPartResultArray found;
  const testing::ScopedFakeTestPartResultReporter watching(
      testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &found);
  bool applied = false;
  constexpr std::uint64_t kNever = 1'000'000;
  run_with_fault(planted, kNever, StepFault::crash_after, applied);
  return found.size();
}

// The enumeration itself must be able to find a loss.
TEST(CrashEnumeration, FindsAPlantedLossAndAPlantedSecondMasterKey) {
  const auto all = ceremonies();
  EXPECT_EQ(failures_of(all.front()), 0);

  Ceremony forgets = all.front();
  forgets.run = [](World& world, Chamber& chamber) {
    const Result<void> reply = outcome(init(world, chamber, kms_only(2, 3)));
    world.store.documents.clear();
    return reply;
  };
  EXPECT_GT(failures_of(forgets), 0) << "a record that was announced and is gone";

  // A seal that in truth makes a new chamber in the place of the old one.
  Ceremony replaces = *std::ranges::find(all, std::string_view("seal with hold for all"),
                                         [](const Ceremony& one) { return std::string_view(one.name); });
  replaces.run = [](World& world, Chamber& /*sealed*/) {
    world.store.documents.clear();
    world.traces.kept = {};
    return outcome(init(world, *world.start(), kms_only(2, 3)));
  };
  EXPECT_GT(failures_of(replaces), 0) << "keys that no master key opens any more";
}

// A store that forgets an announced record is found by the chamber, too.
TEST(CrashEnumeration, ALostRecordIsMissing) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  world.store.documents.clear();
  EXPECT_EQ(world.start()->status().trouble->kind, ErrorKind::record_missing);
}

TEST(StoreInDoubt, IsReadBackBeforeAnythingIsSaid) {
  World happened;
  const auto first = happened.start();
  happened.steps.plant(7 + 2, StepFault::lost_reply);  // 3 prepares, 3 wraps with 3 unwraps, then the write
  const auto reply = init(happened, *first, kms_only());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->state, VisibleState::unsealed);
  World not_happened("2");
  const auto second = not_happened.start();
  not_happened.steps.plant(7 + 2, StepFault::lost_write);
  EXPECT_EQ(code(init(not_happened, *second, kms_only())), "store_unavailable");
  EXPECT_EQ(second->status().state, VisibleState::uninitialized);
  EXPECT_TRUE(not_happened.store.documents.empty());
}

TEST(StoreInDoubt, StaysInDoubtWhenTheStoreCannotBeRead) {
  World world;
  const auto chamber = world.start();
  world.steps.plant(9, StepFault::lost_reply);
  world.store.before_write = [&] { world.store.unreadable = true; };
  EXPECT_EQ(code(init(world, *chamber, kms_only())), "store_in_doubt");
  world.store.unreadable = false;
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed) << "it had happened, and nothing is lost";
}

}  // namespace
}  // namespace cc::seal
