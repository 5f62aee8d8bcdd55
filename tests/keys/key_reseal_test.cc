// Key records that move from one master key to the next, as the key room alone sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include "base/log.h"
#include "formats/keystore.h"
#include "keys/key_service.h"
#include "support/memory_key_store.h"
#include "support/seeded_random.h"
#include "support/shared_key_store.h"

namespace cc::keys {
namespace {

using testing::HasSubstr;

struct Resealing : testing::Test {
  test::EventList events;
  test::MemoryKeyStore store{events};
  test::MemoryPermits permits{events};
  KeyRing ring;
  test::SeededRandom random{11};
  SystemClock clock;
  ChamberId chamber{7};
  MasterKeyId old_id{1}, new_id{2};
  Secret<32> old_key = random.secret<32>();
  Secret<32> new_key = random.secret<32>();
  KeyService service{store, ring, permits, random, clock};
  std::vector<BlsPublicKey> names;

  MasterKeysView old_alone() const { return {old_id, {{old_id, &old_key}}}; }
  MasterKeysView both() const { return {new_id, {{old_id, &old_key}, {new_id, &new_key}}}; }
  MasterKeysView new_alone() const { return {new_id, {{new_id, &new_key}}}; }

  void SetUp() override {
    log::configure(log::Level::error, log::Format::text);
    ASSERT_TRUE(service.load(chamber, old_alone()));
    const auto made = service.generate(5);
    ASSERT_TRUE(made);
    for (const KeyResult& one : *made) {
      names.push_back(*one.public_key);
    }
  }
  std::size_t under(const MasterKeyId& id) const {
    std::size_t out = 0;
    for (const auto& [name, stored] : store.records) {
      out += decode(stored.record)->master_key == id ? 1 : 0;
    }
    return out;
  }
};

// A slow keystore is still being opened when the rotation begins and ends.
TEST_F(Resealing, AKeyThatArrivesMeanwhileIsSealedUnderTheNewKeyAndPutInForce) {
  const crypto::BlsSecretKey secret = crypto::BlsSecretKey::from_checked([&] {
    Secret<32> scalar = random.secret<32>();
    expose_secret_bytes(scalar)[0] &= 0x3F;
    return scalar;
  }());
  const SecretBytes password = SecretBytes::copy_of("a password of some length");
  const auto json = keystore::write(secret, password, "", keystore::Kdf::pbkdf2, 1 << 20, random);
  ASSERT_TRUE(json);
  std::vector<ImportItem> items;
  items.push_back({KeystoreItem{*json, SecretBytes::copy_of("a password of some length")}, true, ""});
  auto arriving = std::async(std::launch::async, [&] { return service.import(items, true); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it has begun; a million rounds take longer
  while (service.reseal(chamber, both(), 100)->left != 0) {
  }
  ASSERT_TRUE(service.reseal(chamber, new_alone(), 0));
  EXPECT_EQ(arriving.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "the keystore opened too early";
  const auto imported = arriving.get();
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->front().outcome, KeyOutcome::imported) << imported->front().message;
  const StoredKey& stored = store.records.at(secret.public_key());
  EXPECT_EQ(stored.status, KeyStatus::active);
  EXPECT_EQ(decode(stored.record)->master_key, new_id);
  EXPECT_TRUE(ring.find(secret.public_key()));
}

TEST_F(Resealing, MovesAsManyAsAskedAndSaysHowManyAreLeft) {
  const auto before = store.records;
  const auto first = service.reseal(chamber, both(), 2);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->done, 2U);
  EXPECT_EQ(first->left, 3U);
  EXPECT_EQ(under(new_id), 2U);
  EXPECT_EQ(sentinel_names(*store.stored_sentinel)->master_key, new_id) << "before the first record";
  EXPECT_EQ(service.reseal(chamber, both(), 2)->left, 1U);
  const auto last = service.reseal(chamber, both(), 2);
  EXPECT_EQ(last->done, 1U);
  EXPECT_EQ(last->left, 0U);
  EXPECT_EQ(under(old_id), 0U);
  for (const auto& [name, stored] : store.records) {
    const KeyRecord was = decode(before.at(name).record).value();
    KeyRecord is = decode(stored.record).value();
    EXPECT_EQ(is.generation, was.generation + 1);
    EXPECT_NE(is.nonce, was.nonce);
    EXPECT_EQ(is.created_at, was.created_at);
    EXPECT_EQ(is.updated_at, was.updated_at);
    EXPECT_EQ(stored.status, before.at(name).status);
  }
  EXPECT_EQ(ring.size(), 5U);
}

TEST_F(Resealing, EveryMixtureLoadsAndTheNewKeyAloneOpensTheEnd) {
  for (int step = 0; step < 6; ++step) {
    KeyRing other;
    KeyService restarted(store, other, permits, random, clock);
    EXPECT_EQ(restarted.load(chamber, both()).value(), 5U) << step;
    ASSERT_TRUE(restarted.reseal(chamber, both(), 1));
  }
  KeyRing other;
  KeyService restarted(store, other, permits, random, clock);
  EXPECT_EQ(restarted.load(chamber, new_alone()).value(), 5U);
  EXPECT_EQ(restarted.load(chamber, old_alone()).error().kind, ErrorKind::wrong_master_key);
}

TEST_F(Resealing, ARecordThatSomebodyElseChangedIsLeftAndFoundAgain) {
  const BlsPublicKey name = store.records.begin()->first;
  int step = 0;
  store.before_step = [this, name, &step] {
    if (++step != 2) {  // the sentinel, then the first record
      return;
    }
    const RecordKeys keys = derive_record_keys(chamber, old_id, old_key);
    KeyRecord record = decode(store.records.at(name).record).value();
    ASSERT_TRUE(set_status(keys, record, KeyStatus::inactive, 9));
    store.records[name] = {name, KeyStatus::inactive, encode(record)};
  };
  const auto moved = service.reseal(chamber, both(), 100);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->done, 4U);
  EXPECT_EQ(moved->left, 1U) << "what the other one wrote was not overwritten";
  EXPECT_EQ(store.records.at(name).status, KeyStatus::inactive);
  const auto again = service.reseal(chamber, both(), 100);
  EXPECT_EQ(again->done, 1U);
  EXPECT_EQ(again->left, 0U);
  EXPECT_EQ(store.records.at(name).status, KeyStatus::inactive);
}

TEST_F(Resealing, NewKeysGoUnderTheNewMasterKeyAtOnce) {
  ASSERT_TRUE(service.reseal(chamber, both(), 0));
  ASSERT_TRUE(service.generate(2));
  EXPECT_EQ(under(new_id), 2U);
  EXPECT_EQ(under(old_id), 5U);
}

TEST_F(Resealing, ATamperedRecordIsNamedAndNothingIsCalledDone) {
  auto& stored = store.records.rbegin()->second;
  stored.record[stored.record.size() - 40] ^= 1;
  const auto moved = service.reseal(chamber, both(), 100);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().kind, ErrorKind::key_record_tampered);
  EXPECT_THAT(moved.error().message, HasSubstr(to_0x(stored.public_key)));
}

TEST_F(Resealing, AFullDiskLosesNothingAndIsTriedAgain) {
  store.failing.insert("store.exchange");
  EXPECT_EQ(service.reseal(chamber, both(), 100).error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(under(old_id), 5U);
  store.failing.clear();
  EXPECT_EQ(service.reseal(chamber, both(), 100)->left, 0U);
}

// What another signer may be dropping must not come back under it.
TEST_F(Resealing, AKeyThatChangesItsStatusMovesToTheNewMasterKeyWithIt) {
  ASSERT_TRUE(service.reseal(chamber, both(), 0));
  EXPECT_EQ(under(new_id), 0U);
  ASSERT_TRUE(service.set_status({names[0], names[1]}, KeyStatus::inactive));
  EXPECT_EQ(under(new_id), 2U);
  ASSERT_TRUE(service.set_status({names[0]}, KeyStatus::active));
  const auto moved = service.reseal(chamber, both(), 100);
  EXPECT_EQ(moved->done, 3U);
  EXPECT_EQ(moved->left, 0U);
  KeyRing other;
  KeyService restarted(store, other, permits, random, clock);
  EXPECT_EQ(restarted.load(chamber, new_alone()).value(), 4U);
}

TEST_F(Resealing, TwoSignersAgreeOnOneSentinelAndOneThatKnowsNothingIsRefused) {
  test::SharedKeyStore one(store), two(store), three(store);
  two.count_with(one);
  three.count_with(one);
  KeyRing rings[3];
  KeyService first(one, rings[0], permits, random, clock);
  KeyService second(two, rings[1], permits, random, clock);
  KeyService third(three, rings[2], permits, random, clock);
  for (KeyService* each : {&first, &second, &third}) {
    ASSERT_TRUE(each->load(chamber, old_alone()));
  }
  // The other one is faster, between reading the sentinel and exchanging it.
  int calls = 0;
  one.before_each = [&] {
    if (++calls == 2) {
      ASSERT_TRUE(second.reseal(chamber, both(), 0));
    }
  };
  ASSERT_TRUE(first.reseal(chamber, both(), 2));
  const Bytes sentinel = *store.stored_sentinel;
  ASSERT_TRUE(second.reseal(chamber, both(), 100));
  EXPECT_EQ(*store.stored_sentinel, sentinel);
  EXPECT_TRUE(first.generate(1));
  EXPECT_TRUE(second.generate(1));
  EXPECT_EQ(third.generate(1).error().kind, ErrorKind::record_conflict);
  const KeyResult kept = third.set_status({names[0]}, KeyStatus::inactive)->front();
  EXPECT_EQ(kept.outcome, KeyOutcome::error);
  EXPECT_THAT(kept.message, HasSubstr("which this signer does not hold (yet)"));
  const auto followed = third.follow();
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().kind, ErrorKind::wrong_master_key);
  EXPECT_EQ(rings[2].size(), 5U) << "it signs on";
  ASSERT_TRUE(third.reseal(chamber, new_alone(), 0));
  EXPECT_TRUE(third.generate(1));
  EXPECT_EQ(third.follow().value(), true);
}

TEST_F(Resealing, AnImportThatOpensItsKeystoreMeanwhileGoesUnderTheNewMasterKey) {
  std::ifstream file(std::string(CC_SOURCE_DIR) + "/fuzz/seeds/keystore/eip2335_scrypt.json");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::vector<ImportItem> items;
  items.push_back(
      {KeystoreItem{text, SecretBytes::copy_of(std::string_view("testpassword\xf0\x9f\x94\x91"))}, true, ""});
  std::thread importing([&] {
    const auto done = service.import(items, true);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->front().outcome, KeyOutcome::imported) << done->front().message;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the keystore's scrypt takes longer
  EXPECT_TRUE(service.reseal(chamber, both(), 0));
  importing.join();
  EXPECT_TRUE(service.reseal(chamber, both(), 100));
  EXPECT_EQ(under(new_id), 6U);
}

TEST_F(Resealing, ASealInTheMiddleEndsIt) {
  store.before_step = [this] { service.close(); };
  EXPECT_EQ(service.reseal(chamber, both(), 100).error().kind, ErrorKind::signer_sealed);
  EXPECT_LE(under(new_id), 1U);
  store.before_step = nullptr;
  EXPECT_EQ(service.reseal(chamber, both(), 100).error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(service.load(chamber, both()).value(), 5U);
}

}  // namespace
}  // namespace cc::keys
