#include "seal/chamber_fixture.h"

namespace cc::seal {
namespace {

const std::string kSource = "10.0.0.1";

NamedCredential proof_of(const std::string& name, const std::string& id = "default") {
  return {id, passphrase_of(name)};
}
NamedCredential named(const std::string& id, std::string_view text = "a second good passphrase") {
  return {id, passphrase(text)};
}
std::vector<std::string> ids(Chamber& chamber, const std::string& name) { return chamber.credential_ids(name).value(); }

TEST(Credentials, AnAddedOneOpensTheShareAndTheOldOneStill) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(chamber->add_credential("alice", proof_of("alice"), named("second"), kSource));
  EXPECT_EQ(ids(*chamber, "alice"), (std::vector<std::string>{"default", "second"}));
  for (const CredentialSecret& first : {passphrase("a second good passphrase"), passphrase_of("alice")}) {
    const auto again = world.start_and_step();
    ASSERT_TRUE(again->unseal("alice", {first.kind, first.secret.clone()}, kSource));
    EXPECT_EQ(again->unseal("bob", passphrase_of("bob"), kSource)->state, VisibleState::unsealed);
  }
}

TEST(Credentials, ChangeWhileSigningToo) {
  World world;
  const auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(chamber->unseal("alice", passphrase_of("alice"), kSource));
  ASSERT_TRUE(chamber->unseal("bob", passphrase_of("bob"), kSource));
  ASSERT_TRUE(chamber->add_credential("carol", proof_of("carol"), named("second"), kSource));
  ASSERT_TRUE(chamber->remove_credential("carol", proof_of("carol"), "default", kSource));
  EXPECT_TRUE(chamber->may_sign());
  EXPECT_EQ(world.listener.closings, 0U);
}

TEST(Credentials, ARemovedOneOpensNothingAndTheLastOneStays) {
  World world;
  const auto chamber = ready_to_unseal(world);
  EXPECT_EQ(code(chamber->remove_credential("alice", proof_of("alice"), "default", kSource)), "last_credential");
  EXPECT_EQ(code(chamber->remove_credential("alice", proof_of("alice"), "other", kSource)), "unknown_credential");
  ASSERT_TRUE(chamber->add_credential("alice", proof_of("alice"), named("second"), kSource));
  ASSERT_TRUE(chamber->remove_credential("alice", named("second"), "default", kSource));
  EXPECT_EQ(ids(*chamber, "alice"), std::vector<std::string>{"second"});
  EXPECT_EQ(code(chamber->unseal("alice", passphrase_of("alice"), kSource)), "wrong_passphrase");
  EXPECT_EQ(code(chamber->remove_credential("alice", named("second"), "second", kSource)), "last_credential");
  EXPECT_EQ(code(chamber->unseal("alice", passphrase("a second good passphrase"), kSource)), "ok");
}

TEST(Credentials, NobodyButTheOwnerChangesThem) {
  World world;
  const auto chamber = ready_to_unseal(world);
  const SealRecord before = world.record();
  std::optional<std::string> message;
  const auto refused = [&](const std::string& name, const NamedCredential& existing) {
    const auto add = chamber->add_credential(name, existing, named("second"), kSource);
    const auto remove = chamber->remove_credential(name, existing, "default", kSource);
    EXPECT_EQ(code(add), "wrong_passphrase");
    EXPECT_EQ(code(remove), "wrong_passphrase");
    EXPECT_TRUE(!message || *message == add.error().message) << "one answer, whatever was wrong";
    message = add.error().message;
  };
  refused("alice", proof_of("bob"));
  refused("alice", proof_of("alice", "another-id"));
  refused("mallory", proof_of("mallory"));
  EXPECT_EQ(world.record(), before);
}

TEST(Credentials, BadNewOnesAreRefusedBeforeThePassphraseIsTried) {
  World world;
  const auto chamber = ready_to_unseal(world);
  const auto add = [&](const NamedCredential& added) {
    return code(chamber->add_credential("alice", proof_of("bob"), added, kSource));
  };
  EXPECT_EQ(add(named("bad id")), "credential_id_invalid");
  EXPECT_EQ(add(named("")), "credential_id_invalid");
  EXPECT_EQ(add(named("second", "fifteen letters")), "passphrase_too_short");
  EXPECT_EQ(add(named("second", "not utf-8 \xff\xfe at all")), "passphrase_invalid");
  EXPECT_EQ(code(chamber->add_credential("alice", proof_of("alice"), named("default"), kSource)), "credential_exists");
}

TEST(Credentials, AreEightAtMost) {
  World world;
  const auto chamber = ready_to_unseal(world);
  for (int i = 2; i <= 8; ++i) {
    ASSERT_TRUE(chamber->add_credential("alice", proof_of("alice"), named("n" + std::to_string(i)), kSource));
  }
  EXPECT_EQ(code(chamber->add_credential("alice", proof_of("alice"), named("n9"), kSource)), "credentials_full");
  EXPECT_EQ(ids(*chamber, "alice").size(), 8U);
  EXPECT_EQ(code(world.start_and_step()->unseal("alice", passphrase("a second good passphrase"), kSource)), "ok");
}

TEST(Credentials, BackOffHoldsForThemToo) {
  World world;
  const auto chamber = ready_to_unseal(world);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(code(chamber->add_credential("alice", named("default", "guess"), named("second"), "attacker")),
              "wrong_passphrase");
  }
  EXPECT_EQ(code(chamber->remove_credential("alice", proof_of("alice"), "default", "attacker")), "too_many_attempts");
  EXPECT_EQ(code(chamber->unseal("alice", passphrase_of("alice"), "attacker")), "too_many_attempts");
  EXPECT_EQ(code(chamber->add_credential("alice", proof_of("alice"), named("second"), "her own desk")), "ok");
}

TEST(Credentials, AreRefusedByNameInEveryStateWithoutThem) {
  const auto add = [](Chamber& chamber) {
    return code(chamber.add_credential("alice", proof_of("alice"), named("second"), kSource));
  };
  World none;
  EXPECT_EQ(add(*none.start()), "not_initialized");
  World registering;
  const auto waiting = registering.start();
  ASSERT_TRUE(init(registering, *waiting, with_operators()));
  EXPECT_EQ(add(*waiting), "wrong_state");
  World automatic;
  const auto alone = automatic.start();
  ASSERT_TRUE(init(automatic, *alone, kms_only()));
  EXPECT_EQ(add(*alone), "wrong_state");
  World sealed;
  const auto open = ready_to_unseal(sealed);
  EXPECT_EQ(add(*sealed.start()), "kms_pending");
  ASSERT_TRUE(open->seal("test", false));
  EXPECT_EQ(add(*open), "wrong_state");
}

TEST(Credentials, TwoReplicasChangeDifferentOnesAtOnceAndBothHold) {
  World world;
  const auto here = ready_to_unseal(world);
  const auto there = world.start_and_step();
  world.store.before_write = [&] {
    ASSERT_TRUE(there->add_credential("bob", proof_of("bob"), named("second"), kSource));
  };
  ASSERT_TRUE(here->add_credential("alice", proof_of("alice"), named("second"), kSource));
  EXPECT_EQ(ids(*here, "alice").size(), 2U);
  EXPECT_EQ(ids(*here, "bob").size(), 2U);
}

TEST(Credentials, AProofThatWasRemovedOnAnotherReplicaMeanwhileChangesNothing) {
  World world;
  const auto here = ready_to_unseal(world);
  ASSERT_TRUE(here->add_credential("alice", proof_of("alice"), named("second"), kSource));
  const auto there = world.start_and_step();
  world.store.before_write = [&] {
    ASSERT_TRUE(there->remove_credential("alice", named("second"), "default", kSource));
  };
  EXPECT_EQ(code(here->add_credential("alice", proof_of("alice"), named("third"), kSource)), "record_conflict");
  EXPECT_EQ(ids(*here, "alice"), std::vector<std::string>{"second"});
}

TEST(Credentials, AStoreThatFailsLeavesEverythingAsItWas) {
  for (const auto fault : {test::StepFault::fails, test::StepFault::lost_write}) {
    World world;
    const auto chamber = ready_to_unseal(world);
    const SealRecord before = world.record();
    world.steps.plant(0, fault);
    EXPECT_EQ(code(chamber->add_credential("alice", proof_of("alice"), named("second"), kSource)), "store_unavailable");
    world.steps.clear();
    EXPECT_EQ(world.record(), before);
    EXPECT_EQ(ids(*chamber, "alice"), std::vector<std::string>{"default"});
  }
}

}  // namespace
}  // namespace cc::seal
