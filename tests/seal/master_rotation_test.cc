// rotate master: a new master key, key record by key record, and what an old copy of the seal record is worth then.
#include <gmock/gmock.h>

#include "seal/lock_kms.h"
#include "seal/master_world.h"
#include "seal/record_keys.h"

namespace cc::seal {
namespace {

using testing::HasSubstr;

constexpr std::size_t kKeys = 40;  // more than one batch

struct MasterRotation : testing::TestWithParam<bool> {
  MasterWorld w{"master rotation"};
  void SetUp() override { prepare(w, GetParam(), kKeys); }
};
INSTANTIATE_TEST_SUITE_P(Modes, MasterRotation, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "unseal" : "kms_only"; });

TEST_P(MasterRotation, MovesEveryKeyRecordAndThenDropsTheOldKey) {
  const SealRecord before = w.world.record();
  const auto rotated = w.rotate();
  ASSERT_TRUE(rotated) << rotated.error().message;
  const SealRecord after = w.world.record();
  EXPECT_EQ(after.core.epoch, before.core.epoch + 2);
  EXPECT_NE(after.core.master_key, before.core.master_key);
  EXPECT_FALSE(after.core.retiring);
  EXPECT_EQ(after.core.locks, before.core.locks) << "members, shares and wraps stay";
  EXPECT_EQ(after.members, before.members) << "no credential is touched";
  EXPECT_EQ(w.used(), std::set<MasterKeyId>{after.core.master_key});
  EXPECT_EQ(w.ring.size(), kKeys);
  EXPECT_EQ(w.world.listener.closings, 0U);
  const auto opened = w.open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(w.chamber->status().keys_loaded, kKeys);
  EXPECT_EQ(w.world.listener.master->keys.size(), 1U) << "the old master key is nowhere any more";
}

TEST_P(MasterRotation, StatusShowsHowFarItIsAndTheSignerSignsAllTheTime) {
  ASSERT_TRUE(w.chamber->rotate_master());
  if (GetParam()) {
    const auto waiting = w.chamber->status();
    EXPECT_EQ(waiting.state, VisibleState::awaiting_rotation);
    EXPECT_EQ(waiting.rotation->kind, "master");
    EXPECT_EQ(waiting.rotation->approvals_required, 2U);
    ASSERT_TRUE(w.approve_all());
  }
  auto status = w.chamber->status();
  EXPECT_EQ(status.state, VisibleState::unsealed);
  ASSERT_TRUE(status.rotation);
  EXPECT_TRUE(status.rotation->resealing);
  EXPECT_FALSE(status.rotation->left) << "nobody has counted yet";
  std::uint64_t last = kKeys + 2;
  bool more = true;
  while (more) {
    const auto worked = w.chamber->work_on_master_key();
    ASSERT_TRUE(worked) << worked.error().message;
    more = *worked;
    status = w.chamber->status();
    EXPECT_TRUE(w.chamber->may_sign());
    if (more) {
      ASSERT_TRUE(status.rotation && status.rotation->left);
      EXPECT_LT(*status.rotation->left, last) << "progress";
      last = *status.rotation->left;
    }
  }
  EXPECT_FALSE(status.rotation);
  EXPECT_FALSE(*w.chamber->work_on_master_key());
}

TEST_P(MasterRotation, KeysThatComeAndGoMeanwhileAreUnderTheNewOne) {
  ASSERT_TRUE(w.chamber->rotate_master());
  if (GetParam()) {
    ASSERT_TRUE(w.approve_all());
  }
  ASSERT_TRUE(*w.chamber->work_on_master_key());
  const MasterKeyId current = w.world.record().core.master_key;
  const auto made = w.service->generate(1);
  ASSERT_TRUE(made);
  const BlsPublicKey fresh = *made->front().public_key;
  EXPECT_EQ(keys::decode(w.store.records.at(fresh).record)->master_key, current);
  // One that is still under the old key changes its status under it, and another leaves.
  const BlsPublicKey last = w.store.records.rbegin()->first;
  ASSERT_TRUE(w.service->set_status({last}, keys::KeyStatus::inactive));
  ASSERT_TRUE(w.service->set_status({last}, keys::KeyStatus::active));
  ASSERT_TRUE(w.service->remove({std::next(w.store.records.rbegin())->first}, true));
  ASSERT_TRUE(w.go_on());
  EXPECT_EQ(w.used(), std::set<MasterKeyId>{current});
  EXPECT_TRUE(w.open());
}

TEST_P(MasterRotation, GoesOnByItselfAfterARestartOrASeal) {
  ASSERT_TRUE(w.chamber->rotate_master());
  if (GetParam()) {
    ASSERT_TRUE(w.approve_all());
  }
  ASSERT_TRUE(*w.chamber->work_on_master_key());
  ASSERT_EQ(w.used().size(), 2U);
  ASSERT_TRUE(w.open());
  EXPECT_EQ(w.ring.size(), kKeys) << "both master keys open records";
  ASSERT_TRUE(*w.chamber->work_on_master_key());
  ASSERT_TRUE(w.chamber->seal("test", false));
  EXPECT_FALSE(*w.chamber->work_on_master_key()) << "nothing is done while sealed";
  ASSERT_TRUE(w.open());
  ASSERT_TRUE(w.go_on());
  EXPECT_EQ(w.used(), std::set<MasterKeyId>{w.world.record().core.master_key});
}

TEST_P(MasterRotation, OtherRotationsWaitAndItCannotBeTakenBack) {
  ASSERT_TRUE(w.chamber->rotate_master());
  if (GetParam()) {
    EXPECT_EQ(code(w.chamber->rotate_master()), "wrong_state") << "one is waiting for its approvals";
    ASSERT_TRUE(w.chamber->rotate_cancel());
    EXPECT_FALSE(w.world.record().core.staged);
    ASSERT_TRUE(w.chamber->rotate_master());
    ASSERT_TRUE(w.approve_all());
  }
  EXPECT_EQ(code(w.chamber->rotate_master()), "wrong_state");
  EXPECT_EQ(code(w.chamber->rotate_kms({{"local://other"}, 1})), "wrong_state");
  EXPECT_EQ(code(w.chamber->rotate_cancel()), "wrong_state");
  EXPECT_THAT(w.chamber->rotate_cancel().error().message, HasSubstr("by itself"));
  ASSERT_TRUE(w.go_on());
  EXPECT_TRUE(w.rotate()) << "and the next one may begin";
}

TEST_P(MasterRotation, ATamperedKeyRecordStopsItAndNamesItsKey) {
  ASSERT_TRUE(w.chamber->rotate_master());
  if (GetParam()) {
    ASSERT_TRUE(w.approve_all());
  }
  const auto good = w.store.records.rbegin()->second;
  w.store.records.rbegin()->second.record.back() ^= 1;
  const auto stopped = w.go_on();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::key_record_tampered);
  EXPECT_THAT(stopped.error().message, HasSubstr(to_0x(good.public_key)));
  EXPECT_TRUE(w.world.record().core.retiring) << "the old key stays as long as a record may need it";
  w.store.records.at(good.public_key) = good;
  EXPECT_TRUE(w.go_on());
}

// What the whole ceremony is for.
TEST_P(MasterRotation, AnOldCopyOfTheRecordWithItsMembersOpensNoNewKeyRecord) {
  const auto old_documents = w.world.store.documents;
  const auto old_records = w.store.records;
  ASSERT_TRUE(w.rotate());
  const ChamberId chamber = w.world.record().core.chamber;

  // The thief has the old seal record, every KEK and every passphrase, and no slashing store that remembers.
  MasterWorld thief("thief");
  thief.copy_stored(w);
  thief.world.store.documents = old_documents;
  thief.world.traces.kept = {};
  const auto opened = thief.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::wrong_master_key);
  ASSERT_TRUE(thief.world.listener.master) << "the old copy still gives a master key";
  const auto& old_keys = *thief.world.listener.master;
  const auto derived = keys::derive_record_keys(chamber, old_keys.current, old_keys.keys.at(old_keys.current));
  ASSERT_EQ(w.store.records.size(), old_records.size());
  for (const auto& [public_key, stored] : w.store.records) {
    auto record = keys::decode(stored.record).value();
    EXPECT_FALSE(keys::open_key(derived, record));
    const auto renamed = keys::derive_record_keys(chamber, record.master_key, old_keys.keys.at(old_keys.current));
    EXPECT_FALSE(keys::open_key(renamed, record)) << "nor when the id is lied about";
    EXPECT_TRUE(keys::open_key(derived, keys::decode(old_records.at(public_key).record).value()))
        << "while it does open an old copy of the key store: back-ups of that have to go";
  }
}

TEST(MasterRotationOfReplacedOperators, WhoLeftGetsTheOldKeyFromTheOldRecordAndNothingFromTheNew) {
  MasterWorld w("left");
  prepare(w, true, 2);
  const SealRecord old = w.world.record();
  const auto staged = w.chamber->rotate_unseal({2, {"dave", "eve"}});
  ASSERT_TRUE(staged);
  for (const auto& [name, token] : staged->operator_tokens) {
    const auto text = expose_secret_bytes(token);
    w.world.tokens[name] = std::string(text.begin(), text.end());
    ASSERT_TRUE(enroll(w.world, *w.chamber, name));
  }
  ASSERT_TRUE(w.open());
  ASSERT_TRUE(w.rotate());
  // alice and bob together know the key of their lock: it opens the old content, and not the one in force.
  MasterWorld before("before");
  before.copy_stored(w);
  before.world.store.documents[kSealRecordDocument] = {1, encode(old)};
  before.world.traces.kept = {};
  ASSERT_FALSE(before.open());
  const auto& given = *before.world.listener.master;
  EXPECT_EQ(given.current, old.core.master_key);
  EXPECT_FALSE(given.keys.contains(w.world.record().core.master_key));
  EXPECT_EQ(check_core(given, w.world.record()).error().kind, ErrorKind::wrong_master_key);
}

TEST(MasterRotationByQuorum, OneOperatorAloneReplacesNothing) {
  MasterWorld w("alone");
  prepare(w, true, 1);
  const MasterKeyId before = w.world.record().core.master_key;
  const auto reply = w.chamber->rotate_master();
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->approvals_required, 2U);
  ASSERT_TRUE(w.chamber->approve("alice", passphrase_of("alice"), reply->rotation, "s"));
  EXPECT_EQ(code(w.chamber->approve("alice", passphrase_of("alice"), reply->rotation, "s")), "approval_repeated");
  EXPECT_EQ(code(w.chamber->approve("bob", passphrase_of("bob"), std::string(64, '0'), "s")), "rotation_changed");
  EXPECT_FALSE(*w.chamber->work_on_master_key());
  EXPECT_EQ(w.world.record().core.master_key, before);
  EXPECT_EQ(w.used(), std::set<MasterKeyId>{before});
}

TEST(MasterRotationReplicas, AKmsOnlyReplicaFollowsAndOneWithOperatorsSaysThatItCannot) {
  for (const bool operators : {false, true}) {
    MasterWorld w("replica");
    prepare(w, operators, 2);
    test::RecordingListener listener;
    std::size_t keys_told = 0;
    listener.reseal_records = [&](const ChamberId&, const MasterKeys& keys, std::size_t most) {
      EXPECT_EQ(most, 0U);
      keys_told = keys.keys.size();
      return Resealed{};
    };
    Chamber other({w.world.keks, w.world.store, w.world.traces, listener, w.world.clock, w.world.random},
                  w.world.options());
    ASSERT_TRUE(other.boot());
    ASSERT_TRUE(other.run_kms_step());
    if (operators) {
      ASSERT_TRUE(other.unseal("alice", passphrase_of("alice"), "s"));
      ASSERT_TRUE(other.unseal("bob", passphrase_of("bob"), "s"));
    }
    ASSERT_TRUE(w.rotate());
    const auto polled = other.poll();
    EXPECT_TRUE(other.may_sign()) << "the keys it holds are the same ones";
    EXPECT_EQ(polled.has_value(), !operators);
    if (operators) {
      EXPECT_EQ(other.status().trouble->kind, ErrorKind::wrong_master_key);
      EXPECT_THAT(other.status().trouble->message, HasSubstr("unseal it again"));
    } else {
      EXPECT_TRUE(other.run_kms_step());
      EXPECT_FALSE(other.status().trouble);
      EXPECT_EQ(keys_told, 1U) << "the key room knows of the new one too";
    }
    EXPECT_EQ(listener.closings, 0U);
  }
}

}  // namespace
}  // namespace cc::seal
