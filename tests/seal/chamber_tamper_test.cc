// Altered, damaged, older, missing and foreign records: each is named, none opens silently.
#include <gmock/gmock.h>

#include "seal/chamber_fixture.h"
#include "seal/credential.h"
#include "seal/record_keys.h"

namespace cc::seal {
namespace {

// A chamber that was opened once, so that the test holds its master key; then stopped.
struct Opened {
  explicit Opened(const InitRequest& request) : operators(request.operators) {
    const auto chamber = request.operators.empty() ? world.start() : ready_to_unseal(world, request);
    if (request.operators.empty()) {
      EXPECT_TRUE(init(world, *chamber, request));
    } else {
      for (unsigned i = 0; i < request.unseal_threshold; ++i) {
        EXPECT_TRUE(chamber->unseal(request.operators[i], passphrase_of(request.operators[i]), "s"));
      }
    }
    EXPECT_TRUE(chamber->may_sign());
    good = world.store.record();
    record = world.record();
  }
  Secret<32> master() const { return world.listener.master->keys.at(record.core.master_key).clone(); }

  // Boots on `content` in place of the good record and tries everything to open it; the first refusal's code.
  std::string open_with(Bytes content) {
    world.store.record() = {good.revision, std::move(content)};
    const auto chamber = world.start();
    Result<void> outcome = chamber->run_kms_step();
    if (outcome && chamber->status().state == VisibleState::kms_unsealed) {
      for (const std::string& name : operators) {
        const auto reply = chamber->unseal(name, passphrase_of(name), "s");
        if (!reply) {
          outcome = fail(reply.error());
        }
        if (!reply || reply->state) {
          break;
        }
      }
    }
    EXPECT_EQ(chamber->may_sign(), outcome.has_value() && chamber->status().state == VisibleState::unsealed);
    return code(outcome);
  }
  std::string open_with(const SealRecord& forged) { return open_with(encode(forged)); }

  World world;
  std::vector<std::string> operators;
  Document good;
  SealRecord record;
};

InitRequest small_kms() { return kms_only(1, 1); }
InitRequest small_operators() {
  InitRequest request = with_operators(1, {"alice"});
  request.keks.resize(1);
  request.kms_threshold = 1;
  return request;
}

TEST(Tamper, EveryFlippedBitOfTheDocumentIsDamage) {
  for (const InitRequest& request : {small_kms(), small_operators()}) {
    Opened opened(request);
    for (std::size_t bit = 0; bit < opened.good.content.size() * 8; ++bit) {
      Bytes flipped = opened.good.content;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      ASSERT_EQ(opened.open_with(flipped), "record_malformed") << "bit " << bit;
    }
  }
}

TEST(Tamper, EveryCutOfTheDocumentIsDamage) {
  for (const InitRequest& request : {small_kms(), small_operators()}) {
    Opened opened(request);
    for (std::size_t size = 0; size < opened.good.content.size(); ++size) {
      ASSERT_EQ(opened.open_with(Bytes(opened.good.content.begin(), opened.good.content.begin() + size)),
                "record_malformed")
          << size;
    }
  }
}

// A forger repairs the checksum. Then the MACs, the locks' own AEADs and the KEK must find every bit of core and
// members.
TEST(Tamper, EveryFlippedBitUnderARepairedChecksumIsNamed) {
  const auto named = testing::AnyOf("record_malformed", "record_tampered", "wrong_master_key", "kms_mismatch",
                                    "kms_missing", "record_older", "slashing_store_mismatch", "kek_name_invalid");
  for (const InitRequest& request : {small_kms(), small_operators()}) {
    Opened opened(request);
    const std::size_t covered = opened.good.content.size() - 32;
    // The hints stand at the end, before the checksum's head: 08 a2 01 <generation> 02 <hold>, then 09 58 20.
    const std::size_t hints = covered - 3 - 6;
    ASSERT_EQ(opened.good.content[hints], 0x08);
    for (std::size_t bit = 0; bit < hints * 8; ++bit) {
      Bytes flipped = opened.good.content;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const crypto::Digest checksum = crypto::sha256(ByteView(flipped).first(covered));
      std::ranges::copy(checksum, flipped.begin() + static_cast<std::ptrdiff_t>(covered));
      ASSERT_THAT(opened.open_with(flipped), named) << "bit " << bit;
    }
  }
}

TEST(Tamper, ForgedHintsOnlyMakeTheChamberRefuse) {
  Opened opened(small_kms());
  SealRecord held = opened.record;
  held.hints.hold = true;
  opened.world.store.record() = {opened.good.revision, encode(held)};
  EXPECT_EQ(opened.world.start_and_step()->status().state, VisibleState::sealed);
}

TEST(Tamper, EachPartOfTheCoreIsCoveredByTheRecordMac) {
  Opened opened(with_operators());
  const auto forged = [&](const std::function<void(Core&)>& change) {
    SealRecord record = opened.record;
    change(record.core);
    return opened.open_with(record);
  };
  EXPECT_EQ(forged([](Core& core) { core.parent[0] ^= 1; }), "record_tampered");
  EXPECT_EQ(forged([](Core& core) { core.epoch += 7; }), "record_tampered");
  EXPECT_EQ(forged([](Core& core) { core.kcv[5] ^= 1; }), "wrong_master_key");
  EXPECT_EQ(forged([](Core& core) { core.master_key[5] ^= 1; }), "wrong_master_key");
  EXPECT_EQ(forged([](Core& core) { core.retired_locks.push_back(LockId{}); }), "record_tampered");
  EXPECT_EQ(forged([](Core& core) { core.retired_operators.push_back("mallory"); }), "record_tampered");
  EXPECT_EQ(forged([](Core& core) { core.content.back() ^= 1; }), "record_tampered");
  EXPECT_EQ(forged([](Core& core) { core.locks[0].header.m = 1; }), "kms_mismatch") << "shares carry their threshold";
  EXPECT_EQ(forged([](Core& core) { core.locks[0].members[2].wrap.back() ^= 1; }), "record_tampered")
      << "the third KEK is not needed, and its wrap is covered all the same";
  EXPECT_EQ(forged([](Core& core) { core.locks[1].members[2].verifier[0] ^= 1; }), "record_tampered");
}

TEST(Tamper, AForgedVerifierCannotKeepGoodSharesOut) {
  Opened opened(with_operators());
  // Both of the lock's verdicts lie: the shares are set aside, tried last, and open; then the record's MAC names the
  // forger.
  SealRecord kms = opened.record;
  kms.core.locks[0].members[0].verifier[0] ^= 1;
  kms.core.locks[0].members[1].verifier[0] ^= 1;
  EXPECT_EQ(opened.open_with(kms), "record_tampered");
  SealRecord people = opened.record;
  people.core.locks[1].members[0].verifier[0] ^= 1;
  opened.world.store.record() = {opened.good.revision, encode(people)};
  const auto chamber = opened.world.start_and_step();
  EXPECT_EQ(code(chamber->unseal("alice", passphrase_of("alice"), "s")), "share_mismatch");
  EXPECT_EQ(chamber->status().shares_received, 0U);
  EXPECT_EQ(code(chamber->unseal("bob", passphrase_of("bob"), "s")), "record_tampered")
      << "together they open the lock, and the core shows what was done to it";
}

TEST(Tamper, AnAlteredMembersPartIsFoundWhenTheKmsLockOpens) {
  Opened opened(with_operators());
  SealRecord record = opened.record;
  record.members.lists[0].entries[0].drilled = 1;
  EXPECT_EQ(opened.open_with(record), "record_tampered");
  record = opened.record;
  record.members.lists[0].entries[0].credentials[0].box.back() ^= 1;
  EXPECT_EQ(opened.open_with(record), "record_tampered");
  record = opened.record;
  std::swap(record.members.lists[0].entries[0], record.members.lists[0].entries[1]);
  EXPECT_EQ(opened.open_with(record), "record_tampered");
}

// ---- Shares of a replaced set ----

struct KmsOpened {
  Secret<32> pepper;
};
KmsOpened open_pepper(Opened& opened) {
  const Core& core = opened.record.core;
  ShareCollection shares(core.chamber, core.kms());
  for (unsigned i = 1; i <= core.kms().header.m; ++i) {
    const auto context = KekContext{{"cc:purpose", "seal-share"},
                                    {"cc:version", "1"},
                                    {"cc:chamber", to_hex(core.chamber)},
                                    {"cc:lock", to_hex(core.kms().header.id)},
                                    {"cc:index", std::to_string(i)}};
    const auto rtss =
        opened.world.keks.unwrap(core.kms().header.members[i - 1], context, core.kms().members[i - 1].wrap);
    shares.add(read_share(*rtss, core.kms().header, i, {}).value());
  }
  const auto lock_key = shares.combine().value();
  const auto content = open_content(lock_key, core.chamber, core.kms().header, core.content).value();
  return {decode_kms_content(content)->pepper.clone()};
}

TEST(Tamper, AShareOfAReplacedSetIsNamedAndGoodSharesStay) {
  Opened opened(with_operators());
  const Secret<32> pepper = open_pepper(opened).pepper.clone();
  SealRecord record = opened.record;
  const LockId retired{0xaa};
  record.core.retired_locks.push_back(retired);
  record.record_mac = record_mac(opened.master(), record.core);
  // Bob's entry is replaced by a credential from the lock that was replaced, by somebody who knows the pepper.
  const MemberName member{record.core.chamber, retired, 2, "bob"};
  const auto secret_of_bob = prepare_secret(passphrase_of("bob"));
  const crypto::Share old{2, Secret<64>()};
  const auto box = make_credential(pepper, member, "default", *secret_of_bob, {8192, 1, 1},
                                   crypto::to_rtss(old, retired, 2), opened.world.random);
  record.members.lists[0].entries[1].credentials[0].box = *box;
  record.members_mac = members_mac(pepper, record.core, record.members);
  // The slashing store has not seen this line of changes.
  opened.world.traces.kept = {};
  opened.world.store.record() = {opened.good.revision, encode(record)};
  const auto chamber = opened.world.start_and_step();
  ASSERT_EQ(chamber->status().state, VisibleState::kms_unsealed);
  ASSERT_TRUE(chamber->unseal("alice", passphrase_of("alice"), "s"));
  EXPECT_EQ(code(chamber->unseal("bob", passphrase("not the right passphrase"), "s")), "wrong_passphrase")
      << "the finer verdict only once the credential opened";
  EXPECT_EQ(code(chamber->unseal("bob", passphrase_of("bob"), "s")), "share_older_set");
  EXPECT_EQ(chamber->status().shares_received, 1U);
  EXPECT_EQ(chamber->unseal("carol", passphrase_of("carol"), "s")->state, VisibleState::unsealed);
}

TEST(Tamper, AShareOfAnotherSetAndOneOfAnotherOperatorAreNamedInTheCeremonyAndGoodSharesStay) {
  Opened opened(with_operators());
  const Secret<32> pepper = open_pepper(opened).pepper.clone();
  const LockId active = opened.record.core.operators()->header.id;
  struct Case {
    unsigned index;  // x of the share
    LockId lock;
    unsigned threshold;
    std::string verdict;
  };
  for (const Case& bad : {Case{2, LockId{0xbb}, 2, "share_other_set"}, Case{3, active, 2, "share_wrong_operator"},
                          Case{2, active, 3, "share_wrong_operator"}, Case{2, active, 2, "share_mismatch"}}) {
    SCOPED_TRACE(bad.verdict);
    // Somebody who knows the pepper and Bob's passphrase put it into Bob's own credential.
    SealRecord record = opened.record;
    const MemberName bob{record.core.chamber, active, 2, "bob"};
    const crypto::Share share{static_cast<std::uint8_t>(bad.index), Secret<64>()};
    record.members.lists[0].entries[1].credentials[0].box =
        *make_credential(pepper, bob, "default", *prepare_secret(passphrase_of("bob")), {8192, 1, 1},
                         crypto::to_rtss(share, bad.lock, bad.threshold), opened.world.random);
    record.members_mac = members_mac(pepper, record.core, record.members);
    opened.world.store.record() = {opened.good.revision, encode(record)};
    const auto chamber = opened.world.start_and_step();
    ASSERT_EQ(chamber->status().state, VisibleState::kms_unsealed);
    ASSERT_TRUE(chamber->unseal("alice", passphrase_of("alice"), "s"));
    EXPECT_EQ(code(chamber->unseal("bob", passphrase("not the right passphrase"), "s")), "wrong_passphrase");
    EXPECT_EQ(code(chamber->drill("bob", passphrase_of("bob"), "s")), bad.verdict);
    EXPECT_EQ(code(chamber->unseal("bob", passphrase_of("bob"), "s")), bad.verdict);
    EXPECT_EQ(chamber->status().shares_received, 1U);
    EXPECT_EQ(chamber->unseal("carol", passphrase_of("carol"), "s")->state, VisibleState::unsealed);
  }
}

TEST(Tamper, AMembersPartOfAReplacedSetIsNamed) {
  Opened opened(with_operators());
  SealRecord record = opened.record;
  record.core.retired_locks.push_back(record.members.lists[0].lock);
  record.core.locks[1].header.id[0] ^= 1;
  const auto decoded = decode(encode(record));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().kind, ErrorKind::record_tampered);
  EXPECT_NE(decoded.error().message.find("replaced"), std::string::npos);
}

TEST(Tamper, StoredArgon2ParametersOutOfRangeAreRefusedUnrun) {
  Opened opened(small_operators());
  const Secret<32> pepper = open_pepper(opened).pepper.clone();
  SealRecord record = opened.record;
  const MemberName member{record.core.chamber, record.core.operators()->header.id, 1, "alice"};
  auto blob =
      open_pepper_layer(pepper, member, "default", record.members.lists[0].entries[0].credentials[0].box).value();
  blob.params.memory_kib = 64U << 20;  // 64 GiB
  const auto refused = open_credential(blob, member, "default", *prepare_secret(passphrase_of("alice")));
  EXPECT_EQ(code(refused), "record_malformed");
}

// ---- Older, missing, foreign ----

TEST(Rollback, AProcessRefusesAnOlderRevision) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  const Document before = world.store.record();
  ASSERT_TRUE(enroll(world, *chamber, "alice"));
  world.store.record() = before;
  EXPECT_EQ(code(enroll(world, *chamber, "bob")), "record_older");
  EXPECT_EQ(chamber->status().trouble->kind, ErrorKind::record_older);
}

TEST(Rollback, OldContentUnderANewRevisionIsRefusedToo) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  const Bytes before = world.store.record().content;
  ASSERT_TRUE(enroll(world, *chamber, "alice"));
  world.store.record() = {world.store.record().revision + 1, before};
  EXPECT_EQ(code(chamber->poll()), "record_older") << "alice's waiting share is back";
}

TEST(Rollback, ChangedContentUnderTheSameRevisionIsTampering) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  SealRecord record = world.record();
  record.hints.seal_generation = 9;
  world.store.record().content = encode(record);
  EXPECT_EQ(code(chamber->poll()), "record_tampered");
}

TEST(Rollback, AnEpochBelowTheSlashingStoresMemoryIsRefusedOverRestarts) {
  Opened opened(small_kms());
  opened.world.traces.kept.highest_epoch = 5;
  EXPECT_EQ(opened.open_with(opened.good.content), "record_older");
  const Status status = opened.world.start()->status();
  EXPECT_EQ(status.state, VisibleState::sealed);
  ASSERT_TRUE(status.trouble) << "named at boot, before anybody types a passphrase";
  EXPECT_EQ(status.trouble->kind, ErrorKind::record_older);
}

// Registration keeps the epoch, so a record from the middle of it must be told by the chamber having been open since:
// else a used registration token would enrol a second credential, or init-reset would erase a live chamber.
TEST(Rollback, ARecordFromRegistrationIsRefusedOnceTheChamberWasOpen) {
  World world;
  auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators(1, {"alice", "bob"})));
  ASSERT_TRUE(enroll(world, *chamber, "alice"));
  const Document during = world.store.record();
  ASSERT_TRUE(enroll(world, *chamber, "bob"));
  ASSERT_TRUE(chamber->run_kms_step());
  ASSERT_TRUE(chamber->unseal("alice", passphrase_of("alice"), "here"));
  world.store.record() = during;
  chamber = world.start_and_step();
  ASSERT_TRUE(chamber->status().trouble);
  EXPECT_EQ(chamber->status().trouble->kind, ErrorKind::record_older);
  EXPECT_EQ(code(enroll(world, *chamber, "bob")), "record_older");
  EXPECT_NE(code(chamber->init_reset(secret(chamber->setup_token().value_or("none")))), "ok");
  EXPECT_EQ(world.store.record().content, during.content) << "nothing was written over it";
}

TEST(Rollback, InitResetNeverErasesAChamberWhoseKeysExist) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  world.traces.kept.key_records = true;
  EXPECT_EQ(code(chamber->init_reset(secret(chamber->setup_token().value_or("none")))), "record_missing");
  EXPECT_FALSE(std::holds_alternative<Tombstone>(*decode(world.store.record().content)));
}

TEST(Rollback, AnotherLineOfChangesAtTheSameEpochIsRefused) {
  Opened opened(small_kms());
  opened.world.traces.kept.core_digest[0] ^= 1;
  EXPECT_EQ(opened.open_with(opened.good.content), "record_older");
}

TEST(Rollback, AForeignSlashingStoreKeepsTheChamberClosed) {
  Opened opened(small_kms());
  opened.world.traces.kept.named_chamber->at(0) ^= 1;
  EXPECT_EQ(opened.open_with(opened.good.content), "slashing_store_mismatch");
}

TEST(Rollback, AHigherEpochIsRememberedOnlyOnceItWasProven) {
  Opened opened(small_kms());
  SealRecord forged = opened.record;
  forged.core.epoch = 99;
  EXPECT_EQ(opened.open_with(forged), "record_tampered");
  EXPECT_EQ(opened.world.traces.kept.highest_epoch, 1U);
  EXPECT_EQ(opened.open_with(opened.good.content), "ok");
}

TEST(Missing, NoRecordWhileSealedKeysExistIsNeverUninitialized) {
  World world;
  world.traces.kept.key_records = true;
  const auto chamber = world.start();
  EXPECT_EQ(chamber->status().state, VisibleState::sealed);
  EXPECT_EQ(chamber->status().trouble->kind, ErrorKind::record_missing);
  EXPECT_EQ(chamber->setup_token(), std::nullopt);
  EXPECT_EQ(code(chamber->init(kms_only(), secret("cc-setup-x"))), "record_missing");
  EXPECT_EQ(world.listener.exists_told.back(), true);
}

TEST(Missing, NoRecordWhileTheSlashingStoreNamesAChamberIsMissing) {
  World world;
  world.traces.kept.named_chamber = ChamberId{1};
  EXPECT_EQ(world.start()->status().trouble->kind, ErrorKind::record_missing);
  Opened opened(small_kms());
  opened.world.store.documents.clear();
  EXPECT_EQ(opened.world.start()->status().trouble->kind, ErrorKind::record_missing);
}

TEST(Missing, ATombstoneDoesNotExplainSealedKeys) {
  Opened opened(small_kms());
  EXPECT_EQ(opened.open_with(encode(Tombstone{opened.record.core.chamber})), "record_missing");
}

TEST(Missing, ARecordThatVanishesUnderARunningProcessIsNamed) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, with_operators()));
  const Document kept = world.store.record();
  world.store.documents.clear();
  EXPECT_EQ(code(chamber->poll()), "record_missing");
  EXPECT_EQ(code(chamber->init(kms_only(), secret(*chamber->setup_token()))), "record_missing");
  world.store.documents[kSealRecordDocument] = kept;
  EXPECT_EQ(code(chamber->poll()), "ok");
}

TEST(Missing, AnotherChambersRecordUnderARunningProcessIsNamed) {
  World world;
  const auto chamber = world.start();
  ASSERT_TRUE(init(world, *chamber, kms_only()));
  World other("other seed");
  ASSERT_TRUE(init(other, *other.start(), kms_only()));
  world.store.record() = {world.store.record().revision + 1, other.store.record().content};
  EXPECT_EQ(code(chamber->poll()), "record_tampered");
}

}  // namespace
}  // namespace cc::seal
