// Every ceremony that changes a chamber in use, with every fault at every external call in turn, and with a second
// crash at every call of the recovery. Afterwards: the state has a name, the set in force opens, the master key is the
// old one, no share was spent, the announced change happened or nothing did, and signing never stopped.
#include <algorithm>
#include <iostream>

#include <gtest/gtest-spi.h>

#include "seal/chamber_fixture.h"
#include "seal/record_keys.h"

namespace cc::seal {
namespace {

using test::StepFault;

const std::string kSource = "s";
const std::vector<std::string> kOld{"alice", "bob"};
const std::vector<std::string> kNew{"dave", "eve"};
// One stays, one is new.
const KmsSetRequest kKeptAndNew{{"local://kek-2", "local://new-2"}, 2};
const KmsSetRequest kNewKeks{{"local://new-1", "local://new-2"}, 2};

template <class T>
Result<void> outcome(const Result<T>& result) {
  return result ? Result<void>() : Result<void>(fail(result.error()));
}

std::vector<std::string> in_force(const SealRecord& record) {
  return record.core.operators() == nullptr ? std::vector<std::string>{} : record.core.operators()->header.members;
}

// A process that starts and is unsealed by whoever is in force.
std::unique_ptr<Chamber> open_by_the_set_in_force(World& world) {
  auto chamber = world.start();
  const auto stepped = chamber->run_kms_step();
  EXPECT_TRUE(stepped) << (stepped ? "" : stepped.error().message);
  for (const std::string& name : in_force(world.record())) {
    if (chamber->status().state == VisibleState::kms_unsealed) {
      const auto reply = chamber->unseal(name, passphrase_of(name), kSource);
      EXPECT_TRUE(reply) << name << ": " << (reply ? "" : reply.error().message);
    }
  }
  EXPECT_TRUE(signs(chamber->status().state)) << name(chamber->status().state);
  return chamber;
}

void keep_tokens(World& world, const Result<RotationReply>& reply) {
  if (!reply) {
    return;
  }
  for (const auto& [name, token] : reply->operator_tokens) {
    const auto text = expose_secret_bytes(token);
    world.tokens[name] = std::string(text.begin(), text.end());
  }
}
Result<void> stage_operators(World& world, Chamber& chamber) {
  world.tokens.clear();
  const auto reply =
      in_force(world.record()).empty() ? chamber.rotate_to_unseal({2, kNew}) : chamber.rotate_unseal({2, kNew});
  keep_tokens(world, reply);
  return outcome(reply);
}
Result<void> approve(World&, Chamber& chamber, const std::string& name) {
  const auto rotation = chamber.status().rotation;
  return outcome(chamber.approve(name, passphrase_of(name), rotation ? rotation->rotation : "", kSource));
}
NamedCredential named(const std::string& name, const std::string& id) { return {id, passphrase_of(name)}; }

struct Case {
  const char* name;
  bool operators;  // old set in force, else kms_only
  RotationApproval approval = RotationApproval::token;
  std::function<void(World&, Chamber&)> before = {};       // stored steps before the ceremony
  std::function<void(World&, Chamber&)> warm = {};         // steps that only the running process remembers
  std::function<Result<void>(World&, Chamber&)> run = {};  // under fire
  std::function<bool(const SealRecord&)> happened = {};    // the announced change is in the stored record
  bool touches_alice = false;                              // the one entry in force that may change
  bool may_replace_kms = false, may_replace_operators = false;
  bool finish_by_run = false;  // running it again is the way to its end
};

bool staged(const SealRecord& record) { return record.core.staged.has_value(); }
std::function<bool(const SealRecord&)> is_in_force(const std::vector<std::string>& names) {
  return [names](const SealRecord& record) { return !staged(record) && in_force(record) == names; };
}
bool has_kept_and_new(const SealRecord& record) { return record.core.kms().header.members == kKeptAndNew.keks; }
bool has_new_keks(const SealRecord& record) { return record.core.kms().header.members == kNewKeks.keks; }
std::size_t credentials_of_alice(const SealRecord& record) {
  return record.active_members()->entries[0].credentials.size();
}

std::vector<Case> kms_cases() {
  const auto rotate = [](World&, Chamber& chamber) { return outcome(chamber.rotate_kms(kNewKeks)); };
  return {
      {.name = "rotate kms", .operators = true, .run = rotate, .happened = has_new_keks, .may_replace_kms = true},
      {.name = "rotate kms of kms_only",
       .operators = false,
       .run = rotate,
       .happened = has_new_keks,
       .may_replace_kms = true},
      {.name = "rotate kms, one KEK stays",
       .operators = true,
       .run = [](World&, Chamber& chamber) { return outcome(chamber.rotate_kms(kKeptAndNew)); },
       .happened = has_kept_and_new,
       .may_replace_kms = true},
      {.name = "rotate kms, to be approved",
       .operators = true,
       .approval = RotationApproval::quorum,
       .run = rotate,
       .happened = staged,
       .may_replace_kms = true},
      {.name = "last approval of rotate kms",
       .operators = true,
       .approval = RotationApproval::quorum,
       .before = [](World&, Chamber& chamber) { ASSERT_TRUE(chamber.rotate_kms(kNewKeks)); },
       .warm = [](World& world, Chamber& chamber) { ASSERT_TRUE(approve(world, chamber, "alice")); },
       .run = [](World& world, Chamber& chamber) { return approve(world, chamber, "bob"); },
       .happened = has_new_keks,
       .may_replace_kms = true},
  };
}

std::vector<Case> operator_cases() {
  const auto stage = [](World& world, Chamber& chamber) { ASSERT_TRUE(stage_operators(world, chamber)); };
  const auto stage_and_first = [stage](World& world, Chamber& chamber) {
    stage(world, chamber);
    ASSERT_TRUE(enroll(world, chamber, "dave"));
  };
  const auto to_kms_only = [](World&, Chamber& chamber) { return outcome(chamber.rotate_to_kms_only()); };
  const auto enroll_one = [](const std::string& name) {
    return [name](World& world, Chamber& chamber) { return outcome(enroll(world, chamber, name)); };
  };
  const auto first_taken = [](const SealRecord& record) {
    return staged(record) && waiting_shares(*record.members_of(OperatorSet::staged)) == 1;
  };
  const auto cancelled = [](const SealRecord& record) { return !staged(record) && in_force(record) == kOld; };
  return {
      {.name = "rotate unseal", .operators = true, .run = stage_operators, .happened = staged},
      {.name = "rotate unseal: first registration",
       .operators = true,
       .before = stage,
       .run = enroll_one("dave"),
       .happened = first_taken},
      {.name = "rotate unseal: last registration",
       .operators = true,
       .before = stage_and_first,
       .run = enroll_one("eve"),
       .happened = is_in_force(kNew),
       .may_replace_operators = true},
      {.name = "unseal-cancel",
       .operators = true,
       .before = stage_and_first,
       .run = [](World&, Chamber& chamber) { return chamber.rotate_cancel(); },
       .happened = cancelled,
       .finish_by_run = true},
      {.name = "rotate mode unseal", .operators = false, .run = stage_operators, .happened = staged},
      {.name = "rotate mode unseal: last registration",
       .operators = false,
       .before = stage_and_first,
       .run = enroll_one("eve"),
       .happened = is_in_force(kNew),
       .may_replace_operators = true},
      {.name = "rotate mode kms_only", .operators = true, .run = to_kms_only, .happened = staged},
      {.name = "last approval of rotate mode kms_only",
       .operators = true,
       .before = [to_kms_only](World& world, Chamber& chamber) { ASSERT_TRUE(to_kms_only(world, chamber)); },
       .warm = [](World& world, Chamber& chamber) { ASSERT_TRUE(approve(world, chamber, "bob")); },
       .run = [](World& world, Chamber& chamber) { return approve(world, chamber, "alice"); },
       .happened = is_in_force({}),
       .may_replace_operators = true},
  };
}

std::vector<Case> credential_cases() {
  const auto two = [](World&, Chamber& chamber) {
    ASSERT_TRUE(chamber.add_credential("alice", named("alice", "default"), named("alice", "second"), kSource));
  };
  return {
      {.name = "credentials add",
       .operators = true,
       .run =
           [](World&, Chamber& chamber) {
             return chamber.add_credential("alice", named("alice", "default"), named("alice", "second"), kSource);
           },
       .happened = [](const SealRecord& record) { return credentials_of_alice(record) == 2; },
       .touches_alice = true},
      {.name = "credentials remove",
       .operators = true,
       .before = two,
       .run =
           [](World&, Chamber& chamber) {
             return chamber.remove_credential("alice", named("alice", "default"), "second", kSource);
           },
       .happened = [](const SealRecord& record) { return credentials_of_alice(record) == 1; },
       .touches_alice = true},
      {.name = "drill",
       .operators = true,
       .run = [](World&, Chamber& chamber) { return outcome(chamber.drill("alice", passphrase_of("alice"), kSource)); },
       .happened = [](const SealRecord& record) { return record.active_members()->entries[0].drilled.has_value(); },
       .touches_alice = true},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> out = kms_cases();
  for (auto more : {operator_cases(), credential_cases()}) {
    std::ranges::move(more, std::back_inserter(out));
  }
  return out;
}

void prepare(World& world, const Case& c) {
  world.approval = c.approval;
  const InitRequest request = c.operators ? with_operators(2, kOld) : kms_only();
  if (c.operators) {
    ready_to_unseal(world, request);
  } else {
    ASSERT_TRUE(init(world, *world.start(), request));
  }
  // Opened once, so that the slashing store knows the chamber.
  const auto chamber = open_by_the_set_in_force(world);
  if (c.before) {
    c.before(world, *chamber);
  }
}

// The change that was announced, whole, or nothing; and nothing else.
void expect_nothing_else(const Case& c, const SealRecord& before, const SealRecord& now) {
  EXPECT_EQ(now.core.chamber, before.core.chamber);
  EXPECT_EQ(now.core.master_key, before.core.master_key) << "no key record needs another key";
  EXPECT_EQ(now.core.kcv, before.core.kcv);
  EXPECT_EQ(now.hints, before.hints);
  const bool same_kms = now.core.kms() == before.core.kms();
  const bool same_operators = in_force(now) == in_force(before) &&
                              (now.core.operators() == nullptr || *now.core.operators() == *before.core.operators());
  if (now.core.epoch == before.core.epoch) {
    EXPECT_EQ(epoch_digest(now.core), epoch_digest(before.core));
  } else {
    EXPECT_EQ(now.core.epoch, before.core.epoch + 1);
    EXPECT_EQ(now.core.parent, epoch_digest(before.core));
    EXPECT_FALSE(staged(now));
  }
  EXPECT_TRUE(same_kms || c.may_replace_kms);
  EXPECT_TRUE(same_operators || c.may_replace_operators);
  if (same_operators && now.active_members() != nullptr) {
    for (std::size_t i = 0; i < kOld.size(); ++i) {
      EXPECT_TRUE(now.active_members()->entries[i] == before.active_members()->entries[i] ||
                  (i == 0 && c.touches_alice))
          << "a share in force was touched";
    }
  }
}

// Goes on from wherever the chamber stands, to show that neither a share nor a token was spent.
void finish(World& world, Chamber& chamber, const Case& c) {
  for (int turn = 0; turn < 8 && !c.happened(world.record()); ++turn) {
    const auto rotation = chamber.status().rotation;
    if (!rotation || c.finish_by_run) {
      if (!c.finish_by_run && c.before && !c.touches_alice) {
        c.before(world, chamber);
      } else {
        const auto run = c.run(world, chamber);
        ASSERT_TRUE(run) << run.error().message;
      }
    } else if (rotation->approvals_required > 0) {
      for (const std::string& name : kOld) {
        if (chamber.status().rotation) {
          (void)approve(world, chamber, name);
        }
      }
    } else {
      for (const std::string& name : rotation->waiting_for) {
        if (world.tokens.contains(name)) {
          const auto taken = enroll(world, chamber, name);
          ASSERT_TRUE(taken) << name << ": " << taken.error().message;
        } else {
          ASSERT_TRUE(chamber.rotate_cancel());  // the tokens were lost with the reply
          break;
        }
        if (c.happened(world.record())) {
          break;
        }
      }
    }
  }
  EXPECT_TRUE(c.happened(world.record())) << "the ceremony cannot be brought to its end";
  EXPECT_TRUE(chamber.may_sign());
}

struct Count {
  std::uint64_t points = 0, runs = 0, double_crashes = 0;
};

struct Run {
  const Case& c;
  const World& stored;
  World world;
  std::unique_ptr<Chamber> chamber;
  SealRecord before;
  std::optional<Secret<32>> master;
  bool crashed = false;
  bool applied = false;  // the fault meant something where it fell

  Run(const Case& one, const World& from, const std::string& seed) : c(one), stored(from), world(seed) {
    world.copy_stored(from);
    chamber = open_by_the_set_in_force(world);
    if (c.warm) {
      c.warm(world, *chamber);
    }
    before = world.record();
    master = world.listener.master->keys.at(world.listener.master->current).clone();
    world.steps.clear();
    world.steps.all_calls = true;
  }
  void expect_same_master() {
    const auto& keys = *world.listener.master;
    EXPECT_TRUE(keys.keys.at(keys.current) == *master);
  }
  // True while the fault's step is still within the ceremony.
  bool under_fire(std::uint64_t at, StepFault fault) {
    world.steps.plant(at, fault);
    const unsigned closings = world.listener.closings;
    Result<void> reply;
    try {
      reply = c.run(world, *chamber);
    } catch (const test::Crash&) {
      crashed = true;
    }
    const bool reached = world.steps.taken > at;
    applied = world.steps.applied;
    world.steps.clear();
    const SealRecord now = world.record();
    expect_nothing_else(c, before, now);
    if (!crashed) {
      EXPECT_EQ(world.listener.closings, closings) << "signing never stops";
      EXPECT_TRUE(chamber->may_sign());
      if (reply) {
        EXPECT_TRUE(c.happened(now)) << "what was announced is stored";
      } else {
        EXPECT_FALSE(reply.error().message.empty());
        EXPECT_NE(reply.error().kind, ErrorKind::internal) << reply.error().message;
        EXPECT_TRUE(now == before || reply.error().kind == ErrorKind::store_in_doubt)
            << "a refusal changes nothing: " << reply.error().message;
      }
    }
    return reached;
  }
};

std::string label(const Case& c, std::uint64_t at, StepFault fault) {
  return std::string(c.name) + ", call " + std::to_string(at) + ", " +
         test::kFaultNames.at(static_cast<std::size_t>(fault));
}

void enumerate(const Case& c, Count& count) {
  World stored(c.name);
  prepare(stored, c);
  for (std::uint64_t at = 0;; ++at) {
    bool reached = false;
    for (const StepFault fault : test::kAllFaults) {
      SCOPED_TRACE(label(c, at, fault));
      Run run(c, stored, label(c, at, fault));
      reached = run.under_fire(at, fault);
      if (!reached) {
        break;
      }
      if (!run.applied) {
        continue;
      }
      ++count.runs;
      // The same process goes on when it lives, another one when it does not, to the end; then one more start.
      if (run.crashed) {
        run.chamber.reset();
        run.chamber = open_by_the_set_in_force(run.world);
      } else {
        EXPECT_TRUE(run.chamber->run_kms_step());
      }
      run.expect_same_master();
      finish(run.world, *run.chamber, c);
      run.chamber.reset();
      run.chamber = open_by_the_set_in_force(run.world);
      run.expect_same_master();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
    if (!reached) {
      EXPECT_GE(at, 1U) << c.name << " has no call at all: the enumeration saw nothing";
      return;
    }
    ++count.points;
  }
}

// A crash in the ceremony, then one at each call of the start that follows, then a start that works.
void enumerate_twice(const Case& c, Count& count) {
  World stored(c.name);
  prepare(stored, c);
  for (std::uint64_t at = 0;; ++at) {
    bool second_reached = true;
    for (std::uint64_t second = 0; second_reached; ++second) {
      SCOPED_TRACE(label(c, at, StepFault::crash_after) + ", again at call " + std::to_string(second));
      Run run(c, stored, label(c, at, StepFault::crash_after) + std::to_string(second));
      if (!run.under_fire(at, StepFault::crash_after)) {
        return;
      }
      run.chamber.reset();
      run.world.steps.plant(second, StepFault::crash_after);
      try {
        run.chamber = open_by_the_set_in_force(run.world);
      } catch (const test::Crash&) {
        run.chamber.reset();
      }
      second_reached = run.world.steps.taken > second;
      run.world.steps.clear();
      ++count.double_crashes;
      expect_nothing_else(c, run.before, run.world.record());
      run.chamber = open_by_the_set_in_force(run.world);
      run.expect_same_master();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
  }
}

TEST(RotationCrashes, EveryCeremonySurvivesEveryFaultAtEveryCall) {
  Count count;
  for (const Case& c : all_cases()) {
    const Count start = count;
    enumerate(c, count);
    std::cout << "  " << c.name << ": " << count.points - start.points << " calls, " << count.runs - start.runs
              << " faults\n";
    if (testing::Test::HasFailure()) {
      return;
    }
  }
  std::cout << "  " << count.points << " calls, " << count.runs << " runs (calls × faults)\n";
  EXPECT_GE(count.points, 60U);
  EXPECT_GE(count.runs, 500U);
}

TEST(RotationCrashes, TwoCrashesInARowToo) {
  Count count;
  for (const Case& c : all_cases()) {
    enumerate_twice(c, count);
    if (testing::Test::HasFailure()) {
      return;
    }
  }
  std::cout << "  " << count.double_crashes << " runs with two crashes\n";
  EXPECT_GE(count.double_crashes, 400U);
}

// The enumeration must be able to find a half-done rotation.
TEST(RotationCrashes, WouldNoticeAShareThatWasSpent) {
  static World world;
  static const Case c = operator_cases()[1];
  prepare(world, c);
  static const SealRecord before = world.record();
  static SealRecord forged = before;
  forged.active_members()->entries[1].credentials[0].box.back() ^= 1;
  EXPECT_NONFATAL_FAILURE(expect_nothing_else(c, before, forged), "a share in force was touched");
}

}  // namespace
}  // namespace cc::seal
