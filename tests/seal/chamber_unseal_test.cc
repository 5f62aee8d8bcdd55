#include <thread>

#include "seal/chamber_fixture.h"
#include "seal/record_keys.h"

namespace cc::seal {
namespace {

Result<UnsealReply> submit(Chamber& chamber, const std::string& name, const std::string& source = "10.0.0.1") {
  return chamber.unseal(name, passphrase_of(name), source);
}

TEST(Unseal, EveryPairOfOperatorsOpensTheChamberInEitherOrder) {
  World world;
  ready_to_unseal(world);
  const std::vector<std::string> names{"alice", "bob", "carol"};
  std::optional<Secret<32>> master;
  for (const std::string& first : names) {
    for (const std::string& second : names) {
      if (first == second) {
        continue;
      }
      const auto chamber = world.start_and_step();
      const auto below = submit(*chamber, first);
      ASSERT_TRUE(below) << below.error().message;
      EXPECT_EQ(below->shares_received, 1U);
      EXPECT_EQ(below->shares_required, 2U);
      EXPECT_EQ(below->state, std::nullopt);
      EXPECT_FALSE(chamber->may_sign());
      const auto open = submit(*chamber, second);
      ASSERT_TRUE(open) << open.error().message;
      EXPECT_EQ(open->state, VisibleState::unsealed);
      EXPECT_EQ(open->validators_loaded, 42U);
      EXPECT_TRUE(chamber->may_sign());
      const auto& key = world.listener.master->keys.begin()->second;
      EXPECT_TRUE(!master || *master == key) << "every quorum gives the same master key";
      master = key.clone();
    }
  }
}

TEST(Unseal, ARepeatedShareCountsOnce) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(submit(*chamber, "alice"));
  EXPECT_EQ(code(submit(*chamber, "alice")), "share_repeated");
  EXPECT_EQ(chamber->status().shares_received, 1U);
  EXPECT_EQ(code(submit(*chamber, "bob")), "ok");
}

TEST(Unseal, AWrongPassphraseIsRefusedAloneAndGoodSharesStay) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(submit(*chamber, "alice"));
  EXPECT_EQ(code(chamber->unseal("bob", passphrase("not the passphrase of bob"), "s")), "wrong_passphrase");
  EXPECT_EQ(code(chamber->unseal("bob", passphrase("short"), "s")), "wrong_passphrase");
  EXPECT_EQ(code(chamber->unseal("bob", passphrase_of("alice"), "s")), "wrong_passphrase");
  EXPECT_EQ(chamber->status().shares_received, 1U);
  EXPECT_EQ(submit(*chamber, "bob")->state, VisibleState::unsealed);
}

TEST(Unseal, UnknownOperatorsAreAnsweredAsAWrongPassphrase) {
  World world;
  const auto chamber = ready_to_unseal(world);
  const auto unknown = chamber->unseal("mallory", passphrase_of("mallory"), "s");
  const auto wrong = chamber->unseal("alice", passphrase_of("mallory"), "s");
  EXPECT_EQ(code(unknown), "wrong_passphrase");
  EXPECT_EQ(unknown.error().message, wrong.error().message);
  EXPECT_EQ(code(chamber->unseal("", passphrase(""), "s")), "wrong_passphrase");
  EXPECT_EQ(code(chamber->unseal(std::string(100'000, 'x'), passphrase("x"), "s")), "wrong_passphrase");
  EXPECT_EQ(code(chamber->unseal("alice", passphrase("\xff\xfe"), "s")), "passphrase_invalid");
}

TEST(Unseal, ComposedAndDecomposedAccentsAreOnePassphrase) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators(1, {"alice"})));
  ASSERT_TRUE(chamber->register_operator("alice", secret(world.tokens["alice"]), "default",
                                         passphrase("caf\xc3\xa9 au lait sans sucre")));
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(code(chamber->unseal("alice", passphrase("cafe\xcc\x81 au lait sans sucre"), "s")), "ok");
}

TEST(Unseal, BackOffWeighsOnOneOperatorAndSourceOnly) {
  World world;
  const auto chamber = ready_to_unseal(world);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(code(chamber->unseal("alice", passphrase("guess"), "attacker")), "wrong_passphrase");
  }
  EXPECT_EQ(code(chamber->unseal("alice", passphrase_of("alice"), "attacker")), "too_many_attempts");
  EXPECT_EQ(code(chamber->unseal("bob", passphrase("guess"), "attacker")), "wrong_passphrase");
  EXPECT_EQ(code(submit(*chamber, "alice", "her own desk")), "ok") << "one attacker locks nobody else out";
  world.clock.now += Milliseconds(1000);
  EXPECT_EQ(code(chamber->unseal("alice", passphrase("guess"), "attacker")), "wrong_passphrase");
  world.clock.now += Milliseconds(1999);
  EXPECT_EQ(code(chamber->unseal("alice", passphrase("guess"), "attacker")), "too_many_attempts") << "the wait doubles";
}

TEST(Unseal, BackOffCountsAWholeIpv6NetworkAsOneSource) {
  World world;
  const auto chamber = ready_to_unseal(world);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(code(chamber->unseal("alice", passphrase("guess"), "2001:db8:1:2::" + std::to_string(i))),
              "wrong_passphrase");
  }
  EXPECT_EQ(code(submit(*chamber, "alice", "2001:db8:1:2:ffff::9")), "too_many_attempts");
  EXPECT_EQ(code(submit(*chamber, "alice", "2001:db8:1:3::1")), "ok") << "her own network";
}

TEST(Unseal, ManySourcesThatGuessKeepNobodyElseOut) {
  World world;
  const auto chamber = ready_to_unseal(world);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(code(chamber->unseal("alice", passphrase("guess"), "10.1.0." + std::to_string(i))), "wrong_passphrase");
  }
  EXPECT_EQ(code(submit(*chamber, "alice", "10.2.0.1")), "ok");
}

TEST(Unseal, SharesAreWipedWhenTheRoundTimesOut) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(submit(*chamber, "alice"));
  world.clock.now += Milliseconds(30 * 60 * 1000 - 1);
  chamber->tick();
  EXPECT_EQ(chamber->status().shares_received, 1U);
  world.clock.now += Milliseconds(1);
  chamber->tick();
  EXPECT_EQ(chamber->status().shares_received, 0U);
  EXPECT_EQ(submit(*chamber, "bob")->shares_received, 1U) << "a new round, with its own time";
  world.clock.now += Milliseconds(30 * 60 * 1000 - 1);
  EXPECT_EQ(submit(*chamber, "alice")->state, VisibleState::unsealed);
}

TEST(Unseal, TheTimeoutAlsoHoldsWithoutATick) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(submit(*chamber, "alice"));
  world.clock.now += Milliseconds(30 * 60 * 1000);
  EXPECT_EQ(submit(*chamber, "bob")->state, std::nullopt) << "alice's share is too old to count";
}

TEST(Unseal, TimeoutZeroMeansNever) {
  World world;
  ready_to_unseal(world);
  ChamberOptions options = world.options();
  options.unseal_timeout = Milliseconds(0);
  Chamber chamber({world.keks, world.store, world.traces, world.listener, world.clock, world.random}, options);
  ASSERT_TRUE(chamber.boot());
  ASSERT_TRUE(chamber.run_kms_step());
  ASSERT_TRUE(submit(chamber, "alice"));
  world.clock.now += Milliseconds(1'000'000'000);
  chamber.tick();
  EXPECT_EQ(submit(chamber, "bob")->state, VisibleState::unsealed);
}

TEST(Unseal, ResetWipesSharesAndNeedsACredential) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(submit(*chamber, "alice"));
  EXPECT_EQ(code(chamber->unseal_reset("bob", passphrase("nobody knows this one"), "s")), "wrong_passphrase");
  EXPECT_EQ(chamber->status().shares_received, 1U);
  const auto reset = chamber->unseal_reset("bob", passphrase_of("bob"), "s");
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->shares_received, 0U);
  EXPECT_EQ(reset->shares_required, 2U);
  ASSERT_TRUE(submit(*chamber, "alice")) << "counted again after the reset";
  ASSERT_TRUE(chamber->unseal_reset_authorised());
  EXPECT_EQ(chamber->status().shares_received, 0U);
}

TEST(Unseal, SharesSurviveARingThatDoesNotLoadAndAnyOperatorMayTryAgain) {
  World world;
  const auto chamber = ready_to_unseal(world);
  world.listener.refuse = Error{ErrorKind::store_unavailable, "key store gone"};
  ASSERT_TRUE(submit(*chamber, "alice"));
  EXPECT_EQ(code(submit(*chamber, "bob")), "store_unavailable");
  EXPECT_EQ(chamber->status().state, VisibleState::kms_unsealed);
  EXPECT_EQ(chamber->status().trouble->kind, ErrorKind::store_unavailable);
  EXPECT_FALSE(chamber->may_sign());
  world.listener.refuse.reset();
  const auto again = submit(*chamber, "alice");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->state, VisibleState::unsealed);
  EXPECT_EQ(chamber->status().trouble, std::nullopt);
}

TEST(Unseal, IsRefusedByNameInEveryOtherState) {
  World none;
  EXPECT_EQ(code(submit(*none.start(), "alice")), "not_initialized");
  World registering;
  const auto waiting = registering.start();
  ASSERT_TRUE(init(registering, *waiting, with_operators()));
  EXPECT_EQ(code(submit(*waiting, "alice")), "wrong_state");
  World kms;
  const auto automatic = kms.start();
  ASSERT_TRUE(init(kms, *automatic, kms_only()));
  EXPECT_EQ(code(submit(*automatic, "alice")), "wrong_state");
  World sealed;
  ready_to_unseal(sealed);
  const auto closed = sealed.start();
  EXPECT_EQ(code(submit(*closed, "alice")), "kms_pending");
  ASSERT_TRUE(closed->run_kms_step());
  ASSERT_TRUE(submit(*closed, "alice"));
  ASSERT_TRUE(submit(*closed, "bob"));
  EXPECT_EQ(code(submit(*closed, "carol")), "wrong_state") << "unsealed already";
}

TEST(Unseal, RaisesStoredArgon2ParametersOnceTheChamberIsOpen) {
  World world;
  ready_to_unseal(world);
  const SealRecord before = world.record();
  ChamberOptions stronger = world.options();
  stronger.argon2.passes = 2;
  Chamber chamber({world.keks, world.store, world.traces, world.listener, world.clock, world.random}, stronger);
  ASSERT_TRUE(chamber.boot());
  ASSERT_TRUE(chamber.run_kms_step());
  ASSERT_TRUE(submit(chamber, "alice"));
  EXPECT_EQ(world.record(), before) << "nothing is written before the record is proven";
  ASSERT_TRUE(submit(chamber, "bob"));
  const SealRecord after = world.record();
  EXPECT_EQ(after.core, before.core);
  EXPECT_EQ(after.members.changes, before.members.changes + 1);
  const auto& entries = after.members.lists[0].entries;
  EXPECT_NE(entries[0], before.members.lists[0].entries[0]);
  EXPECT_NE(entries[1], before.members.lists[0].entries[1]);
  EXPECT_EQ(entries[2], before.members.lists[0].entries[2]) << "carol was not here";
  const auto weaker = world.start_and_step();
  ASSERT_TRUE(submit(*weaker, "alice"));
  EXPECT_EQ(submit(*weaker, "bob")->state, VisibleState::unsealed);
  EXPECT_EQ(world.record(), after) << "parameters are never lowered";
}

// ---- KEKs ----

TEST(KmsStep, OneKekInTroubleIsToleratedWithinTheThreshold) {
  World world;
  ASSERT_TRUE(init(world, *world.start(), kms_only(2, 3)));
  world.keks.broken["local://kek-1"] = ErrorKind::kms_unreachable;
  EXPECT_EQ(world.start_and_step()->status().state, VisibleState::unsealed);
  world.keks.broken.clear();
  world.keks.unwraps = 0;
  EXPECT_EQ(world.start_and_step()->status().state, VisibleState::unsealed);
  EXPECT_EQ(world.keks.unwraps, 2U) << "no more KEKs are asked than needed";
}

TEST(KmsStep, ANetworkFailureIsNeverCalledAWrongKey) {
  World world;
  ASSERT_TRUE(init(world, *world.start(), kms_only(2, 3)));
  const struct {
    std::vector<ErrorKind> failures;
    const char* code;
  } cases[] = {
      {{ErrorKind::kms_unreachable, ErrorKind::kms_mismatch}, "kms_unreachable"},
      {{ErrorKind::kms_mismatch, ErrorKind::kms_denied}, "kms_denied"},
      {{ErrorKind::kms_missing, ErrorKind::kms_mismatch}, "kms_missing"},
      {{ErrorKind::kms_mismatch, ErrorKind::kms_mismatch}, "kms_mismatch"},
  };
  for (const auto& one : cases) {
    world.keks.broken = {{"local://kek-1", one.failures[0]}, {"local://kek-3", one.failures[1]}};
    const auto chamber = world.start();
    EXPECT_EQ(code(chamber->run_kms_step()), one.code);
    const Status status = chamber->status();
    EXPECT_EQ(status.state, VisibleState::sealed);
    ASSERT_TRUE(status.trouble);
    EXPECT_NE(status.trouble->message.find("local://kek-1"), std::string::npos);
    EXPECT_NE(status.trouble->message.find("local://kek-3"), std::string::npos);
    world.keks.broken.clear();
    EXPECT_EQ(code(chamber->run_kms_step()), "ok") << "the next try succeeds";
    EXPECT_EQ(chamber->status().trouble, std::nullopt);
  }
}

TEST(KmsStep, AKmsOnlyRingThatDoesNotLoadIsTriedAgain) {
  World world;
  ASSERT_TRUE(init(world, *world.start(), kms_only()));
  world.listener.refuse = Error{ErrorKind::store_unavailable, "key store gone"};
  const auto chamber = world.start();
  EXPECT_EQ(code(chamber->run_kms_step()), "store_unavailable");
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  world.listener.refuse.reset();
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
}

// ---- Seal and resume ----

TEST(Seal, StopsSigningAtOnceAndNoBackgroundStepReopensIt) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  ASSERT_TRUE(chamber->seal("suspected compromise", false));
  EXPECT_EQ(world.listener.closings, 1U);
  EXPECT_FALSE(world.listener.loaded);
  EXPECT_FALSE(chamber->may_sign());
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  EXPECT_EQ(chamber->status().keys_loaded, 0U);
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  ASSERT_TRUE(chamber->seal("again", false)) << "sealing twice is no error";
  ASSERT_TRUE(chamber->resume());
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  ASSERT_TRUE(chamber->seal("", false));
  EXPECT_EQ(world.start_and_step()->status().state, VisibleState::unsealed) << "a restart resumes, as the guide says";
}

TEST(Seal, WithHoldStaysSealedOverRestartsUntilResume) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  ASSERT_TRUE(chamber->seal("maintenance", true));
  const auto restarted = world.start_and_step();
  EXPECT_EQ(restarted->status().state, VisibleState::sealed);
  EXPECT_TRUE(restarted->status().held);
  EXPECT_EQ(world.listener.openings, 1U);
  ASSERT_TRUE(restarted->resume());
  EXPECT_FALSE(restarted->status().held);
  ASSERT_TRUE(restarted->run_kms_step());
  EXPECT_EQ(restarted->status().state, VisibleState::unsealed);
  EXPECT_EQ(world.start_and_step()->status().state, VisibleState::unsealed);
}

TEST(Seal, AHoldIsHonouredWhenTheStoreCouldNotBeReadAtStart) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  ASSERT_TRUE(chamber->seal("maintenance", true));
  world.store.unreadable = true;
  const auto restarted = world.start();
  EXPECT_EQ(restarted->status().trouble->kind, ErrorKind::store_unavailable);
  EXPECT_EQ(restarted->status().state, VisibleState::sealed);
  EXPECT_EQ(world.listener.exists_told.back(), true) << "unknown counts as existing";
  world.store.unreadable = false;
  ASSERT_TRUE(restarted->run_kms_step());
  EXPECT_EQ(restarted->status().state, VisibleState::sealed);
}

TEST(Seal, SealsLocallyEvenWhenTheHoldCannotBeStored) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  world.steps.plant(0, test::StepFault::fails);
  EXPECT_EQ(code(chamber->seal("emergency", true)), "store_unavailable");
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  EXPECT_FALSE(world.listener.loaded);
}

TEST(Seal, ForAllReachesTheOtherReplicasWhenTheyPoll) {
  World world;
  const auto first = world.start();
  ASSERT_TRUE(init(world, *first, kms_only()));
  const auto second = world.start_and_step();
  const auto third = world.start();
  ASSERT_TRUE(first->seal("compromise", false, true));
  EXPECT_TRUE(second->may_sign()) << "it has not polled yet";
  ASSERT_TRUE(second->poll());
  EXPECT_FALSE(second->may_sign());
  ASSERT_TRUE(third->run_kms_step());
  EXPECT_EQ(third->status().state, VisibleState::sealed);
  ASSERT_TRUE(first->seal("only here", false));
  ASSERT_TRUE(second->resume());
  ASSERT_TRUE(second->run_kms_step());
  ASSERT_TRUE(second->poll());
  EXPECT_TRUE(second->may_sign()) << "a local seal is nobody else's";
}

TEST(Seal, DuringTheKmsStepWinsOverTheStep) {
  World world;
  ASSERT_TRUE(init(world, *world.start(), kms_only()));
  const auto chamber = world.start();
  std::thread sealing;
  world.keks.during_unwrap = [&] {
    sealing = std::thread([&] { (void)chamber->seal("race", false); });
    while (world.listener.closings == 0) {
      std::this_thread::yield();
    }
  };
  EXPECT_EQ(code(chamber->run_kms_step()), "wrong_state");
  sealing.join();
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  EXPECT_FALSE(world.listener.loaded);
  EXPECT_FALSE(chamber->may_sign());
}

TEST(Seal, WhileTheRingLoadsEmptiesTheRingAgain) {
  World world;
  ready_to_unseal(world);
  const auto chamber = world.start_and_step();
  ASSERT_TRUE(submit(*chamber, "alice"));
  std::thread sealing;
  world.listener.during_opened = [&] {
    sealing = std::thread([&] { (void)chamber->seal("race", false); });
    while (world.listener.closings == 0) {
      std::this_thread::yield();
    }
    world.listener.loaded = true;  // the load goes on after closing() and fills the ring
  };
  EXPECT_EQ(code(submit(*chamber, "bob")), "wrong_state");
  sealing.join();
  EXPECT_FALSE(world.listener.wanted_at_the_end) << "the gate must not open for an instant";
  EXPECT_FALSE(world.listener.loaded);
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  EXPECT_EQ(chamber->status().shares_received, 0U) << "shares are wiped with the rest";
}

TEST(Seal, InEveryOtherStateBarsTheWayUntilResume) {
  World none;
  const auto fresh = none.start();
  EXPECT_EQ(code(fresh->seal("", true)), "not_initialized");
  EXPECT_EQ(code(init(none, *fresh, kms_only())), "wrong_state");
  ASSERT_TRUE(fresh->resume());
  EXPECT_EQ(code(init(none, *fresh, kms_only())), "ok");
  World registering;
  const auto waiting = registering.start();
  ASSERT_TRUE(init(registering, *waiting, with_operators()));
  ASSERT_TRUE(waiting->seal("", false));
  EXPECT_EQ(code(enroll(registering, *waiting, "alice")), "wrong_state");
  EXPECT_EQ(waiting->status().state, VisibleState::awaiting_registration);
  ASSERT_TRUE(waiting->resume());
  EXPECT_EQ(code(enroll(registering, *waiting, "alice")), "kms_pending");
  ASSERT_TRUE(waiting->run_kms_step());
  EXPECT_EQ(code(enroll(registering, *waiting, "alice")), "ok");
}

TEST(Seal, WithoutARecordNothingSignsUntilResumeEither) {
  World world;
  const auto chamber = world.start();
  const std::string token = *chamber->setup_token();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  ASSERT_TRUE(chamber->seal("", false));
  ASSERT_TRUE(chamber->init_reset(secret(token)));
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::uninitialized);
  EXPECT_TRUE(chamber->status().sealed_by_command);
  EXPECT_EQ(world.listener.exists_told.back(), true) << "memory keys would sign again";
  ASSERT_TRUE(chamber->resume());
  EXPECT_EQ(world.listener.exists_told.back(), false);
  EXPECT_FALSE(chamber->status().sealed_by_command);
}

// ---- Other replicas ----

// What a rotation by another replica leaves: the same locks at the next epoch.
void raise_epoch(World& world) {
  SealRecord record = world.record();
  record.core.parent = epoch_digest(record.core);
  ++record.core.epoch;
  record.record_mac = record_mac(world.listener.master->keys.at(record.core.master_key), record.core);
  world.store.record().content = encode(record);
  ++world.store.record().revision;
}

TEST(Replicas, AChangedEpochEndsTheRoundByName) {
  World world;
  const auto opener = ready_to_unseal(world);
  ASSERT_TRUE(submit(*opener, "alice"));
  ASSERT_TRUE(submit(*opener, "bob"));
  const auto chamber = world.start_and_step();
  ASSERT_TRUE(submit(*chamber, "alice"));
  raise_epoch(world);
  EXPECT_EQ(code(submit(*chamber, "bob")), "round_over");
  EXPECT_EQ(chamber->status().shares_received, 0U);
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  ASSERT_TRUE(chamber->run_kms_step());
  ASSERT_TRUE(submit(*chamber, "bob"));
  EXPECT_EQ(submit(*chamber, "carol")->state, VisibleState::unsealed);
}

TEST(Replicas, AnOpenChamberGoesOnSigningOverAChangedEpoch) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  raise_epoch(world);
  ASSERT_TRUE(chamber->poll());
  EXPECT_TRUE(chamber->may_sign());
  EXPECT_EQ(chamber->status().epoch, 2U);
  const unsigned before = world.keks.unwraps;
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_GT(world.keks.unwraps, before) << "the new KMS lock is opened again in the background";
  EXPECT_TRUE(chamber->may_sign());
}

TEST(Replicas, AnOpenChamberRefusesAForgedNewEpoch) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  SealRecord record = world.record();
  ++record.core.epoch;
  world.store.record().content = encode(record);
  ++world.store.record().revision;
  EXPECT_EQ(code(chamber->poll()), "record_tampered");
  EXPECT_EQ(chamber->status().epoch, 1U);
}

}  // namespace
}  // namespace cc::seal
