#include "adapters/dynamodb/slashing_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "guard/history.h"
#include "guard/interchange.h"
#include "support/checks.h"
#include "support/dynamo_emulator.h"
#include "support/seeded_random.h"
#include "support/slashing_contract.h"

namespace cc::dynamodb {
namespace {

using test::ask;
using test::ask_alone;
using test::block;
using test::DynamoEmulator;
using test::DynamoKind;
using test::DynamoTable;
using test::key_of;
using test::root_of;
using test::vote;
using testing::HasSubstr;

class SlashingStoreTest : public testing::TestWithParam<DynamoKind> {
 protected:
  void SetUp() override {
    CC_NEEDS_DYNAMO(GetParam());
    ASSERT_TRUE(DynamoEmulator::get(GetParam()).up());
    place_ = std::make_unique<DynamoTable>(DynamoEmulator::get(GetParam()));
  }
  Result<std::unique_ptr<DynamoSlashingStore>> try_open(OpenMode mode = OpenMode::open_or_create,
                                                        const std::optional<ChamberId>& chamber = std::nullopt) {
    return DynamoSlashingStore::open(place_->table(), mode, chamber, {});
  }
  std::unique_ptr<DynamoSlashingStore> open(const std::optional<ChamberId>& chamber = std::nullopt) {
    auto store = try_open(OpenMode::open_or_create, chamber);
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }
  std::unique_ptr<DynamoTable> place_;
};

class Place final : public test::SlashingPlace {
 public:
  explicit Place(DynamoKind kind) : table_(DynamoEmulator::get(kind)) {}
  Result<Store> try_open(bool must_exist, const std::optional<Chamber>& chamber) override {
    return DynamoSlashingStore::open(table_.table(), must_exist ? OpenMode::existing_only : OpenMode::open_or_create,
                                     chamber, {});
  }

 private:
  DynamoTable table_;
};
class Contract : public testing::TestWithParam<std::tuple<DynamoKind, test::SlashingCase>> {};
TEST_P(Contract, Holds) {
  CC_NEEDS_DYNAMO(std::get<0>(GetParam()));
  Place place(std::get<0>(GetParam()));
  std::get<1>(GetParam()).run(place);
}
const auto kCaseName = [](const auto& one) {
  return std::string(std::get<0>(one.param) == DynamoKind::moto ? "Moto" : "Dynoxide") + std::get<1>(one.param).name;
};
INSTANTIATE_TEST_SUITE_P(OfAll, Contract,
                         testing::Combine(testing::ValuesIn(test::every_emulator()),
                                          testing::ValuesIn(test::kSlashingContract)),
                         kCaseName);
INSTANTIATE_TEST_SUITE_P(OfShared, Contract,
                         testing::Combine(testing::ValuesIn(test::every_emulator()),
                                          testing::ValuesIn(test::kSharedSlashingContract)),
                         kCaseName);

INSTANTIATE_TEST_SUITE_P(OnEveryEmulator, SlashingStoreTest, testing::ValuesIn(test::every_emulator()),
                         [](const auto& one) { return one.param == DynamoKind::moto ? "Moto" : "Dynoxide"; });

TEST_P(SlashingStoreTest, NamesATableThatIsNotThereAndMakesNone) {
  place_->drop();
  const auto looked = try_open(OpenMode::existing_only);
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().kind, ErrorKind::not_found);
  const auto store = try_open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(store.error().message, HasSubstr(place_->name() + " (eu-west-1) does not exist"));
}

TEST_P(SlashingStoreTest, RefusesATableWithOtherKeys) {
  place_->drop();
  place_->create("sort");
  const auto store = try_open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::config_invalid);
  EXPECT_THAT(store.error().message, HasSubstr("not pk:S and sk:S"));
}

TEST_P(SlashingStoreTest, RefusesATableThatHoldsSomethingElse) {
  Write write;
  write.item = {{"pk", std::string("store")},
                {"sk", std::string("identity")},
                {"kind", std::string("keys")},
                {"id", Bytes(16, 1)}};
  ASSERT_TRUE(place_->table()->write(write)->done);
  const auto store = try_open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::config_invalid);
  EXPECT_THAT(store.error().message, HasSubstr("not slashing protection"));
}

// Two validators with more records than one transaction of DynamoDB takes, and many with a few.
TEST_P(SlashingStoreTest, ExportsWhatWasImported) {
  auto store = open();
  guard::Interchange file;
  for (std::uint32_t i = 1; i <= 12; ++i) {
    file.data.push_back({key_of(i), {}, {}});
    const std::uint64_t records = i <= 2 ? 150 : 20;
    for (std::uint64_t n = 1; n <= records; ++n) {
      file.data.back().blocks.push_back({Slot{n}, root_of(n)});
      file.data.back().attestations.push_back({Epoch{n}, Epoch{n + 1}, root_of(n)});
    }
  }
  const auto imported = store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::import_interchange(tx, file, guard::Strategy::complete, guard::Gap::open));
    return tx.add_origin({guard::OriginKind::import, "file", root_of(1), 17, 12, 1, 2});
  });
  ASSERT_TRUE(imported) << imported.error().message;
  const auto looked = store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto out, guard::export_interchange(tx, guard::ExportForm::complete, {}));
    EXPECT_EQ(out.data.size(), 12U);
    for (std::size_t i = 0; i < out.data.size(); ++i) {
      EXPECT_EQ(out.data[i].blocks.size(), i < 2 ? 150U : 20U);
      EXPECT_EQ(out.data[i].attestations.size(), i < 2 ? 150U : 20U);
    }
    CC_ASSIGN(const auto origins, tx.origins(5));
    EXPECT_EQ(origins.size(), 1U);
    return {};
  });
  ASSERT_TRUE(looked) << looked.error().message;
  EXPECT_EQ(ask(*store, block(18, 7, 3)), "slashable");
  EXPECT_EQ(ask(*store, block(18, 18, 3)), "ok");
  EXPECT_EQ(ask(*store, vote(140, 141, 140, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(140, 141, 141, 1)), "slashable");
}

TEST_P(SlashingStoreTest, PrunesMoreThanOneTransactionTakes) {
  auto store = open();
  guard::Interchange file;
  file.data.push_back({key_of(1), {}, {}});
  for (std::uint64_t n = 1; n <= 230; ++n) {
    file.data.back().attestations.push_back({Epoch{n}, Epoch{n + 1}, root_of(n)});
  }
  ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::import_interchange(tx, file, guard::Strategy::complete, guard::Gap::open));
    return {};
  }));
  guard::Pruned pruned;
  const auto done = store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(pruned, guard::prune_validator(tx, key_of(1), {10, 32}));
    return {};
  });
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(pruned.records, 220U);
  EXPECT_EQ(ask(*store, vote(100, 101, 100)), "slashable");
  EXPECT_EQ(ask(*store, vote(230, 231, 230)), "ok");
  EXPECT_EQ(ask(*store, vote(231, 232, 1)), "ok");
}

TEST_P(SlashingStoreTest, AnExportWhileHistoryIsPrunedSaysSoInsteadOfLeavingAGap) {
  auto store = open();
  for (std::uint64_t slot = 1; slot <= 6; ++slot) {
    EXPECT_EQ(ask(*store, block(slot, 1)), "ok");
  }
  const auto looked = store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto row, tx.validator(key_of(1), false));
    EXPECT_TRUE(store->transact([](guard::SlashingTransaction& other) -> Result<void> {
      CC_TRY(guard::prune_validator(other, key_of(1), {1, 1}));
      return {};
    }));
    CC_TRY(tx.all_blocks(row->id));
    return {};
  });
  ASSERT_FALSE(looked);
  EXPECT_THAT(looked.error().message, HasSubstr("ask again"));
}

// Another signer comes between reading and writing.
TEST_P(SlashingStoreTest, OfTwoSignersThatMeetOneIsRefusedAndTheRestOfItsBatchIsKept) {
  auto store = open();
  auto other = open();
  const std::vector<guard::Check> batch{block(5, 1, 1), block(5, 1, 2), block(5, 1, 3)};
  std::vector<guard::LookAhead> ahead;
  for (const guard::Check& check : batch) {
    ahead.push_back(guard::look_ahead(check));
  }
  std::map<BlsPublicKey, Error> lost;
  ASSERT_TRUE(store->transact_in_parts(
      ahead,
      [&](guard::SlashingTransaction& tx) -> Result<void> {
        for (const guard::Check& check : batch) {
          CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
          EXPECT_FALSE(verdict);
        }
        EXPECT_EQ(ask(*other, block(5, 2, 2)), "ok");
        EXPECT_EQ(ask(*other, block(5, 1, 3)), "ok");  // the same message: both may release it
        return {};
      },
      lost));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost.begin()->first, key_of(2));
  EXPECT_EQ(lost.begin()->second.kind, ErrorKind::store_unavailable);
  EXPECT_THAT(lost.begin()->second.message, HasSubstr("ask again"));
  EXPECT_EQ(ask(*store, block(5, 1, 1)), "ok");
  EXPECT_EQ(ask(*store, block(5, 1, 2)), "slashable");
  EXPECT_EQ(ask(*store, block(5, 1, 3)), "ok");
}

TEST_P(SlashingStoreTest, ASignatureUnderWayDoesNotSurviveAWithdrawal) {
  auto store = open();
  auto other = open();
  EXPECT_EQ(ask(*store, vote(1, 2, 1)), "ok");
  const guard::Check check = vote(2, 3, 1);
  const guard::LookAhead ahead[] = {guard::look_ahead(check)};
  const auto done = store->transact_ahead(ahead, [&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
    EXPECT_FALSE(verdict);
    return other->transact([](guard::SlashingTransaction& inner) { return guard::withdraw(inner, key_of(1)); });
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(ask(*store, check), "key_retired");
}

// transact() tries again by itself: nobody has to know that others were faster.
TEST_P(SlashingStoreTest, WorkThatAnotherSignerOvertookRunsAgain) {
  auto store = open();
  auto other = open();
  EXPECT_EQ(ask(*store, vote(1, 2, 1)), "ok");
  int runs = 0;
  const auto done = store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::raise_watermarks(tx, key_of(1), {std::nullopt, Epoch{1}, Epoch{2}}));
    if (++runs == 1) {
      EXPECT_EQ(ask(*other, vote(2, 3, 1)), "ok");
    }
    return {};
  });
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(1, 2, 1)), "slashable");
}

TEST_P(SlashingStoreTest, StopsWhenTheTableIsPutBackOrMadeAnew) {
  auto store = open();
  EXPECT_EQ(ask(*store, vote(1, 2, 1)), "ok");
  const auto before = place_->table()->get(row_key(key_of(1)));
  ASSERT_TRUE(before && before->has_value());
  EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
  Write older;
  older.item = **before;
  ASSERT_TRUE(place_->table()->write(older)->done);
  EXPECT_EQ(ask(*store, vote(3, 4, 1)), "slashing_store_mismatch");
  place_->drop();
  EXPECT_EQ(ask(*store, vote(4, 5, 1)), "store_unavailable");
  place_->create();
  EXPECT_EQ(ask(*store, vote(4, 5, 1)), "slashing_store_mismatch");
  EXPECT_EQ(store->identity().error().kind, ErrorKind::slashing_store_mismatch);
  open();
  EXPECT_EQ(ask(*store, vote(4, 5, 1)), "slashing_store_mismatch");
}

TEST_P(SlashingStoreTest, NamesAnAlteredItem) {
  auto store = open();
  EXPECT_EQ(ask(*store, vote(1, 2, 1)), "ok");
  Write altered;
  altered.item = **place_->table()->get(row_key(key_of(1)));
  altered.item["high_target"] = std::string("2");
  ASSERT_TRUE(place_->table()->write(altered)->done);
  const auto done = store->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(tx.validator(key_of(1), false));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(done.error().message, HasSubstr("is malformed: it was altered"));
}

class RacingSigners : public SlashingStoreTest {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RacingSigners);
INSTANTIATE_TEST_SUITE_P(OnDynoxide, RacingSigners, testing::ValuesIn(test::racing_emulators()),
                         [](const auto&) { return "Dynoxide"; });

TEST_P(RacingSigners, OneOfManyWins) {
  constexpr std::size_t kSigners = 4;
  std::vector<std::unique_ptr<DynamoSlashingStore>> signers;
  for (std::size_t i = 0; i < kSigners; ++i) {
    signers.push_back(open());
  }
  for (std::uint64_t slot = 1; slot <= 15; ++slot) {
    std::atomic<int> blocks = 0, votes = 0, strange = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kSigners; ++i) {
      threads.emplace_back([&, i] {
        // Overtaken is store_unavailable here, and is asked again as a validator client would.
        const auto say = [&](const auto& asking, const guard::Check& check, std::atomic<int>& count) {
          std::string word = asking(*signers[i], check);
          for (int again = 0; again < 20 && word == "store_unavailable"; ++again) {
            word = asking(*signers[i], check);
          }
          count += word == "ok" ? 1 : 0;
          strange += word != "ok" && word != "slashable" ? 1 : 0;
        };
        say(ask, block(slot, i), blocks);
        say(i % 2 == 0 ? ask : ask_alone, vote(slot, slot + 1, i), votes);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(blocks, 1) << slot;
    EXPECT_EQ(votes, 1) << slot;
    EXPECT_EQ(strange, 0) << slot;
  }
}

struct Signed {
  std::uint64_t source, target, root;
};

bool slashable_pair(const Signed& a, const Signed& b) {
  const bool identical = a.target == b.target && a.source == b.source && a.root == b.root;
  const bool around = (a.source < b.source && b.target < a.target) || (b.source < a.source && a.target < b.target);
  return !identical && (a.target == b.target || around);
}

// Random batches over the same validators, in parts: whatever was released holds no slashable pair.
TEST_P(RacingSigners, NeverReleaseASlashablePair) {
  constexpr std::size_t kSigners = 2;
  constexpr std::uint32_t kKeys = 10;
  std::mutex mutex;
  std::map<std::uint32_t, std::vector<Signed>> released;
  std::atomic<int> failures = 0, overtaken = 0;
  std::vector<std::unique_ptr<DynamoSlashingStore>> signers;
  for (std::size_t i = 0; i < kSigners; ++i) {
    signers.push_back(open());
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kSigners; ++i) {
    threads.emplace_back([&, i] {
      test::SeededRandom random(100 + i);
      for (std::uint64_t round = 0; round < 40; ++round) {
        std::vector<guard::Check> batch;
        std::vector<std::pair<std::uint32_t, Signed>> meant;
        std::vector<guard::LookAhead> ahead;
        for (std::uint32_t n = 0; n < kKeys; ++n) {
          const auto key = static_cast<std::uint32_t>(1 + random.below(kKeys));
          const std::uint64_t source = round / 4 + random.below(6);
          const std::uint64_t target = source + 1 + random.below(6);
          meant.push_back({key, {source, target, i * 1000 + round}});
          batch.push_back(vote(source, target, meant.back().second.root, key));
          ahead.push_back(guard::look_ahead(batch.back()));
        }
        std::vector<bool> allowed(batch.size());
        std::map<BlsPublicKey, Error> lost;
        const Result<void> done = signers[i]->transact_in_parts(
            ahead,
            [&](guard::SlashingTransaction& tx) -> Result<void> {
              for (std::size_t n = 0; n < batch.size(); ++n) {
                CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, batch[n]));
                allowed[n] = !verdict;
              }
              return {};
            },
            lost);
        failures += done ? 0 : 1;
        overtaken += static_cast<int>(lost.size());
        const std::lock_guard lock(mutex);
        for (std::size_t n = 0; done && n < batch.size(); ++n) {
          if (allowed[n] && !lost.contains(batch[n].key)) {
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
        EXPECT_FALSE(slashable_pair(votes[a], votes[b])) << key;
      }
    }
    count += votes.size();
  }
  std::cout << "racing signers on one table: " << count << " votes released, " << overtaken
            << " times a validator was overtaken\n";
  EXPECT_GT(count, kKeys);
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace cc::dynamodb
