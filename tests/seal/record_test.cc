#include "seal/record.h"

#include <gtest/gtest.h>

#include "seal/record_keys.h"
#include "support/memory_ports.h"

namespace cc::seal {
namespace {

Lock lock_of(LockKind kind, LockId id, unsigned m, const std::vector<std::string>& members) {
  Lock lock{{kind, static_cast<unsigned>(kind), id, m, members}, {}};
  for (std::size_t i = 0; i < members.size(); ++i) {
    crypto::Digest verifier{};
    verifier.fill(static_cast<std::uint8_t>(i + 1));
    lock.members.push_back({verifier, kind == LockKind::kms ? Bytes{1, 2, 3} : Bytes{}});
  }
  return lock;
}

SealRecord sample(bool operators, bool staged) {
  SealRecord record;
  record.core.chamber = {1};
  record.core.epoch = 7;
  record.core.locks.push_back(lock_of(LockKind::kms, LockId{2}, 1, {"local://a", "local://b"}));
  record.core.content = Bytes(100, 9);
  record.core.retired_locks = {LockId{8}, LockId{9}};
  record.core.retired_operators = {"mallory"};
  if (operators) {
    record.core.locks.push_back(lock_of(LockKind::operators, LockId{3}, 2, {"alice", "bob"}));
    MemberList list{LockId{3}, {{std::nullopt, {{"default", Bytes(50, 1)}, {"second", Bytes(50, 2)}}, 1700000000}}};
    list.entries.push_back({std::nullopt, {{"default", Bytes(50, 3)}}, std::nullopt});
    record.members.lists.push_back(list);
  }
  if (staged) {
    record.core.cancelled_locks = {LockId{10}};
    record.core.staged = StagedLock{lock_of(LockKind::operators, LockId{4}, 1, {"dave"}), Bytes(60, 4), std::nullopt};
    record.members.lists.push_back({LockId{4}, {{Bytes(70, 5), {}, std::nullopt}}});
  }
  record.members.changes = 300;
  record.hints = {70000, true};
  return record;
}

TEST(SealRecord, EncodesAndDecodesToItselfInEveryShape) {
  for (const bool operators : {false, true}) {
    for (const bool staged : {false, true}) {
      const SealRecord record = sample(operators, staged);
      const auto decoded = decode(encode(record));
      ASSERT_TRUE(decoded) << decoded.error().message;
      EXPECT_EQ(std::get<SealRecord>(*decoded), record);
      EXPECT_EQ(encode(*decoded), encode(record));
      EXPECT_EQ(phase_of(record), staged ? RecordPhase::rotating : RecordPhase::set);
    }
  }
  const Tombstone tombstone{{5}};
  EXPECT_EQ(std::get<Tombstone>(*decode(encode(tombstone))), tombstone);
}

TEST(SealRecord, HoldsAStagedKmsLockAndAStagedFarewellToTheOperators) {
  SealRecord kms = sample(true, false);
  kms.core.staged = StagedLock{lock_of(LockKind::kms, LockId{4}, 1, {"local://c"}), Bytes(60, 4), std::nullopt};
  SealRecord farewell = sample(true, false);
  farewell.core.staged.emplace();
  farewell.core.staged->lock.header = {LockKind::operators, 1, LockId{4}, 0, {}};
  EXPECT_EQ(kms.core.staged->kind(), StagedKind::kms);
  EXPECT_EQ(farewell.core.staged->kind(), StagedKind::kms_only);
  for (const SealRecord& record : {kms, farewell}) {
    const auto decoded = decode(encode(record));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(std::get<SealRecord>(*decoded), record);
    EXPECT_EQ(phase_of(record), RecordPhase::rotating);
    EXPECT_EQ(record.members_of(OperatorSet::staged), nullptr);
    EXPECT_EQ(epoch_digest(record.core), epoch_digest(sample(true, false).core));
  }
  farewell.core.locks.pop_back();
  farewell.members.lists.clear();
  EXPECT_FALSE(decode(encode(farewell))) << "there is nobody to say farewell to";
}

TEST(SealRecord, HoldsAMasterKeyThatIsToBeReplacedAndOneThatIsRetiring) {
  SealRecord waiting = sample(true, false);
  waiting.core.staged.emplace();
  waiting.core.staged->lock.header = {LockKind::operators, 1, LockId{4}, 0, {}};
  waiting.core.staged->replaced = waiting.core.master_key;
  EXPECT_EQ(waiting.core.staged->kind(), StagedKind::master);
  SealRecord retiring = sample(true, false);
  retiring.core.retiring = MasterKeyId{7};
  for (const SealRecord& record : {waiting, retiring}) {
    const auto decoded = decode(encode(record));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(std::get<SealRecord>(*decoded), record);
    EXPECT_EQ(encode(*decoded), encode(record));
  }
  EXPECT_EQ(phase_of(waiting), RecordPhase::rotating);
  EXPECT_EQ(phase_of(retiring), RecordPhase::resealing);
  EXPECT_EQ(epoch_digest(waiting.core), epoch_digest(sample(true, false).core)) << "nothing has changed yet";
  EXPECT_NE(epoch_digest(retiring.core), epoch_digest(sample(true, false).core));
  waiting.core.staged->replaced = MasterKeyId{9};
  EXPECT_FALSE(decode(encode(waiting))) << "another master key is to go than the one there is";
  retiring.core.retiring = retiring.core.master_key;
  EXPECT_FALSE(decode(encode(retiring))) << "the current key does not retire";
  SealRecord both = sample(true, true);
  both.core.retiring = MasterKeyId{7};
  EXPECT_FALSE(decode(encode(both))) << "two rotations at once";
}

TEST(SealRecord, ARotationsDigestIsOfThisEpochAndThisStaging) {
  const Core core = sample(true, true).core;
  const crypto::Digest digest = rotation_digest(core);
  EXPECT_EQ(rotation_digest(sample(true, false).core), crypto::Digest{});
  Core other = core;
  ++other.epoch;
  EXPECT_NE(rotation_digest(other), digest);
  other = core;
  other.staged->lock.header.id[0] ^= 1;
  EXPECT_NE(rotation_digest(other), digest);
  other = core;
  other.staged->lock.header.m = 2;
  EXPECT_NE(rotation_digest(other), digest);
  other = core;
  other.cancelled_locks.clear();
  EXPECT_EQ(rotation_digest(other), digest);
}

TEST(SealRecord, EveryFlippedBitAndEveryCutIsDamage) {
  SealRecord retiring = sample(true, false);
  retiring.core.retiring = MasterKeyId{7};
  for (const Bytes& good : {encode(sample(true, true)), encode(retiring), encode(Tombstone{{5}})}) {
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      Bytes flipped = good;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      ASSERT_EQ(decode(flipped).error().kind, ErrorKind::record_malformed) << bit;
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
      ASSERT_EQ(decode(ByteView(good).first(size)).error().kind, ErrorKind::record_malformed) << size;
    }
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_FALSE(decode(longer));
  }
}

// What a forger can repair is the checksum; whatever is then accepted must be what the writer writes.
TEST(SealRecord, WhatIsAcceptedReencodesToItself) {
  const Bytes good = encode(sample(true, true));
  unsigned accepted = 0;
  for (std::size_t at = 0; at < (good.size() - 32) * 8; ++at) {
    Bytes changed = good;
    changed[at / 8] ^= static_cast<std::uint8_t>(1U << at % 8);
    const auto digest = crypto::sha256(ByteView(changed).first(changed.size() - 32));
    std::ranges::copy(digest, changed.end() - 32);
    if (const auto decoded = decode(changed)) {
      ASSERT_EQ(encode(*decoded), changed) << at;
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 100U) << "flips inside digests and boxes are for the MACs to find";
}

TEST(SealRecord, RefusesShapesThatNoWriterMakes) {
  const auto refuses = [](const std::function<void(SealRecord&)>& change) {
    SealRecord record = sample(true, true);
    change(record);
    return !decode(encode(record)).has_value();
  };
  EXPECT_TRUE(refuses([](auto& r) { r.core.epoch = 0; }));
  EXPECT_TRUE(refuses([](auto& r) {
    r.core.locks.clear();
    r.members.lists.erase(r.members.lists.begin());
  }));
  EXPECT_TRUE(refuses([](auto& r) { std::swap(r.core.locks[0], r.core.locks[1]); }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[0].header.m = 0; }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[0].header.m = 3; }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[0].header.position = 1; }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[0].members.pop_back(); }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[0].members[0].wrap.clear(); }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[1].members[0].wrap = {1}; }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[1].header.members[0] = "bob"; }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.locks[1].header.members[0] = "al ice"; }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.content.clear(); }));
  EXPECT_TRUE(refuses([](auto& r) { r.core.staged->lock.header.kind = LockKind::kms; }));
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists.pop_back(); }));
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].lock[0] ^= 1; }));
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].entries.pop_back(); }));
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].entries[0].credentials.clear(); })) << "a lost share";
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].entries[0].pending = Bytes{1}; }))
      << "waiting and owned at once";
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].entries[0].credentials[1].id = "default"; }));
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].entries[0].credentials[1].id = "no good"; }));
  EXPECT_TRUE(refuses([](auto& r) {
    for (int i = 0; i < 8; ++i) {
      r.members.lists[0].entries[0].credentials.push_back({"more-" + std::to_string(i), {1}});
    }
  }));
  EXPECT_TRUE(refuses([](auto& r) { r.members.lists[0].entries[0] = {Bytes{1}, {}, std::nullopt}; }))
      << "registering and rotating at once";
}

TEST(SealRecord, APhaseIsReadOffTheRecord) {
  SealRecord record = sample(true, false);
  EXPECT_EQ(phase_of(record), RecordPhase::set);
  record.members.lists[0].entries[1] = {Bytes{1}, {}, std::nullopt};
  EXPECT_EQ(phase_of(record), RecordPhase::registering);
  EXPECT_EQ(waiting_shares(record.members.lists[0]), 1U);
}

TEST(SealRecord, AnEpochHasOneDigestWhateverIsStagedInIt) {
  const Core plain = sample(true, false).core;
  Core staged = sample(true, true).core;
  EXPECT_EQ(epoch_digest(plain), epoch_digest(staged));
  ++staged.epoch;
  EXPECT_NE(epoch_digest(plain), epoch_digest(staged));
}

TEST(MasterKeys, AreReadBackAndCheckedForShape) {
  test::SeededRandom random("keys");
  MasterKeys keys;
  keys.current = {2};
  keys.keys.emplace(MasterKeyId{2}, random.secret<32>());
  keys.keys.emplace(MasterKeyId{1}, random.secret<32>());
  const SecretBytes encoded = encode_master_keys(keys);
  const auto back = decode_master_keys(encoded);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->current, keys.current);
  EXPECT_TRUE(back->keys.at({1}) == keys.keys.at({1}));
  const auto bytes = expose_secret_bytes(encoded);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_master_keys(SecretBytes::copy_of(bytes.first(size))));
  }
  keys.current = {3};
  EXPECT_FALSE(decode_master_keys(encode_master_keys(keys))) << "no current key";
  EXPECT_FALSE(decode_master_keys(encode_master_keys(MasterKeys{}))) << "no key at all";
}

}  // namespace
}  // namespace cc::seal
