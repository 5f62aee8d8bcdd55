// Figures for people, none asserted: votes a second in batches and one by one, and loading many keys. CC_DYNAMO_KEYS
// says how many.
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "adapters/dynamodb/key_store.h"
#include "adapters/dynamodb/slashing_store.h"
#include "support/checks.h"
#include "support/dynamo_emulator.h"

namespace cc::dynamodb {
namespace {

using test::DynamoEmulator;
using test::DynamoKind;
using test::DynamoTable;
using test::vote;

class DynamoThroughput : public testing::TestWithParam<DynamoKind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(DynamoEmulator::get(GetParam()).up());
    place_ = std::make_unique<DynamoTable>(DynamoEmulator::get(GetParam()));
  }
  std::unique_ptr<DynamoTable> place_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DynamoThroughput);
INSTANTIATE_TEST_SUITE_P(OnDynoxide, DynamoThroughput, testing::ValuesIn(test::racing_emulators()),
                         [](const auto&) { return "Dynoxide"; });

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds for one vote of each validator for `target`, in batches.
double vote_all(DynamoSlashingStore& store, std::uint32_t validators, std::uint32_t batch, std::uint64_t target) {
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t from = 0; from < validators; from += batch) {
    std::vector<guard::Check> checks;
    std::vector<guard::LookAhead> ahead;
    for (std::uint32_t key = from; key < std::min(validators, from + batch); ++key) {
      checks.push_back(vote(target - 1, target, 1, key));
      ahead.push_back(guard::look_ahead(checks.back()));
    }
    const auto done = store.transact_ahead(ahead, [&](guard::SlashingTransaction& tx) -> Result<void> {
      for (const guard::Check& check : checks) {
        CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
        EXPECT_FALSE(verdict);
      }
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
  }
  return seconds_since(start);
}

TEST_P(DynamoThroughput, OfVotesInBatchesAndOneByOne) {
  const auto store = DynamoSlashingStore::open(place_->table(), OpenMode::open_or_create, std::nullopt, {});
  ASSERT_TRUE(store) << store.error().message;
  constexpr std::uint32_t kMany = 1024;
  constexpr std::uint32_t kFew = 64;
  vote_all(**store, kMany, 512, 1);
  const double batches = kMany / vote_all(**store, kMany, 512, 2);
  const double single = kFew / vote_all(**store, kFew, 1, 3);
  std::cout << "dynamodb (dynoxide): " << static_cast<int>(batches) << " votes/s in batches of 512, "
            << static_cast<int>(single) << " votes/s one by one\n";
}

TEST_P(DynamoThroughput, OfLoadingKeys) {
  const char* const wanted = std::getenv("CC_DYNAMO_KEYS");
  const std::size_t count = wanted == nullptr ? 2000 : std::strtoul(wanted, nullptr, 10);
  const auto store = DynamoKeyStore::open(place_->table(), 16);
  ASSERT_TRUE(store) << store.error().message;
  std::vector<keys::StoredKey> keys(count);
  for (std::size_t i = 0; i < count; ++i) {
    keys[i].public_key[0] = static_cast<std::uint8_t>(0x80 + i % 0x40);
    keys[i].public_key[46] = static_cast<std::uint8_t>(i >> 16);
    keys[i].public_key[1] = static_cast<std::uint8_t>(i >> 8);
    keys[i].public_key[2] = static_cast<std::uint8_t>(i);
    keys[i].record = Bytes(180, static_cast<std::uint8_t>(i));
  }
  const auto added = (*store)->add(keys);
  ASSERT_TRUE(added) << added.error().message;
  const auto start = std::chrono::steady_clock::now();
  std::size_t seen = 0;
  const auto read = (*store)->for_each(std::nullopt, [&](const keys::StoredKey&) -> Result<void> {
    ++seen;
    return {};
  });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(seen, count);
  std::cout << "dynamodb (dynoxide): " << count << " keys read in " << seconds_since(start)
            << " s, 16 partitions at once\n";
}

}  // namespace
}  // namespace cc::dynamodb
