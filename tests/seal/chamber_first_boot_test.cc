#include "seal/chamber_fixture.h"

namespace cc::seal {
namespace {

TEST(FirstBoot, WithoutARecordASetupTokenOf256BitsIsDrawnAtEveryStart) {
  World world;
  const auto first = world.start()->setup_token();
  const auto second = world.start()->setup_token();
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->starts_with("cc-setup-"));
  EXPECT_EQ(first->size(), 9U + 43U);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(world.start()->status().state, VisibleState::uninitialized);
  EXPECT_EQ(world.listener.exists_told.back(), false);
}

TEST(FirstBoot, KmsOnlyInitOpensTheChamberBeforeItReplies) {
  World world;
  const auto chamber = world.start();
  const auto reply = init(world, *chamber, kms_only());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->state, VisibleState::unsealed);
  EXPECT_EQ(reply->validators_loaded, 42U);
  EXPECT_TRUE(reply->operator_tokens.empty());
  EXPECT_TRUE(world.listener.loaded);
  EXPECT_TRUE(chamber->may_sign());
  EXPECT_EQ(chamber->setup_token(), std::nullopt);
  const Status status = chamber->status();
  EXPECT_EQ(status.mode, "kms_only");
  EXPECT_EQ(status.kms_threshold, 2U);
  EXPECT_EQ(status.kms_members, 3U);
  EXPECT_EQ(status.epoch, 1U);
  EXPECT_TRUE(status.kek_beside_data);
  EXPECT_EQ(world.traces.kept.named_chamber, world.listener.last_chamber);
  EXPECT_EQ(world.listener.exists_told.back(), true);
}

TEST(FirstBoot, EveryShareIsBoundToItsPlaceByTheEncryptionContext) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  ASSERT_EQ(world.keks.contexts.size(), 3U);
  const Core core = world.record().core;
  for (unsigned i = 0; i < 3; ++i) {
    const KekContext expected{{"cc:purpose", "seal-share"},
                              {"cc:version", "1"},
                              {"cc:chamber", to_hex(core.chamber)},
                              {"cc:lock", to_hex(core.kms().header.id)},
                              {"cc:index", std::to_string(i + 1)}};
    EXPECT_EQ(world.keks.contexts[i], expected);
  }
}

TEST(FirstBoot, KmsOnlyReopensByItselfAfterARestartWithTheSameMasterKey) {
  World world;
  ASSERT_TRUE(init(world, *world.start(), kms_only()));
  const auto before = world.listener.master->keys.begin()->second.clone();
  const auto chamber = world.start();
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  EXPECT_FALSE(chamber->may_sign());
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  EXPECT_EQ(chamber->status().keys_loaded, 42U);
  EXPECT_TRUE(world.listener.master->keys.begin()->second == before);
  const unsigned openings = world.listener.openings;
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(world.listener.openings, openings) << "there was nothing left to do";
}

TEST(FirstBoot, InitTwiceIsRefusedInEveryState) {
  World world;
  const auto chamber = world.start();
  const std::string token = *chamber->setup_token();
  ASSERT_TRUE(chamber->init(with_operators(), secret(token)));
  EXPECT_EQ(code(chamber->init(kms_only(), secret(token))), "already_initialized");
  World other("other");
  const auto open = other.start();
  ASSERT_TRUE(init(other, *open, kms_only()));
  EXPECT_EQ(code(open->init(kms_only(), secret("cc-setup-whatever"))), "already_initialized");
}

TEST(FirstBoot, AWrongSetupTokenChangesNothing) {
  World world;
  const auto chamber = world.start();
  for (const std::string_view token : {"", "cc-setup-", "cc-setup-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(code(chamber->init(kms_only(), secret(token))), "setup_token_invalid");
  }
  EXPECT_TRUE(world.store.documents.empty());
  EXPECT_TRUE(world.keks.known.empty()) << "no KEK is made for a stranger";
}

struct BadInit {
  const char* what;
  InitRequest request;
  const char* code;
};

std::vector<BadInit> bad_inits() {
  InitRequest repeated = kms_only();
  repeated.keks[2] = repeated.keks[0];
  InitRequest mrk = kms_only();
  mrk.keks[0] = "arn:aws:kms:us-east-1:111111111111:key/mrk-0123";
  mrk.keks[1] = "arn:aws:kms:eu-west-1:111111111111:key/mrk-0123";
  InitRequest bad_arn = kms_only();
  bad_arn.keks[0] = "arn:aws:kms:us-east-1:111:key/x";
  InitRequest operators_without_threshold = with_operators();
  operators_without_threshold.unseal_threshold = 0;
  InitRequest many = kms_only();
  many.keks.clear();
  for (int i = 0; i < 256; ++i) {
    many.keks.push_back("local://k" + std::to_string(i));
  }
  std::vector<std::string> names;
  for (int i = 0; i < 256; ++i) {
    names.push_back("op" + std::to_string(i));
  }
  return {{"threshold 0", kms_only(0), "threshold_invalid"},
          {"threshold over n", kms_only(4), "threshold_invalid"},
          {"no KEK", kms_only(1, 0), "members_invalid"},
          {"256 KEKs", many, "members_invalid"},
          {"repeated KEK", repeated, "kek_repeated"},
          {"multi-region pair", mrk, "kek_repeated"},
          {"bad ARN", bad_arn, "kek_name_invalid"},
          {"operators without a threshold", operators_without_threshold, "threshold_invalid"},
          {"a threshold without operators", with_operators(2, {}), "members_invalid"},
          {"operator threshold over n", with_operators(4), "threshold_invalid"},
          {"256 operators", with_operators(2, names), "members_invalid"},
          {"empty operator name", with_operators(1, {""}), "operator_name_invalid"},
          {"space in a name", with_operators(1, {"al ice"}), "operator_name_invalid"},
          {"65 characters", with_operators(1, {std::string(65, 'a')}), "operator_name_invalid"},
          {"an operator twice", with_operators(1, {"alice", "alice"}), "operator_name_invalid"}};
}

TEST(FirstBoot, BadInitRequestsAreNamedAndStoreNothing) {
  for (const BadInit& bad : bad_inits()) {
    World world;
    const auto chamber = world.start();
    EXPECT_EQ(code(init(world, *chamber, bad.request)), bad.code) << bad.what;
    EXPECT_TRUE(world.store.documents.empty()) << bad.what;
    EXPECT_EQ(chamber->status().state, VisibleState::uninitialized) << bad.what;
    EXPECT_TRUE(chamber->setup_token()) << bad.what;
  }
}

TEST(FirstBoot, OneKekThatDoesNotAnswerStoresNothing) {
  for (const ErrorKind kind : {ErrorKind::kms_unreachable, ErrorKind::kms_denied, ErrorKind::kms_missing}) {
    World world;
    world.keks.broken["local://kek-3"] = kind;
    const auto chamber = world.start();
    const auto reply = init(world, *chamber, kms_only());
    EXPECT_EQ(code(reply), facts(kind).code);
    EXPECT_NE(reply.error().message.find("local://kek-3"), std::string::npos) << "the KEK in trouble is named";
    EXPECT_TRUE(world.store.documents.empty());
    world.keks.broken.clear();
    EXPECT_TRUE(init(world, *chamber, kms_only())) << "the same setup token is still good";
  }
}

TEST(FirstBoot, OperatorsRegisterOneByOneAndTheLastSealsTheChamber) {
  World world;
  const auto chamber = world.start();
  const auto reply = init(world, *chamber, with_operators());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->state, VisibleState::awaiting_registration);
  ASSERT_EQ(reply->operator_tokens.size(), 3U);
  EXPECT_EQ(reply->operator_tokens[1].first, "bob");
  EXPECT_TRUE(world.tokens["bob"].starts_with("cc-reg-"));
  EXPECT_EQ(world.tokens["bob"].size(), 7U + 43U);
  EXPECT_EQ(world.listener.openings, 0U) << "no key is ready before the quorum exists";
  EXPECT_TRUE(chamber->setup_token()) << "good for init-reset";
  EXPECT_EQ(world.traces.kept.named_chamber, std::nullopt);

  auto registered = enroll(world, *chamber, "bob", "password-1");
  ASSERT_TRUE(registered) << registered.error().message;
  EXPECT_EQ(registered->registered, 1U);
  EXPECT_EQ(registered->remaining, 2U);
  EXPECT_EQ(registered->state, std::nullopt);
  EXPECT_EQ(chamber->credential_ids("bob").value(), std::vector<std::string>{"password-1"});
  EXPECT_EQ(chamber->credential_ids("alice").value(), std::vector<std::string>{});
  EXPECT_EQ(code(chamber->credential_ids("dave")), "unknown_operator");
  ASSERT_TRUE(enroll(world, *chamber, "carol"));
  registered = enroll(world, *chamber, "alice");
  ASSERT_TRUE(registered);
  EXPECT_EQ(registered->remaining, 0U);
  EXPECT_EQ(registered->state, VisibleState::sealed);
  EXPECT_EQ(chamber->setup_token(), std::nullopt);
  EXPECT_EQ(chamber->status().mode, "unseal");
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::kms_unsealed);
}

TEST(FirstBoot, RegistrationGoesOnAfterARestart) {
  World world;
  ASSERT_TRUE(init(world, *world.start(), with_operators()));
  const auto chamber = world.start();
  EXPECT_EQ(chamber->status().state, VisibleState::awaiting_registration);
  EXPECT_EQ(code(enroll(world, *chamber, "alice")), "kms_pending");
  ASSERT_TRUE(chamber->run_kms_step());
  EXPECT_EQ(chamber->status().state, VisibleState::awaiting_registration);
  EXPECT_TRUE(enroll(world, *chamber, "alice"));
}

TEST(FirstBoot, ARegistrationTokenIsGoodOnceAndForItsOperatorOnly) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  const auto attempt = [&](const std::string& name, const std::string& token) {
    return code(chamber->register_operator(name, secret(token), "default", passphrase_of(name)));
  };
  EXPECT_EQ(attempt("alice", world.tokens["bob"]), "registration_token_invalid");
  EXPECT_EQ(attempt("dave", world.tokens["alice"]), "registration_token_invalid");
  EXPECT_EQ(attempt("alice", ""), "registration_token_invalid");
  EXPECT_EQ(attempt("alice", "cc-reg-short"), "registration_token_invalid");
  EXPECT_EQ(attempt("alice", *chamber->setup_token()), "registration_token_invalid");
  EXPECT_EQ(attempt("alice", world.tokens["alice"]), "ok");
  EXPECT_EQ(attempt("alice", world.tokens["alice"]), "registration_token_invalid") << "reused";
  EXPECT_EQ(attempt("bob", world.tokens["bob"]), "ok");
  EXPECT_EQ(attempt("carol", world.tokens["carol"]), "ok");
  EXPECT_EQ(attempt("carol", world.tokens["carol"]), "registration_token_invalid") << "after the last";
}

TEST(FirstBoot, APassphraseNeedsSixteenCodePointsAfterNormalisation) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  const auto attempt = [&](std::string_view text) {
    return code(chamber->register_operator("alice", secret(world.tokens["alice"]), "default", passphrase(text)));
  };
  EXPECT_EQ(attempt("fifteen letters"), "passphrase_too_short");
  // 15 letters e with a combining accent: 30 code points before NFC, 15 after.
  std::string accents;
  for (int i = 0; i < 15; ++i) {
    accents += "e\xcc\x81";
  }
  EXPECT_EQ(attempt(accents), "passphrase_too_short");
  EXPECT_EQ(attempt("sixteen letters \xff"), "passphrase_invalid");
  EXPECT_EQ(attempt(std::string((64 << 10) + 1, 'a')), "passphrase_invalid");
  EXPECT_EQ(code(chamber->register_operator("alice", secret(world.tokens["alice"]), "bad id", passphrase_of("alice"))),
            "credential_id_invalid");
  EXPECT_EQ(code(chamber->register_operator("alice", secret(world.tokens["alice"]), "default",
                                            CredentialSecret{"carrier-pigeon", secret("0123456789abcdef")})),
            "unsupported");
  EXPECT_EQ(attempt(accents + "e\xcc\x81"), "ok") << "the token survived every refusal";
}

TEST(FirstBoot, ATokenOpensOnlyWhatItsOperatorWasDealtAndLeavesNoTraceAfterwards) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  EXPECT_TRUE(world.record().members.lists[0].entries[0].pending.has_value());
  ASSERT_TRUE(enroll(world, *chamber, "alice"));
  const MemberEntry entry = world.record().members.lists[0].entries[0];
  EXPECT_FALSE(entry.pending.has_value());
  EXPECT_EQ(entry.credentials.size(), 1U);
}

TEST(FirstBoot, InitResetLeavesATombstoneAndANewSetupToken) {
  World world;
  const auto chamber = world.start();
  const std::string token = *chamber->setup_token();
  EXPECT_EQ(code(chamber->init_reset(secret(token))), "not_initialized");
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  ASSERT_TRUE(enroll(world, *chamber, "alice"));
  EXPECT_EQ(code(chamber->init_reset(secret("cc-setup-no"))), "setup_token_invalid");
  const auto revision = world.store.record().revision;
  ASSERT_TRUE(chamber->init_reset(secret(token)));
  EXPECT_EQ(world.store.record().revision, revision + 1);
  EXPECT_TRUE(std::holds_alternative<Tombstone>(decode(world.store.record().content).value()));
  EXPECT_EQ(chamber->status().state, VisibleState::uninitialized);
  ASSERT_TRUE(chamber->setup_token());
  EXPECT_NE(*chamber->setup_token(), token);
  EXPECT_EQ(world.listener.exists_told.back(), false);
  EXPECT_EQ(code(enroll(world, *chamber, "bob")), "not_initialized");
  EXPECT_EQ(world.start()->status().state, VisibleState::uninitialized);
  ASSERT_TRUE(init(world, *chamber, kms_only())) << "a new chamber may be made over a tombstone";
  EXPECT_EQ(code(chamber->init_reset(secret(token))), "wrong_state");
}

TEST(FirstBoot, TwoReplicasThatInitAtOnceEndWithOneChamber) {
  World world;
  const auto first = world.start();
  const auto second = world.start();
  world.store.before_write = [&] { ASSERT_TRUE(init(world, *second, with_operators())); };
  EXPECT_EQ(code(first->init(kms_only(), secret(*first->setup_token()))), "already_initialized");
  EXPECT_EQ(first->status().state, VisibleState::awaiting_registration);
  EXPECT_TRUE(enroll(world, *second, "alice"));
}

TEST(FirstBoot, OperatorsMayRegisterOnTwoReplicasAtOnce) {
  World world;
  const auto first = world.start();
  ASSERT_TRUE(init(world, *first, with_operators()));
  const auto second = world.start_and_step();
  world.store.before_write = [&] { ASSERT_TRUE(enroll(world, *second, "bob")); };
  const auto reply = enroll(world, *first, "alice");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->registered, 2U);
  const auto last = enroll(world, *second, "carol");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->state, VisibleState::sealed);
  ASSERT_TRUE(first->poll());
  EXPECT_EQ(first->status().state, VisibleState::sealed);
  EXPECT_EQ(first->setup_token(), std::nullopt) << "void on every replica that sees `set`";
}

}  // namespace
}  // namespace cc::seal
