#include <algorithm>

#include "seal/chamber_fixture.h"
#include "seal/record_keys.h"

namespace cc::seal {
namespace {

const std::string kSource = "10.0.0.1";

Result<UnsealReply> submit(Chamber& chamber, const std::string& name) {
  return chamber.unseal(name, passphrase_of(name), kSource);
}
std::unique_ptr<Chamber> open_with_operators(World& world) {
  auto chamber = ready_to_unseal(world);
  EXPECT_TRUE(submit(*chamber, "alice"));
  EXPECT_TRUE(submit(*chamber, "bob"));
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  return chamber;
}
std::unique_ptr<Chamber> open_kms_only(World& world) {
  auto chamber = world.start();
  EXPECT_TRUE(init(world, *chamber, kms_only()));
  return chamber;
}
KmsSetRequest new_keks(unsigned m = 2, unsigned n = 2) {
  KmsSetRequest request;
  for (unsigned i = 1; i <= n; ++i) {
    request.keks.push_back("local://new-" + std::to_string(i));
  }
  request.threshold = m;
  return request;
}
OperatorSetRequest new_operators() { return {2, {"dave", "eve", "frank"}}; }

void keep_tokens(World& world, const RotationReply& reply) {
  world.tokens.clear();
  for (const auto& [name, token] : reply.operator_tokens) {
    const auto text = expose_secret_bytes(token);
    world.tokens[name] = std::string(text.begin(), text.end());
  }
}
Result<RotationReply> stage(World& world, Chamber& chamber, const OperatorSetRequest& request = new_operators()) {
  auto reply = chamber.rotate_unseal(request);
  if (reply) {
    keep_tokens(world, *reply);
  }
  return reply;
}
Result<ApproveReply> approve(Chamber& chamber, const std::string& name) {
  const auto rotation = chamber.status().rotation;
  return chamber.approve(name, passphrase_of(name), rotation ? rotation->rotation : "", kSource);
}
Secret<32> master_of(const World& world) {
  return world.listener.master->keys.at(world.listener.master->current).clone();
}
// A fresh process opens with these operators and holds the same master key.
void expect_opens(World& world, const std::vector<std::string>& names, const Secret<32>& master) {
  const auto chamber = world.start_and_step();
  for (const std::string& name : names) {
    const auto reply = submit(*chamber, name);
    ASSERT_TRUE(reply) << name << ": " << reply.error().message;
  }
  EXPECT_TRUE(signs(chamber->status().state));
  EXPECT_TRUE(master_of(world) == master);
}

TEST(RotateKms, ReplacesTheKeksWhileSigningAndKeepsOperatorsBytes) {
  World world;
  const auto chamber = open_with_operators(world);
  const Secret<32> master = master_of(world);
  const SealRecord before = world.record();
  const auto reply = chamber->rotate_kms(new_keks());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->shares, 2U);
  EXPECT_EQ(reply->threshold, 2U);
  EXPECT_EQ(reply->safe_to_disable, before.core.kms().header.members);
  const SealRecord after = world.record();
  EXPECT_EQ(after.members.lists, before.members.lists) << "the pepper stays, so do the operators' boxes";
  EXPECT_EQ(after.core.epoch, before.core.epoch + 1);
  EXPECT_EQ(after.core.parent, epoch_digest(before.core));
  EXPECT_EQ(after.core.retired_locks, std::vector<LockId>{before.core.kms().header.id});
  EXPECT_EQ(world.listener.closings, 0U);
  EXPECT_TRUE(chamber->may_sign());
  EXPECT_EQ(world.traces.kept.highest_epoch, after.core.epoch);
  for (const std::string& old : before.core.kms().header.members) {
    world.keks.broken[old] = ErrorKind::kms_missing;
  }
  expect_opens(world, {"carol", "alice"}, master);
}

TEST(RotateKms, OfAKmsOnlyChamberOpensByTheNewKeksAlone) {
  World world;
  const auto chamber = open_kms_only(world);
  const Secret<32> master = master_of(world);
  ASSERT_TRUE(chamber->rotate_kms(new_keks(1, 3)));
  for (unsigned i = 1; i <= 3; ++i) {
    world.keks.broken["local://kek-" + std::to_string(i)] = ErrorKind::kms_missing;
  }
  expect_opens(world, {}, master);
}

TEST(RotateKms, ChangesNothingWhenOneNewKekFails) {
  World world;
  const auto chamber = open_with_operators(world);
  const SealRecord before = world.record();
  world.keks.broken["local://new-2"] = ErrorKind::kms_denied;
  const auto refused = chamber->rotate_kms(new_keks());
  EXPECT_EQ(code(refused), "kms_denied");
  EXPECT_NE(refused.error().message.find("local://new-2"), std::string::npos) << "the KEK in trouble is named";
  EXPECT_EQ(world.record(), before);
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  EXPECT_EQ(code(chamber->rotate_kms({{"local://a", "local://a"}, 1})), "kek_repeated");
  EXPECT_EQ(code(chamber->rotate_kms({{"local://a"}, 2})), "threshold_invalid");
  EXPECT_EQ(code(chamber->rotate_kms({{}, 1})), "members_invalid");
  EXPECT_EQ(world.record(), before);
}

TEST(RotateKms, NamesOnlyKeksThatNoLockNeeds) {
  World world;
  const auto chamber = open_kms_only(world);
  const auto reply = chamber->rotate_kms({{"local://kek-2", "local://new-1"}, 2});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->safe_to_disable, (std::vector<std::string>{"local://kek-1", "local://kek-3"}));
}

TEST(RotateKms, ALostKekOfTheLockInForceIsNeverMadeAnew) {
  World world;
  const auto chamber = open_with_operators(world);
  const SealRecord before = world.record();
  world.keks.known.erase("local://kek-1");
  const std::set<std::string> known = world.keks.known;
  const auto refused = chamber->rotate_kms({{"local://new-1", "local://kek-1", "local://kek-2"}, 2});
  EXPECT_EQ(code(refused), "kms_missing");
  EXPECT_NE(refused.error().message.find("local://kek-1: "), std::string::npos) << "the lost one is named";
  EXPECT_NE(refused.error().message.find("restore the file"), std::string::npos);
  EXPECT_NE(refused.error().message.find("such as local://kek-1-2"), std::string::npos);
  EXPECT_EQ(world.keks.known, known) << "also no new one was made for a lock that will not be";
  EXPECT_EQ(world.record(), before);
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);

  const auto reply = chamber->rotate_kms({{"local://kek-1-2", "local://kek-2", "local://kek-3"}, 2});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->safe_to_disable, (std::vector<std::string>{"local://kek-1"}));
  EXPECT_TRUE(world.keks.known.contains("local://kek-1-2")) << "a new name is made, as at init";
  EXPECT_FALSE(world.keks.known.contains("local://kek-1"));
}

TEST(RotateKms, AKekMadeBeforeACrashIsUsedWhenTheRotationRunsAgain) {
  World world;
  const auto chamber = open_kms_only(world);
  world.keks.known.insert("local://new-1");
  ASSERT_TRUE(chamber->rotate_kms({{"local://new-1", "local://kek-2"}, 2}));
  EXPECT_EQ(world.record().core.kms().header.members, (std::vector<std::string>{"local://new-1", "local://kek-2"}));
}

TEST(RotateKms, NamesNoKekWhenTheStoredRecordCannotBeReadBack) {
  World world;
  const auto chamber = open_kms_only(world);
  // After the rotation's write, before its reply.
  world.store.after_write = [&] { world.store.unreadable = true; };
  const auto reply = chamber->rotate_kms(new_keks());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_TRUE(reply->safe_to_disable.empty());
}

TEST(RotateUnseal, OldSharesOpenUntilTheLastOneRegistersThenOnlyTheNewOnes) {
  World world;
  const auto chamber = open_with_operators(world);
  const Secret<32> master = master_of(world);
  const auto staged = stage(world, *chamber);
  ASSERT_TRUE(staged) << staged.error().message;
  EXPECT_EQ(staged->state, VisibleState::awaiting_rotation);
  EXPECT_EQ(staged->operator_tokens.size(), 3U);
  EXPECT_TRUE(staged->rotation.empty()) << "nobody has to approve";
  EXPECT_TRUE(chamber->may_sign());
  expect_opens(world, {"alice", "carol"}, master);
  ASSERT_TRUE(enroll(world, *chamber, "dave"));
  ASSERT_TRUE(enroll(world, *chamber, "eve"));
  expect_opens(world, {"bob", "carol"}, master);
  EXPECT_EQ(chamber->status().rotation->waiting_for, std::vector<std::string>{"frank"});
  const auto last = enroll(world, *chamber, "frank");
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->registered, 3U);
  EXPECT_EQ(last->remaining, 0U);
  EXPECT_EQ(last->state, VisibleState::unsealed);
  EXPECT_EQ(world.listener.closings, 0U);
  expect_opens(world, {"dave", "frank"}, master);
  const SealRecord after = world.record();
  EXPECT_EQ(after.core.retired_operators, (std::vector<std::string>{"alice", "bob", "carol"}));
  EXPECT_EQ(after.core.retired_locks.size(), 1U);
  EXPECT_EQ(code(submit(*world.start_and_step(), "alice")), "wrong_passphrase");
  const auto former = chamber->credential_ids("alice");
  EXPECT_EQ(code(former), "unknown_operator");
  EXPECT_NE(former.error().message.find("replaced"), std::string::npos) << "a former operator is named as one";
}

TEST(RotateUnseal, AnOperatorOfBothSetsHasTwoSharesAndKeepsTheNewOne) {
  World world;
  const auto chamber = open_with_operators(world);
  const Secret<32> master = master_of(world);
  ASSERT_TRUE(stage(world, *chamber, {1, {"alice", "dave"}}));
  ASSERT_TRUE(chamber->register_operator("alice", secret(world.tokens["alice"]), "fresh",
                                         passphrase("a new passphrase of alice")));
  EXPECT_EQ(*chamber->credential_ids("alice"), (std::vector<std::string>{"default", "fresh"}));
  expect_opens(world, {"alice", "bob"}, master);
  // Additional credentials of new operators, while the rotation is under way.
  ASSERT_TRUE(chamber->add_credential("alice", {"fresh", passphrase("a new passphrase of alice")},
                                      {"spare", passphrase("a spare passphrase of alice")}, kSource));
  ASSERT_TRUE(enroll(world, *chamber, "dave"));
  EXPECT_EQ(*chamber->credential_ids("alice"), (std::vector<std::string>{"fresh", "spare"}));
  EXPECT_EQ(world.record().core.retired_operators, (std::vector<std::string>{"bob", "carol"}));
  const auto again = world.start_and_step();
  EXPECT_EQ(code(submit(*again, "alice")), "wrong_passphrase") << "the passphrase of the replaced set";
  EXPECT_EQ(again->unseal("alice", passphrase("a spare passphrase of alice"), kSource)->state, VisibleState::unsealed);
}

TEST(RotateUnseal, IsCancelledWithoutATrace) {
  World world;
  const auto chamber = open_with_operators(world);
  const Secret<32> master = master_of(world);
  const SealRecord before = world.record();
  ASSERT_TRUE(stage(world, *chamber));
  ASSERT_TRUE(enroll(world, *chamber, "dave"));
  ASSERT_TRUE(chamber->rotate_cancel());
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  EXPECT_EQ(world.record().core.epoch, before.core.epoch);
  EXPECT_EQ(epoch_digest(world.record().core), epoch_digest(before.core));
  EXPECT_EQ(world.record().members.lists, before.members.lists);
  EXPECT_EQ(code(enroll(world, *chamber, "eve")), "registration_token_invalid") << "its tokens are void";
  EXPECT_EQ(code(chamber->rotate_cancel()), "wrong_state");
  ASSERT_TRUE(stage(world, *chamber, {1, {"grace"}}));
  ASSERT_TRUE(enroll(world, *chamber, "grace"));
  expect_opens(world, {"grace"}, master);
}

TEST(RotateUnseal, GoesOnAfterARestartByTheSetInForce) {
  World world;
  {
    const auto chamber = open_with_operators(world);
    ASSERT_TRUE(stage(world, *chamber));
    ASSERT_TRUE(enroll(world, *chamber, "dave"));
  }
  const Secret<32> master = master_of(world);
  const auto chamber = world.start_and_step();
  EXPECT_EQ(chamber->status().state, VisibleState::kms_unsealed);
  EXPECT_EQ(code(enroll(world, *chamber, "eve")), "wrong_state") << "a rotation needs the master key";
  EXPECT_EQ(code(chamber->rotate_cancel()), "wrong_state");
  ASSERT_TRUE(submit(*chamber, "alice"));
  ASSERT_TRUE(submit(*chamber, "bob"));
  EXPECT_EQ(chamber->status().state, VisibleState::awaiting_rotation);
  ASSERT_TRUE(enroll(world, *chamber, "eve"));
  ASSERT_TRUE(enroll(world, *chamber, "frank"));
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  expect_opens(world, {"eve", "dave"}, master);
}

TEST(Rotate, OneAtATimeAndOnlyWhenUnsealed) {
  World world;
  const auto chamber = open_with_operators(world);
  ASSERT_TRUE(stage(world, *chamber));
  EXPECT_EQ(code(stage(world, *chamber)), "wrong_state");
  EXPECT_EQ(code(chamber->rotate_kms(new_keks())), "wrong_state");
  EXPECT_EQ(code(chamber->rotate_to_kms_only()), "wrong_state");
  EXPECT_EQ(code(chamber->rotate_to_unseal(new_operators())), "wrong_state");
  const auto closed = world.start();
  EXPECT_EQ(code(closed->rotate_cancel()), "kms_pending");
  ASSERT_TRUE(closed->run_kms_step());
  EXPECT_EQ(code(closed->rotate_cancel()), "wrong_state");
  ASSERT_TRUE(chamber->seal("test", false));
  EXPECT_EQ(code(chamber->rotate_cancel()), "wrong_state");
  EXPECT_EQ(code(World().start()->rotate_kms(new_keks())), "not_initialized");
}

TEST(Rotate, BadSetsAreRefusedByName) {
  World world;
  const auto chamber = open_with_operators(world);
  const SealRecord before = world.record();
  EXPECT_EQ(code(chamber->rotate_unseal({0, {"dave"}})), "threshold_invalid");
  EXPECT_EQ(code(chamber->rotate_unseal({2, {"dave"}})), "threshold_invalid");
  EXPECT_EQ(code(chamber->rotate_unseal({1, {}})), "members_invalid");
  EXPECT_EQ(code(chamber->rotate_unseal({1, {"dave", "dave"}})), "operator_name_invalid");
  EXPECT_EQ(code(chamber->rotate_to_unseal(new_operators())), "wrong_state") << "the mode is unseal already";
  EXPECT_EQ(world.record(), before);
  World automatic;
  const auto alone = open_kms_only(automatic);
  EXPECT_EQ(code(alone->rotate_unseal(new_operators())), "wrong_state");
  EXPECT_EQ(code(alone->rotate_to_kms_only()), "wrong_state");
}

TEST(RotateMode, ToUnsealGivesAKmsOnlyChamberOperators) {
  World world;
  const auto chamber = open_kms_only(world);
  const Secret<32> master = master_of(world);
  const auto reply = chamber->rotate_to_unseal({2, {"alice", "bob", "carol"}});
  ASSERT_TRUE(reply) << reply.error().message;
  keep_tokens(world, *reply);
  EXPECT_EQ(chamber->status().mode, "kms_only") << "the lock in force";
  expect_opens(world, {}, master);
  for (const char* name : {"alice", "bob", "carol"}) {
    ASSERT_TRUE(enroll(world, *chamber, name));
  }
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  EXPECT_EQ(chamber->status().mode, "unseal");
  EXPECT_EQ(world.start_and_step()->status().state, VisibleState::kms_unsealed) << "the KEKs alone open no more";
  expect_opens(world, {"carol", "bob"}, master);
}

TEST(RotateMode, ToKmsOnlyNeedsAQuorumOfThoseWhoLoseTheirSay) {
  World world;
  const auto chamber = open_with_operators(world);
  const Secret<32> master = master_of(world);
  const auto reply = chamber->rotate_to_kms_only();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->state, VisibleState::awaiting_rotation);
  EXPECT_EQ(reply->approvals_required, 2U);
  EXPECT_EQ(reply->rotation, chamber->status().rotation->rotation);
  const auto first = approve(*chamber, "alice");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->approvals_received, 1U);
  EXPECT_EQ(first->state, std::nullopt);
  EXPECT_EQ(code(approve(*chamber, "alice")), "approval_repeated");
  EXPECT_EQ(code(chamber->approve("bob", passphrase_of("alice"), reply->rotation, kSource)), "wrong_passphrase");
  EXPECT_EQ(code(chamber->approve("bob", passphrase_of("bob"), std::string(64, '0'), kSource)), "rotation_changed");
  EXPECT_EQ(chamber->status().rotation->approvals_received, 1U);
  const auto second = approve(*chamber, "carol");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->state, VisibleState::unsealed);
  EXPECT_EQ(chamber->status().mode, "kms_only");
  EXPECT_TRUE(world.record().members.lists.empty()) << "no share is left";
  EXPECT_EQ(world.listener.closings, 0U);
  expect_opens(world, {}, master);
}

TEST(Approval, IsForOneStagingOnly) {
  World world;
  const auto chamber = open_with_operators(world);
  ASSERT_TRUE(chamber->rotate_to_kms_only());
  ASSERT_TRUE(approve(*chamber, "alice"));
  const std::string first = chamber->status().rotation->rotation;
  ASSERT_TRUE(chamber->rotate_cancel());
  ASSERT_TRUE(chamber->rotate_to_kms_only());
  EXPECT_NE(chamber->status().rotation->rotation, first);
  EXPECT_EQ(chamber->status().rotation->approvals_received, 0U);
  EXPECT_EQ(code(chamber->approve("bob", passphrase_of("bob"), first, kSource)), "rotation_changed");
  const auto fresh = approve(*chamber, "bob");
  EXPECT_EQ(fresh->approvals_received, 1U) << "alice's approval was for another one";
}

TEST(Approval, IsWipedBySealRestartAndTimeAndNothingIsLost) {
  World world;
  const auto chamber = open_with_operators(world);
  const Secret<32> master = master_of(world);
  ASSERT_TRUE(chamber->rotate_to_kms_only());
  ASSERT_TRUE(approve(*chamber, "alice"));
  world.clock.now += Milliseconds(30 * 60 * 1000);
  chamber->tick();
  EXPECT_EQ(chamber->status().rotation->approvals_received, 0U);
  ASSERT_TRUE(approve(*chamber, "alice"));
  ASSERT_TRUE(chamber->seal("test", false));
  EXPECT_EQ(chamber->status().rotation->approvals_received, 0U);
  expect_opens(world, {"alice", "bob"}, master);
}

TEST(Approval, IsAskedForEveryRotationWhenConfigured) {
  World world;
  open_with_operators(world);
  const Secret<32> master = master_of(world);
  ChamberOptions options = world.options();
  options.rotation_approval = RotationApproval::quorum;
  Chamber chamber({world.keks, world.store, world.traces, world.listener, world.clock, world.random}, options);
  ASSERT_TRUE(chamber.boot());
  ASSERT_TRUE(chamber.run_kms_step());
  ASSERT_TRUE(submit(chamber, "alice"));
  ASSERT_TRUE(submit(chamber, "bob"));

  const auto kms = chamber.rotate_kms(new_keks());
  ASSERT_TRUE(kms) << kms.error().message;
  EXPECT_EQ(kms->state, VisibleState::awaiting_rotation);
  EXPECT_TRUE(kms->safe_to_disable.empty()) << "never sooner than in force";
  EXPECT_EQ(code(enroll(world, chamber, "alice")), "registration_token_invalid") << "there is nothing to register for";
  ASSERT_TRUE(approve(chamber, "carol"));
  const auto last = approve(chamber, "bob");
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->state, VisibleState::unsealed);
  EXPECT_EQ(last->safe_to_disable.size(), 3U);
  expect_opens(world, {"alice", "carol"}, master);

  // Approved before the last one registers, and the other way round.
  for (const bool approve_first : {true, false}) {
    const std::vector<std::string> now = chamber.credential_ids("dave") ? std::vector<std::string>{"dave", "eve"}
                                                                        : std::vector<std::string>{"alice", "bob"};
    ASSERT_TRUE(stage(
        world, chamber,
        {2, approve_first ? std::vector<std::string>{"dave", "eve"} : std::vector<std::string>{"frank", "grace"}}));
    const auto register_all = [&] {
      for (const auto& [name, token] : world.tokens) {
        ASSERT_TRUE(enroll(world, chamber, name));
      }
    };
    if (!approve_first) {
      register_all();
      EXPECT_EQ(chamber.status().state, VisibleState::awaiting_rotation);
    }
    ASSERT_TRUE(approve(chamber, now[0]));
    ASSERT_TRUE(approve(chamber, now[1]));
    if (approve_first) {
      EXPECT_EQ(chamber.status().state, VisibleState::awaiting_rotation);
      register_all();
    }
    EXPECT_EQ(chamber.status().state, VisibleState::unsealed) << approve_first;
  }
  expect_opens(world, {"frank", "grace"}, master);
}

TEST(TwoReplicas, ConflictingRotationsLeaveOneWinnerAndTheOtherLosesNothing) {
  World world;
  const auto here = open_with_operators(world);
  const auto there = world.start_and_step();
  ASSERT_TRUE(submit(*there, "alice"));
  ASSERT_TRUE(submit(*there, "carol"));
  const Secret<32> master = master_of(world);
  world.store.before_write = [&] { ASSERT_TRUE(stage(world, *there)); };
  EXPECT_EQ(code(here->rotate_kms(new_keks())), "record_conflict");
  EXPECT_EQ(here->status().state, VisibleState::awaiting_rotation) << "it follows the winner";
  EXPECT_TRUE(here->may_sign());
  // Registrations on both replicas, the last one on the loser.
  ASSERT_TRUE(enroll(world, *there, "dave"));
  ASSERT_TRUE(enroll(world, *here, "eve"));
  ASSERT_TRUE(enroll(world, *here, "frank"));
  EXPECT_EQ(here->status().state, VisibleState::unsealed);
  ASSERT_TRUE(there->poll());
  EXPECT_EQ(there->status().state, VisibleState::unsealed);
  EXPECT_EQ(code(there->rotate_kms(new_keks())), "kms_pending") << "the new lock is opened in the background first";
  ASSERT_TRUE(there->run_kms_step());
  EXPECT_EQ(code(there->rotate_kms(new_keks())), "ok");
  EXPECT_EQ(world.listener.closings, 0U);
  expect_opens(world, {"dave", "eve"}, master);
}

TEST(TwoReplicas, ARotationEndsTheRoundOfAnotherReplica) {
  World world;
  const auto here = open_with_operators(world);
  const auto there = world.start_and_step();
  ASSERT_TRUE(submit(*there, "alice"));
  ASSERT_TRUE(here->rotate_kms(new_keks()));
  EXPECT_EQ(code(submit(*there, "bob")), "round_over");
  ASSERT_TRUE(there->run_kms_step());
  ASSERT_TRUE(submit(*there, "alice"));
  EXPECT_EQ(submit(*there, "bob")->state, VisibleState::unsealed);
}

TEST(Rotate, TheSlashingStoreLearnsTheNewEpochLaterWhenItFailsAtFirst) {
  World world;
  const auto chamber = open_kms_only(world);
  std::uint64_t steps = 0;
  {
    World rehearsal;
    const auto other = open_kms_only(rehearsal);
    rehearsal.steps.clear();
    ASSERT_TRUE(other->rotate_kms(new_keks()));
    steps = rehearsal.steps.taken;
  }
  world.steps.plant(steps - 1, test::StepFault::fails);
  ASSERT_TRUE(chamber->rotate_kms(new_keks())) << "the rotation is in force";
  EXPECT_EQ(world.traces.kept.highest_epoch, 1U);
  world.steps.clear();
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(world.traces.kept.highest_epoch, 2U);
}

}  // namespace
}  // namespace cc::seal
