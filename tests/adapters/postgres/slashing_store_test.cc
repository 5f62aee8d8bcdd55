#include "adapters/postgres/slashing_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "guard/interchange.h"
#include "support/checks.h"
#include "support/postgres_cluster.h"
#include "support/slashing_contract.h"

namespace cc::postgres {
namespace {

using test::ask;
using test::ask_alone;
using test::block;
using test::key_of;
using test::PostgresCluster;
using test::root_of;
using test::vote;
using testing::HasSubstr;

class SlashingStoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(PostgresCluster::get().up()); }
  std::unique_ptr<PostgresSlashingStore> open(const std::optional<ChamberId>& chamber = std::nullopt) {
    auto store = test::open_postgres(PostgresCluster::get().settings(schema_), OpenMode::open_or_create, chamber);
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }
  Result<void> sql(const std::string& text) {
    return PostgresCluster::get().administrator(schema_)->script(text, PostgresCluster::in_seconds(10));
  }
  std::string schema_ = test::fresh_schema();
};

class Place final : public test::SlashingPlace {
 public:
  Result<Store> try_open(bool must_exist, const std::optional<Chamber>& chamber) override {
    return test::open_postgres(PostgresCluster::get().settings(schema_),
                               must_exist ? OpenMode::existing_only : OpenMode::open_or_create, chamber);
  }

 private:
  std::string schema_ = test::fresh_schema();
};
class Contract : public testing::TestWithParam<test::SlashingCase> {};
TEST_P(Contract, Holds) {
  ASSERT_TRUE(PostgresCluster::get().up());
  Place place;
  GetParam().run(place);
}
INSTANTIATE_TEST_SUITE_P(OfAll, Contract, testing::ValuesIn(test::kSlashingContract), test::name_of);
INSTANTIATE_TEST_SUITE_P(OfShared, Contract, testing::ValuesIn(test::kSharedSlashingContract), test::name_of);

TEST_F(SlashingStoreTest, DropsAWholeImportThatFailsAtItsEnd) {
  auto store = open();
  guard::Interchange file;
  for (std::uint32_t i = 1; i <= 50; ++i) {
    file.data.push_back({key_of(i), {{Slot{i}, std::nullopt}}, {}});
    for (std::uint64_t slot = 100; slot < 300; ++slot) {
      file.data.back().blocks.push_back({Slot{slot}, root_of(slot)});
    }
  }
  EXPECT_FALSE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::import_interchange(tx, file, guard::Strategy::complete));
    return fail(ErrorKind::interchange_invalid, "the last line is wrong");
  }));
  ASSERT_TRUE(store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto keys, tx.validators());
    EXPECT_TRUE(keys.empty());
    CC_ASSIGN(const auto root, tx.genesis_validators_root());
    EXPECT_FALSE(root);
    return {};
  }));
}

TEST_F(SlashingStoreTest, ExportsThousandsOfRecordsThatWereImported) {
  auto store = open();
  guard::Interchange file;
  for (std::uint32_t i = 1; i <= 20; ++i) {
    file.data.push_back({key_of(i), {}, {}});
    for (std::uint64_t n = 1; n < 400; ++n) {
      file.data.back().blocks.push_back({Slot{n}, root_of(n)});
      file.data.back().attestations.push_back({Epoch{n}, Epoch{n + 1}, root_of(n)});
    }
  }
  ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::import_interchange(tx, file, guard::Strategy::complete, guard::Gap::open));
    return {};
  }));
  ASSERT_TRUE(store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto out, guard::export_interchange(tx, guard::ExportForm::complete, {}));
    EXPECT_EQ(out.data.size(), 20U);
    for (const auto& entry : out.data) {
      EXPECT_EQ(entry.blocks.size(), 399U);
      EXPECT_EQ(entry.attestations.size(), 399U);
    }
    return {};
  }));
  EXPECT_EQ(ask(*store, block(200, 7, 3)), "slashable");
  EXPECT_EQ(ask(*store, block(200, 200, 3)), "ok");
}

TEST_F(SlashingStoreTest, RefusesToLowerWatermarksInTheTables) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(10, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
  ASSERT_TRUE(store->name_chamber({1}, 5, root_of(1)));
  const auto lowered = store->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(auto row, tx.validator(key_of(1), false));
    row->low.block_slot = Slot{9};
    return tx.update_validator(*row);
  });
  ASSERT_FALSE(lowered);
  EXPECT_EQ(lowered.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(lowered.error().message, HasSubstr("watermarks only rise"));
  for (const char* text :
       {"UPDATE validators SET low_block_slot = NULL", "UPDATE validators SET low_source_epoch = low_source_epoch - 1",
        "UPDATE validators SET generation = -1", "UPDATE identity SET commits = commits - 1",
        "UPDATE chambers SET highest_epoch = 4", "UPDATE identity SET genesis_validators_root = NULL",
        "UPDATE identity SET id = decode(repeat('ab', 16), 'hex')", "UPDATE blocks SET signing_root = ''",
        "UPDATE attestations SET target_epoch = 0",
        "DELETE FROM blocks; DELETE FROM attestations; DELETE FROM validators", "TRUNCATE blocks",
        "DELETE FROM identity"}) {
    EXPECT_FALSE(sql(text)) << text;
  }
}

TEST_F(SlashingStoreTest, LetsOneOfManyRacingSignersWin) {
  constexpr std::size_t kSigners = 4;
  std::vector<std::unique_ptr<PostgresSlashingStore>> signers;
  for (std::size_t i = 0; i < kSigners; ++i) {
    signers.push_back(open());
  }
  for (std::uint64_t slot = 1; slot <= 25; ++slot) {
    std::atomic<int> blocks = 0, votes = 0, failures = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kSigners; ++i) {
      threads.emplace_back([&, i] {
        const auto say = [&](const std::string& word, std::atomic<int>& count) {
          count += word == "ok" ? 1 : 0;
          failures += word != "ok" && word != "slashable" ? 1 : 0;
        };
        say(ask(*signers[i], block(slot, i)), blocks);
        say(i % 2 == 0 ? ask(*signers[i], vote(slot, slot + 1, i)) : ask_alone(*signers[i], vote(slot, slot + 1, i)),
            votes);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(blocks, 1) << slot;
    EXPECT_EQ(votes, 1) << slot;
    EXPECT_EQ(failures, 0) << slot;
  }
}

// Batches over the same validators in different orders: no pair that surrounds, no two votes for a target, no deadlock.
TEST_F(SlashingStoreTest, NeverReleasesASlashablePairToRacingBatches) {
  constexpr std::size_t kSigners = 3;
  constexpr std::uint32_t kKeys = 12;
  std::vector<std::unique_ptr<PostgresSlashingStore>> signers;
  for (std::size_t i = 0; i < kSigners; ++i) {
    signers.push_back(open());
  }
  struct Signed {
    std::uint64_t source, target, root;
  };
  std::mutex mutex;
  std::map<std::uint32_t, std::vector<Signed>> released;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kSigners; ++i) {
    threads.emplace_back([&, i] {
      test::SeededRandom random(100 + i);
      for (int round = 0; round < 30; ++round) {
        std::vector<guard::Check> batch;
        std::vector<std::pair<std::uint32_t, Signed>> meant;
        std::vector<guard::LookAhead> ahead;
        for (std::uint32_t n = 0; n < kKeys; ++n) {
          const auto key = static_cast<std::uint32_t>(1 + random.below(kKeys));
          const std::uint64_t source = random.below(20);
          const std::uint64_t target = source + 1 + random.below(6);
          meant.push_back({key, {source, target, i * 1000 + static_cast<std::uint64_t>(round)}});
          batch.push_back(vote(source, target, meant.back().second.root, key));
          ahead.push_back(guard::look_ahead(batch.back()));
        }
        std::vector<bool> allowed(batch.size());
        const Result<void> done =
            signers[i]->transact_ahead(ahead, [&](guard::SlashingTransaction& tx) -> Result<void> {
              for (std::size_t n = 0; n < batch.size(); ++n) {
                CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, batch[n]));
                allowed[n] = !verdict;
              }
              return {};
            });
        if (!done) {
          ++failures;
          continue;
        }
        const std::lock_guard lock(mutex);
        for (std::size_t n = 0; n < batch.size(); ++n) {
          if (allowed[n]) {
            released[meant[n].first].push_back(meant[n].second);
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::size_t count = 0;
  for (const auto& [key, votes] : released) {
    for (std::size_t a = 0; a < votes.size(); ++a) {
      for (std::size_t b = a + 1; b < votes.size(); ++b) {
        const bool identical =
            votes[a].target == votes[b].target && votes[a].source == votes[b].source && votes[a].root == votes[b].root;
        EXPECT_TRUE(identical || votes[a].target != votes[b].target) << key;
        EXPECT_FALSE(votes[a].source < votes[b].source && votes[b].target < votes[a].target) << key;
        EXPECT_FALSE(votes[b].source < votes[a].source && votes[a].target < votes[b].target) << key;
      }
    }
    count += votes.size();
  }
  EXPECT_GT(count, kKeys);
  EXPECT_EQ(failures, 0);
}

TEST_F(SlashingStoreTest, ReadsForPeopleThroughItsViews) {
  auto store = open();
  EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
  const auto rows = PostgresCluster::get().administrator(schema_)->run(
      {{"", "SELECT source_epoch || ' ' || target_epoch || ' ' || signing_root FROM readable_attestations"}, {}},
      PostgresCluster::in_seconds(5));
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "2 3 " + to_0x(root_of(1)));
}

}  // namespace
}  // namespace cc::postgres
