#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "adapters/dynamodb/key_store.h"
#include "adapters/dynamodb/state_store.h"
#include "adapters/dynamodb/table_kind.h"
#include "support/checks.h"
#include "support/dynamo_emulator.h"

namespace cc::dynamodb {
namespace {

using keys::KeyStatus;
using keys::StoredKey;
using test::DynamoEmulator;
using test::DynamoKind;
using test::DynamoTable;
using testing::HasSubstr;

class DynamoStores : public testing::TestWithParam<DynamoKind> {
 protected:
  void SetUp() override {
    CC_NEEDS_DYNAMO(GetParam());
    ASSERT_TRUE(DynamoEmulator::get(GetParam()).up());
    place_ = std::make_unique<DynamoTable>(DynamoEmulator::get(GetParam()));
  }
  std::unique_ptr<DynamoStateStore> state() {
    auto out = DynamoStateStore::open(place_->table());
    EXPECT_TRUE(out) << out.error().message;
    return *std::move(out);
  }
  std::unique_ptr<DynamoKeyStore> keys() {
    auto out = DynamoKeyStore::open(place_->table(), 8);
    EXPECT_TRUE(out) << out.error().message;
    return *std::move(out);
  }
  std::unique_ptr<DynamoTable> place_;
};
INSTANTIATE_TEST_SUITE_P(OnEveryEmulator, DynamoStores, testing::ValuesIn(test::every_emulator()),
                         [](const auto& one) { return one.param == DynamoKind::moto ? "Moto" : "Dynoxide"; });

StoredKey key_at(std::uint8_t first, std::uint8_t last, KeyStatus status = KeyStatus::active) {
  StoredKey out;
  out.public_key[0] = first;
  out.public_key[47] = last;
  out.status = status;
  out.record = {first, last, 7};
  return out;
}

TEST_P(DynamoStores, ADocumentGrowsByOneRevisionAtATime) {
  auto store = state();
  EXPECT_FALSE(*store->read("seal-record"));
  EXPECT_EQ(store->write("seal-record", 0, Bytes{1}), 1U);
  EXPECT_EQ(store->write("seal-record", 1, Bytes{2}), 2U);
  EXPECT_EQ(store->write("seal-record", 1, Bytes{3}).error().kind, ErrorKind::record_conflict);
  EXPECT_EQ(store->write("seal-record", 0, Bytes{3}).error().kind, ErrorKind::record_conflict);
  EXPECT_EQ(store->write("seal-record", 5, Bytes{3}).error().kind, ErrorKind::record_conflict);
  const auto read = state()->read("seal-record");
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->revision, 2U);
  EXPECT_EQ((*read)->content, Bytes{2});
  EXPECT_FALSE(*store->read("other"));
}

TEST_P(DynamoStores, ADocumentBeyondWhatAnItemTakesIsRefusedWhole) {
  auto store = state();
  EXPECT_EQ(store->write("seal-record", 0, Bytes(kLargestDocument, 5)), 1U);
  const auto refused = store->write("seal-record", 1, Bytes(kLargestDocument + 1, 6));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("nothing was written"));
  EXPECT_EQ((*store->read("seal-record"))->content.front(), 5);
}

TEST_P(DynamoStores, AnAlteredDocumentIsNamed) {
  auto store = state();
  ASSERT_TRUE(store->write("seal-record", 0, Bytes{1}));
  Write altered;
  altered.item = {{"pk", std::string("document")}, {"sk", std::string("seal-record")}, {"revision", std::string("1")}};
  ASSERT_TRUE(place_->table()->write(altered));
  EXPECT_EQ(store->read("seal-record").error().kind, ErrorKind::record_malformed);
}

TEST_P(DynamoStores, ATableOfAnotherKindAndAMissingOneAreNamed) {
  state();
  const auto wrong = DynamoKeyStore::open(place_->table(), 1);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::config_invalid);
  EXPECT_THAT(wrong.error().message, HasSubstr("holds \"signer-state\", not sealed-keys"));
  place_->drop();
  const auto missing = DynamoStateStore::open(place_->table());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("does not exist: check table name, region and account"));
}

TEST_P(DynamoStores, KeysComeInOrderByStatusAndInPages) {
  auto store = keys();
  std::vector<StoredKey> all;
  for (int i = 0; i < 130; ++i) {
    all.push_back(key_at(static_cast<std::uint8_t>(0x80 + i % 60), static_cast<std::uint8_t>(i),
                         i % 3 == 0 ? KeyStatus::inactive : KeyStatus::active));
  }
  const auto added = store->add(all);
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(std::count(added->begin(), added->end(), true), 130);
  EXPECT_EQ(store->count(std::nullopt), 130U);
  EXPECT_EQ(store->count(KeyStatus::inactive), 44U);
  std::vector<BlsPublicKey> seen;
  ASSERT_TRUE(store->for_each(std::nullopt, [&](const StoredKey& key) -> Result<void> {
    seen.push_back(key.public_key);
    EXPECT_EQ(key.record.at(1), key.public_key[47]);
    return {};
  }));
  EXPECT_EQ(seen.size(), 130U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  int active = 0;
  ASSERT_TRUE(store->for_each(KeyStatus::active, [&](const StoredKey&) -> Result<void> {
    ++active;
    return {};
  }));
  EXPECT_EQ(active, 86);
  std::vector<BlsPublicKey> paged;
  std::optional<BlsPublicKey> after;
  for (;;) {
    const auto page = store->page(after, 17);
    ASSERT_TRUE(page) << page.error().message;
    for (const StoredKey& key : *page) {
      paged.push_back(key.public_key);
    }
    if (page->size() < 17) {
      break;
    }
    after = paged.back();
  }
  EXPECT_EQ(paged, seen);
}

TEST_P(DynamoStores, AKeyIsAddedOnceReplacedAndRemovedAndEveryChangeCounts) {
  auto store = keys();
  EXPECT_EQ(store->changes(), 0U);
  const StoredKey first = key_at(0x90, 1);
  EXPECT_EQ(store->add({first, first}).value(), (std::vector<bool>{true, false}));
  StoredKey other = first;
  other.record = {9};
  EXPECT_EQ(store->add({other, key_at(0xa0, 2)}).value(), (std::vector<bool>{false, true}));
  EXPECT_EQ((*store->find(first.public_key))->record, first.record);
  EXPECT_EQ(store->count(KeyStatus::active), 2U);
  const std::uint64_t before = store->changes().value();
  other.status = KeyStatus::inactive;
  ASSERT_TRUE(store->replace(other));
  EXPECT_EQ((*store->find(first.public_key))->status, KeyStatus::inactive);
  EXPECT_EQ(store->count(KeyStatus::active), 1U);
  EXPECT_EQ(store->count(KeyStatus::inactive), 1U);
  EXPECT_GT(store->changes().value(), before);
  ASSERT_TRUE(store->remove(first.public_key));
  EXPECT_EQ(store->count(std::nullopt), 1U);
  EXPECT_EQ(store->remove(first.public_key).error().kind, ErrorKind::unknown_key);
  EXPECT_EQ(store->replace(other).error().kind, ErrorKind::unknown_key);
  EXPECT_FALSE(*store->find(first.public_key));
  EXPECT_FALSE(*store->sentinel());
  ASSERT_TRUE(*store->exchange_sentinel(std::nullopt, Bytes{1, 2}));
  EXPECT_EQ(**keys()->sentinel(), (Bytes{1, 2}));
}

TEST_P(DynamoStores, AnAlteredKeyItemIsNamed) {
  auto store = keys();
  const StoredKey key = key_at(0x90, 1);
  ASSERT_TRUE(store->add({key}));
  Write altered;
  altered.item = {{"pk", std::string("keys#90")},
                  {"sk", to_0x(key.public_key)},
                  {"status", std::string("asleep")},
                  {"record", Bytes{1}}};
  ASSERT_TRUE(place_->table()->write(altered));
  EXPECT_EQ(store->find(key.public_key).error().kind, ErrorKind::record_malformed);
}

class RacingReplicas : public DynamoStores {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RacingReplicas);
INSTANTIATE_TEST_SUITE_P(OnDynoxide, RacingReplicas, testing::ValuesIn(test::racing_emulators()),
                         [](const auto&) { return "Dynoxide"; });

TEST_P(RacingReplicas, OfManyWhoWriteOneRevisionOneSucceeds) {
  auto first = state();
  for (std::uint64_t revision = 0; revision < 20; ++revision) {
    std::atomic<int> written = 0, refused = 0;
    std::vector<std::thread> threads;
    for (std::uint8_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto done = state()->write("seal-record", revision, Bytes{i});
        written += done ? 1 : 0;
        refused += !done && done.error().kind == ErrorKind::record_conflict ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(written, 1);
    EXPECT_EQ(refused, 3);
  }
}

TEST_P(RacingReplicas, KeysAddedSideBySideAreCountedOnce) {
  std::atomic<int> added = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      auto store = keys();
      for (std::uint8_t n = 0; n < 20; ++n) {
        const auto done = store->add({key_at(0x90, n)});
        ASSERT_TRUE(done) << done.error().message;
        added += done->front() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(added, 20);
  EXPECT_EQ(keys()->count(std::nullopt), 20U);
}

}  // namespace
}  // namespace cc::dynamodb
