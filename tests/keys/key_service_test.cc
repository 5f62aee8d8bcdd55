#include "keys/key_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "base/log.h"
#include "formats/keystore.h"
#include "support/memory_key_store.h"
#include "support/ring_keys.h"
#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc::keys {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FixedClock final : public Clock {
 public:
  Milliseconds monotonic() const override { return Milliseconds(0); }
  std::uint64_t unix_seconds() const override { return now; }
  std::uint64_t now = 1700000000;
};

struct Fixture : testing::Test {
  test::EventList events;
  test::MemoryKeyStore store{events};
  test::MemoryPermits permits{events};
  KeyRing ring;
  SystemRandom random;
  FixedClock clock;
  ChamberId chamber{1, 2, 3};
  MasterKeyId id{9};
  Secret<32> master_key = random.secret<32>();
  KeyService service{store, ring, permits, random, clock};

  MasterKeysView view() const { return {id, {{id, &master_key}}}; }
  Result<std::uint64_t> load() { return service.load(chamber, view()); }
  void SetUp() override {
    log::configure(log::Level::error, log::Format::text);
    ASSERT_EQ(load().value(), 0U);
    events.take();
  }
  static BlsPublicKey public_key(std::uint32_t number) { return test::ring_key(number)->public_key; }
  static ImportItem scalar_item(std::uint32_t number, bool persist = true) {
    return {Secret<32>::copy_of(test::scalar(number)), persist, ""};
  }
  static std::vector<ImportItem> scalars(std::uint32_t first, std::uint32_t last) {
    std::vector<ImportItem> out;
    for (std::uint32_t i = first; i <= last; ++i) {
      out.push_back(scalar_item(i));
    }
    return out;
  }
  static ImportItem keystore_item(std::uint32_t number, std::string_view password) {
    test::SeededRandom seeded(number);
    const auto key = crypto::BlsSecretKey::from_bytes(test::scalar(number)).value();
    const SecretBytes secret = SecretBytes::copy_of(std::string_view("correct horse"));
    return {KeystoreItem{keystore::write(key, secret, "", keystore::Kdf::pbkdf2, 2, seeded).value(),
                         SecretBytes::copy_of(password)},
            true, "from file"};
  }
  static std::vector<std::string> outcomes(const Result<std::vector<KeyResult>>& results) {
    std::vector<std::string> out;
    for (const KeyResult& one : *results) {
      out.emplace_back(name(one.outcome));
    }
    return out;
  }
  std::vector<std::string> import_scalar(std::uint32_t number) {
    std::vector<ImportItem> items;
    items.push_back(scalar_item(number));
    return outcomes(service.import(items, true));
  }
};
using KeyServiceTest = Fixture;

TEST_F(KeyServiceTest, GeneratedKeysAreStoredPermittedAndSign) {
  const auto results = service.generate(3);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_THAT(outcomes(results), ElementsAre("generated", "generated", "generated"));
  EXPECT_THAT(events.take(), ElementsAre("store.add", "permit", "store.replace"));
  for (const KeyResult& one : *results) {
    const BlsPublicKey& key = *one.public_key;
    EXPECT_TRUE(store.records.contains(key));
    EXPECT_TRUE(permits.fresh_keys.contains(key));
    const auto held = ring.find(key);
    ASSERT_TRUE(held);
    EXPECT_EQ(held->source, KeySource::sealed);
    EXPECT_TRUE(crypto::verify(key, test::root_of(1), held->secret.sign(test::root_of(1))));
  }
}

// The key of a mnemonic is known from outside; the generator of this test gives all zero entropy.
TEST_F(KeyServiceTest, GeneratedKeysAreTheEip2334KeysOfTheMnemonicDrawn) {
  class Zeros final : public Random {
   public:
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0}); }
  } zeros;
  KeyService zero_service(store, ring, permits, zeros, clock);
  ASSERT_TRUE(zero_service.load(chamber, view()));
  const auto results = zero_service.generate(3);
  std::size_t compared = 0;
  for (const auto& row : test::read_vectors("formats/eip2334.txt", 4)) {
    if (row[0] == std::string(64, '0') && std::stoul(row[1]) < 3) {
      EXPECT_EQ(to_hex(*results->at(std::stoul(row[1])).public_key), row[3]);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3U);
}

TEST_F(KeyServiceTest, EachGenerateCallDrawsAnotherMnemonic) {
  const auto first = service.generate(2);
  const auto second = service.generate(2);
  EXPECT_EQ(outcomes(second), (std::vector<std::string>{"generated", "generated"}));
  EXPECT_NE(first->at(0).public_key, second->at(0).public_key);
  EXPECT_EQ(ring.size(), 4U);
}

TEST_F(KeyServiceTest, GenerateRefusesCountsOutOfRange) {
  EXPECT_EQ(service.generate(0).error().kind, ErrorKind::malformed_request);
  EXPECT_EQ(service.generate(kLargestGenerate + 1).error().kind, ErrorKind::malformed_request);
}

TEST_F(KeyServiceTest, EverySignedWordIsDurableAfterAReload) {
  ASSERT_TRUE(service.generate(2));
  EXPECT_EQ(import_scalar(7), std::vector<std::string>{"imported"});
  const auto before = ring.public_keys();
  service.close();
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_EQ(load().value(), 3U);
  EXPECT_EQ(ring.public_keys(), before);
  for (const BlsPublicKey& key : before) {
    EXPECT_TRUE(crypto::verify(key, test::root_of(2), ring.find(key)->secret.sign(test::root_of(2))));
  }
}

TEST_F(KeyServiceTest, OneBadItemNeverSpoilsTheOthers) {
  std::vector<ImportItem> items;
  items.push_back(scalar_item(1));
  items.push_back({KeystoreItem{"{not json", SecretBytes()}, true, ""});
  items.push_back(keystore_item(2, "wrong horse"));
  items.push_back(keystore_item(3, "correct horse"));
  items.push_back({Secret<32>(), true, ""});  // zero is no key
  items.push_back(scalar_item(1));
  items.push_back({Secret<32>::copy_of(test::scalar(4)), true, std::string(kLargestLabel + 1, 'x')});
  items.push_back({Secret<32>::copy_of(test::scalar(5)), true, "rack 5"});
  const auto results = service.import(items, true);
  ASSERT_TRUE(results);
  EXPECT_THAT(outcomes(results),
              ElementsAre("imported", "error", "error", "imported", "error", "duplicate", "error", "imported"));
  EXPECT_FALSE(results->at(1).public_key);
  EXPECT_EQ(results->at(2).public_key, public_key(2)) << "the keystore names its key, though it does not open";
  EXPECT_THAT(results->at(2).message, HasSubstr("password"));
  EXPECT_EQ(results->at(3).public_key, public_key(3));
  EXPECT_EQ(ring.size(), 3U);
  const auto page = service.list(10, std::nullopt);
  ASSERT_EQ(page->keys.size(), 3U);
  for (const KeyInfo& info : page->keys) {
    const std::string expected = info.public_key == public_key(3)   ? "from file"
                                 : info.public_key == public_key(5) ? "rack 5"
                                                                    : "";
    EXPECT_EQ(info.label, expected);
  }
}

TEST_F(KeyServiceTest, AKeystoreOfAnotherPublicKeyIsRefused) {
  std::vector<ImportItem> items;
  items.push_back(keystore_item(2, "correct horse"));
  std::string& json = std::get<KeystoreItem>(items[0].key).json;
  const std::string theirs = to_hex(public_key(2));
  json.replace(json.find(theirs), theirs.size(), to_hex(public_key(3)));
  const auto results = service.import(items, true);
  EXPECT_THAT(outcomes(results), ElementsAre("error"));
  EXPECT_THAT(results->at(0).message, HasSubstr("public key"));
  EXPECT_TRUE(store.records.empty());
}

TEST_F(KeyServiceTest, TheSameKeyAgainIsADuplicateAndStillSigns) {
  EXPECT_THAT(import_scalar(1), ElementsAre("imported"));
  EXPECT_THAT(import_scalar(1), ElementsAre("duplicate"));
  EXPECT_EQ(store.records.size(), 1U);
  EXPECT_TRUE(ring.contains(public_key(1)));
}

TEST_F(KeyServiceTest, ImportingAnInactiveKeyDoesNotWakeIt) {
  import_scalar(1);
  ASSERT_TRUE(service.set_status({public_key(1)}, KeyStatus::inactive));
  std::vector<ImportItem> items;
  items.push_back(scalar_item(1));
  const auto results = service.import(items, true);
  EXPECT_THAT(outcomes(results), ElementsAre("duplicate"));
  EXPECT_THAT(results->at(0).message, HasSubstr("activate"));
  EXPECT_FALSE(ring.contains(public_key(1)));
  EXPECT_FALSE(permits.permitted.contains(public_key(1)));
}

TEST_F(KeyServiceTest, DeactivationTakesThePermitFirstThenTheRingThenTheRecord) {
  import_scalar(1);
  events.take();
  bool in_ring_at_withdrawal = false;
  permits.before_withdraw = [&](const BlsPublicKey& key) { in_ring_at_withdrawal = ring.contains(key); };
  bool in_ring_at_write = true;
  store.before_step = [&] { in_ring_at_write = ring.contains(public_key(1)); };
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::inactive)), ElementsAre("inactive"));
  EXPECT_THAT(events.take(), ElementsAre("withdraw", "store.replace"));
  EXPECT_TRUE(in_ring_at_withdrawal);
  EXPECT_FALSE(in_ring_at_write);
}

TEST_F(KeyServiceTest, AKeyComesRecordFirstThenPermitThenRing) {
  permits.before_permit = [&](const BlsPublicKey& key) {
    EXPECT_TRUE(store.records.contains(key));
    EXPECT_FALSE(ring.contains(key));
  };
  EXPECT_THAT(import_scalar(1), ElementsAre("imported"));
  ASSERT_TRUE(service.generate(2));
  service.set_status({public_key(1)}, KeyStatus::inactive);
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::active)), ElementsAre("active"));
  EXPECT_TRUE(ring.contains(public_key(1)));
  EXPECT_EQ(permits.permitted.size(), 3U);
}

TEST_F(KeyServiceTest, APermitThatCannotBeWithdrawnChangesNothing) {
  import_scalar(1);
  permits.failing = true;
  for (const bool removing : {false, true}) {
    const auto results =
        removing ? service.remove({public_key(1)}, true) : service.set_status({public_key(1)}, KeyStatus::inactive);
    EXPECT_THAT(outcomes(results), ElementsAre("error"));
    EXPECT_THAT(results->at(0).message, HasSubstr("may still sign"));
    EXPECT_EQ(store.records.at(public_key(1)).status, KeyStatus::active);
  }
}

TEST_F(KeyServiceTest, ARecordThatCannotBeWrittenLeavesAKeyThatSignsNoMore) {
  import_scalar(1);
  store.failing = {"store.replace", "store.remove"};
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::inactive)), ElementsAre("error"));
  EXPECT_FALSE(ring.contains(public_key(1)));
  EXPECT_FALSE(permits.permitted.contains(public_key(1)));
  EXPECT_THAT(outcomes(service.remove({public_key(1)}, true)), ElementsAre("error"));
  store.failing.clear();
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::inactive)), ElementsAre("inactive"));
  EXPECT_THAT(outcomes(service.remove({public_key(1)}, true)), ElementsAre("deleted"));
}

TEST_F(KeyServiceTest, AKeyWhosePermitFailedIsNotReportedInForceAndCanBeRepaired) {
  permits.failing = true;
  EXPECT_THAT(import_scalar(1), ElementsAre("error"));
  const auto generated = service.generate(1);
  EXPECT_THAT(outcomes(generated), ElementsAre("error"));
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_TRUE(permits.permitted.empty());
  permits.failing = false;
  EXPECT_THAT(import_scalar(1), ElementsAre("duplicate"));
  EXPECT_TRUE(ring.contains(public_key(1)) && permits.permitted.contains(public_key(1)));
  const BlsPublicKey key = *generated->at(0).public_key;
  EXPECT_THAT(outcomes(service.set_status({key}, KeyStatus::active)), ElementsAre("active"));
  EXPECT_TRUE(ring.contains(key) && permits.permitted.contains(key));
}

// Its caller was told `error` and may take the key elsewhere: it must not wake up here by itself.
TEST_F(KeyServiceTest, AKeyWhosePermitFailedDoesNotSignAfterTheNextUnsealEither) {
  permits.failing = true;
  EXPECT_THAT(import_scalar(1), ElementsAre("error"));
  ASSERT_TRUE(service.generate(1));
  service.close();
  EXPECT_EQ(load().value(), 0U);
  EXPECT_EQ(ring.size(), 0U);
  permits.failing = false;
  EXPECT_THAT(import_scalar(1), ElementsAre("duplicate"));
  EXPECT_TRUE(ring.contains(public_key(1)));
}

TEST_F(KeyServiceTest, AKeyThatCannotBeMadeActiveAfterItsPermitDoesNotSign) {
  store.failing = {"store.replace"};
  EXPECT_THAT(import_scalar(1), ElementsAre("error"));
  EXPECT_EQ(ring.size(), 0U);
  store.failing.clear();
  service.close();
  EXPECT_EQ(load().value(), 0U);
  EXPECT_THAT(import_scalar(1), ElementsAre("duplicate"));
  EXPECT_TRUE(ring.contains(public_key(1)));
}

TEST_F(KeyServiceTest, AKeyThatWaitsForItsPermitAndIsSwitchedOffStaysOff) {
  permits.failing = true;
  EXPECT_THAT(import_scalar(1), ElementsAre("error"));
  permits.failing = false;
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::inactive)), ElementsAre("inactive"));
  EXPECT_THAT(import_scalar(1), ElementsAre("duplicate"));
  EXPECT_FALSE(ring.contains(public_key(1)) || permits.permitted.contains(public_key(1)));
}

TEST_F(KeyServiceTest, AFailedActivationLeavesTheRecordInactive) {
  import_scalar(1);
  ASSERT_TRUE(service.set_status({public_key(1)}, KeyStatus::inactive));
  permits.failing = true;
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::active)), ElementsAre("error"));
  EXPECT_EQ(store.records.at(public_key(1)).status, KeyStatus::inactive);
  service.close();
  EXPECT_EQ(load().value(), 0U);
}

TEST_F(KeyServiceTest, AStoreThatFailsFailsTheWholeRequestAndNothingSigns) {
  store.failing = {"store.add"};
  EXPECT_EQ(service.generate(1).error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(service.import(scalars(1, 2), true).error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_TRUE(permits.permitted.empty());
}

TEST_F(KeyServiceTest, RemovedKeysAreGoneEverywhere) {
  ASSERT_TRUE(service.import(scalars(1, 2), true));
  events.take();
  const auto results = service.remove({public_key(1), public_key(9), public_key(1)}, true);
  EXPECT_THAT(outcomes(results), ElementsAre("deleted", "not_found", "deleted"));
  EXPECT_THAT(events.take(), testing::Contains("withdraw"));
  EXPECT_FALSE(ring.contains(public_key(1)));
  EXPECT_FALSE(store.records.contains(public_key(1)));
  EXPECT_FALSE(permits.permitted.contains(public_key(1)));
  EXPECT_TRUE(ring.contains(public_key(2)));
  EXPECT_THAT(import_scalar(1), ElementsAre("imported")) << "an explicit import brings it back";
}

TEST_F(KeyServiceTest, UnknownKeysAreNotFound) {
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::active)), ElementsAre("not_found"));
  EXPECT_THAT(outcomes(service.set_status({public_key(1)}, KeyStatus::inactive)), ElementsAre("not_found"));
}

TEST_F(KeyServiceTest, WhatNeedsTheMasterKeyIsSealedWhileClosed) {
  import_scalar(1);
  service.close();
  service.close();
  EXPECT_FALSE(service.is_open());
  EXPECT_EQ(service.generate(1).error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(service.import(scalars(2, 2), true).error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(service.set_status({public_key(1)}, KeyStatus::inactive).error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(service.remove({public_key(1)}, true).error().kind, ErrorKind::signer_sealed);
  std::vector<ImportItem> memory;
  memory.push_back(scalar_item(3, false));
  EXPECT_EQ(service.import(memory, true).error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(service.list(10, std::nullopt)->keys.size(), 1U) << "the list needs no master key";
}

TEST_F(KeyServiceTest, MemoryKeysSignWithoutAChamberAndLeaveNoRecord) {
  service.close();
  std::vector<ImportItem> items;
  items.push_back(scalar_item(3, false));
  items.push_back(scalar_item(4, true));
  const auto results = service.import(items, false);
  EXPECT_THAT(outcomes(results), ElementsAre("imported", "error"));
  EXPECT_THAT(results->at(1).message, HasSubstr("init"));
  EXPECT_EQ(ring.find(public_key(3))->source, KeySource::memory);
  EXPECT_TRUE(permits.permitted.contains(public_key(3)));
  EXPECT_TRUE(store.records.empty());
  items.pop_back();
  EXPECT_THAT(outcomes(service.import(items, false)), ElementsAre("duplicate"));
  EXPECT_THAT(outcomes(service.remove({public_key(3)}, false)), ElementsAre("deleted"));
  EXPECT_FALSE(ring.contains(public_key(3)));
  EXPECT_FALSE(permits.permitted.contains(public_key(3)));
}

TEST_F(KeyServiceTest, AMemoryKeyIsNotTakenOverAStoredOne) {
  import_scalar(1);
  service.set_status({public_key(1)}, KeyStatus::inactive);
  std::vector<ImportItem> items;
  items.push_back(scalar_item(1, false));
  EXPECT_THAT(outcomes(service.import(items, true)), ElementsAre("duplicate"));
  EXPECT_FALSE(ring.contains(public_key(1)));
  EXPECT_FALSE(permits.permitted.contains(public_key(1)));
}

TEST_F(KeyServiceTest, AKeyOfAFileLosesItsPermitUntilItIsImportedAgain) {
  permits.permitted.insert(public_key(6));
  ring.add(test::ring_key(6, KeySource::filesystem));
  EXPECT_THAT(outcomes(service.remove({public_key(6)}, true)), ElementsAre("deleted"));
  EXPECT_FALSE(ring.contains(public_key(6)));
  EXPECT_FALSE(permits.permitted.contains(public_key(6)));
  // A reload of the files brings the key back, not its permit.
  ring.add(test::ring_key(6, KeySource::filesystem));
  EXPECT_FALSE(permits.permitted.contains(public_key(6)));
  std::vector<ImportItem> items;
  items.push_back(scalar_item(6, false));
  EXPECT_THAT(outcomes(service.import(items, true)), ElementsAre("duplicate"));
  EXPECT_TRUE(permits.permitted.contains(public_key(6)));
}

TEST_F(KeyServiceTest, WhatComesBeforeAnImportSeesTheKeysThatOpenedAndCanStopIt) {
  std::vector<ImportItem> items = scalars(1, 2);
  items.push_back(scalar_item(2));
  items.push_back({KeystoreItem{"{}", SecretBytes()}, true, ""});
  std::vector<BlsPublicKey> seen;
  const auto refused = service.import(items, true, [&](const std::vector<BlsPublicKey>& keys) -> Result<void> {
    seen = keys;
    EXPECT_EQ(ring.size(), 0U);
    EXPECT_TRUE(permits.permitted.empty());
    return fail(ErrorKind::store_unavailable, "the disk is full");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_EQ(store.count(std::nullopt).value(), 0U);
  EXPECT_TRUE(permits.permitted.empty());
  EXPECT_THAT(outcomes(service.import(items, true, [](const auto&) -> Result<void> { return {}; })),
              ElementsAre("imported", "imported", "duplicate", "error"));
}

TEST_F(KeyServiceTest, ListPagesThroughAllKeysInOrder) {
  ASSERT_TRUE(service.import(scalars(1, 7), true));
  clock.now += 60;
  service.set_status({public_key(4)}, KeyStatus::inactive);
  std::vector<KeyInfo> all;
  std::optional<BlsPublicKey> cursor;
  int pages = 0;
  do {
    const auto page = service.list(3, cursor);
    ASSERT_TRUE(page);
    EXPECT_LE(page->keys.size(), 3U);
    all.insert(all.end(), page->keys.begin(), page->keys.end());
    cursor = page->next_cursor;
    ++pages;
  } while (cursor);
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &KeyInfo::public_key));
  for (const KeyInfo& info : all) {
    const bool changed = info.public_key == public_key(4);
    EXPECT_EQ(info.status, changed ? KeyStatus::inactive : KeyStatus::active);
    EXPECT_EQ(info.created_at, 1700000000U);
    EXPECT_EQ(info.updated_at, changed ? 1700000060U : 1700000000U);
  }
  EXPECT_FALSE(service.list(7, std::nullopt)->next_cursor) << "a full last page has no next one";
  EXPECT_EQ(service.list(0, std::nullopt).error().kind, ErrorKind::malformed_request);
  EXPECT_EQ(service.list(kLargestPage + 1, std::nullopt).error().kind, ErrorKind::malformed_request);
}

TEST_F(KeyServiceTest, ListShowsATamperedStatus) {
  import_scalar(1);
  KeyRecord record = decode(store.records.begin()->second.record).value();
  record.label = "somebody else's";
  store.records.begin()->second.record = encode(record);
  EXPECT_EQ(service.list(10, std::nullopt).error().kind, ErrorKind::key_record_tampered);
}

TEST_F(KeyServiceTest, RunningOutOfMemoryIsAnErrorAndTheServiceGoesOn) {
  store.before_step = [] { throw std::bad_alloc(); };
  EXPECT_EQ(service.generate(1).error().kind, ErrorKind::locked_memory);
  EXPECT_EQ(service.import(scalars(1, 1), true).error().kind, ErrorKind::locked_memory);
  store.before_step = nullptr;
  EXPECT_THAT(import_scalar(1), ElementsAre("imported"));
}

// Sealing while a change runs: the change ends without adding a key to the ring.
TEST_F(KeyServiceTest, ClosingDuringAnImportLeavesTheRingEmpty) {
  store.before_step = [&] { service.close(); };
  const auto results = service.import(scalars(1, 2), true);
  ASSERT_TRUE(results);
  EXPECT_THAT(outcomes(results), ElementsAre("imported", "imported"));
  EXPECT_THAT(results->at(0).message, HasSubstr("next unseal"));
  EXPECT_EQ(ring.size(), 0U);
  store.before_step = nullptr;
  EXPECT_EQ(load().value(), 2U);
}

TEST_F(KeyServiceTest, ClosingDuringAGenerationEndsIt) {
  Result<std::vector<KeyResult>> results;
  std::jthread worker([&] { results = service.generate(400); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  service.close();
  worker.join();
  if (!results) {
    EXPECT_EQ(results.error().kind, ErrorKind::signer_sealed);
  }
  EXPECT_EQ(ring.size(), 0U);
}

TEST_F(KeyServiceTest, ManyThreadsMayChangeAndSealTogether) {
  std::atomic<bool> stop{false};
  std::jthread sealer([&] {
    for (int i = 0; i < 30; ++i) {
      service.close();
      EXPECT_TRUE(load());
    }
    stop = true;
  });
  std::jthread importer([&] {
    for (std::uint32_t i = 0; !stop; ++i) {
      (void)service.import(scalars(i % 5 + 1, i % 5 + 1), true);
    }
  });
  std::jthread changer([&] {
    for (std::uint32_t i = 0; !stop; ++i) {
      (void)service.set_status({public_key(i % 5 + 1)}, i % 2 == 0 ? KeyStatus::inactive : KeyStatus::active);
    }
  });
  sealer.join();
  importer.join();
  changer.join();
  service.close();
  ASSERT_TRUE(load());
  for (const auto& [key, record] : store.records) {
    EXPECT_EQ(ring.contains(key), record.status == KeyStatus::active);
    EXPECT_TRUE(record.status == KeyStatus::inactive || permits.permitted.contains(key));
  }
}

}  // namespace
}  // namespace cc::keys
