// The interchange suite on DynamoDB (tests/support/interchange_suite.h), and the property of
// tests/guard/property_test.cc over two signers in turn.
#include "support/interchange_suite.h"

#include "adapters/dynamodb/slashing_store.h"
#include "support/dynamo_emulator.h"
#include "support/property_world.h"

namespace cc::guard {
namespace {

using test::DynamoKind;

class InterchangeSuite : public testing::TestWithParam<DynamoKind> {
 protected:
  void SetUp() override { CC_NEEDS_DYNAMO(GetParam()); }
  std::unique_ptr<SlashingStore> fresh() {
    if (tables_.size() >= 4) {
      tables_.erase(tables_.begin());  // the case before is over
    }
    tables_.push_back(std::make_unique<test::DynamoTable>(test::DynamoEmulator::get(GetParam())));
    return open(*tables_.back());
  }
  static std::unique_ptr<SlashingStore> open(test::DynamoTable& table) {
    return dynamodb::DynamoSlashingStore::open(table.table(), dynamodb::OpenMode::open_or_create, std::nullopt, {})
        .value();
  }
  suite::EmptyStore maker() {
    return [this] { return fresh(); };
  }
  static std::string backend() { return GetParam() == DynamoKind::moto ? "dynamodb (moto)" : "dynamodb (dynoxide)"; }
  std::vector<std::unique_ptr<test::DynamoTable>> tables_;
};
INSTANTIATE_TEST_SUITE_P(OnEveryEmulator, InterchangeSuite, testing::ValuesIn(test::every_emulator()),
                         [](const auto& one) { return one.param == DynamoKind::moto ? "Moto" : "Dynoxide"; });

TEST_P(InterchangeSuite, OwnCasesHoldUnderBothStrategies) { suite::run_own_cases(backend(), maker()); }
TEST_P(InterchangeSuite, NothingMorePassesWhilePruningToOneEpoch) {
  suite::run_own_cases_while_pruning(backend(), maker());
}
TEST_P(InterchangeSuite, TheOfficialSuiteHoldsWhenItIsGiven) { suite::run_official_suite(backend(), maker()); }

class TakingTurns final : public SlashingStore {
 public:
  TakingTurns(SlashingStore& one, SlashingStore& two) : stores_{&one, &two} {}
  Result<void> transact(const Work& work) override { return next().transact(work); }
  Result<void> transact_ahead(std::span<const LookAhead> ahead, const Work& work) override {
    return next().transact_ahead(ahead, work);
  }
  Result<StoreIdentity> identity() override { return stores_[0]->identity(); }
  Result<StoreIdentity> begin_run() override { return stores_[0]->begin_run(); }
  Result<void> name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                            const Root& digest) override {
    return stores_[0]->name_chamber(chamber, epoch, digest);
  }

 private:
  SlashingStore& next() {
    turn_ = !turn_;
    return *stores_[turn_ ? 1 : 0];
  }
  std::array<SlashingStore*, 2> stores_;
  bool turn_ = false;
};

class PropertyOnDynamo : public InterchangeSuite {};
INSTANTIATE_TEST_SUITE_P(OnEveryEmulator, PropertyOnDynamo, testing::ValuesIn(test::every_emulator()),
                         [](const auto& one) { return one.param == DynamoKind::moto ? "Moto" : "Dynoxide"; });

TEST_P(PropertyOnDynamo, NothingSlashableIsReleasedByTwoSignersOnOneTable) {
  const auto steps = rc::gen::container<std::vector<Step>>(any_step());
  int released = 0;
  // moto copies every table for each transaction: once is enough there.
  const std::uint64_t seeds = GetParam() == DynamoKind::moto ? 1 : 8;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    test::DynamoTable table(test::DynamoEmulator::get(GetParam()));
    const auto one = open(table);
    const auto two = open(table);
    TakingTurns store(*one, *two);
    World world(store);
    EXPECT_TRUE(world.run(steps(rc::Random(seed), 80).value())) << "seed " << seed;
    released += world.released();
  }
  EXPECT_GT(released, 2);
}

}  // namespace
}  // namespace cc::guard
