// The interchange suite on SQLite (tests/support/interchange_suite.h).
#include "support/interchange_suite.h"

#include "adapters/sqlite/slashing_store.h"
#include "support/seeded_random.h"

namespace cc::guard {
namespace {

class InterchangeSuite : public testing::Test {
 protected:
  suite::EmptyStore empty_store() {
    return [this] {
      const std::string path = (folder_ / (std::to_string(++count_) + ".sqlite")).string();
      return sqlite::SqliteSlashingStore::open(path, sqlite::OpenMode::open_or_create, random_).value();
    };
  }
  test::TemporaryFolder folder_;
  test::SeededRandom random_{1};
  int count_ = 0;
};

TEST_F(InterchangeSuite, OwnCasesHoldUnderBothStrategies) { suite::run_own_cases("sqlite", empty_store()); }
TEST_F(InterchangeSuite, NothingMorePassesWhilePruningToOneEpoch) {
  suite::run_own_cases_while_pruning("sqlite", empty_store());
}
TEST_F(InterchangeSuite, TheOfficialSuiteHoldsWhenItIsGiven) { suite::run_official_suite("sqlite", empty_store()); }

}  // namespace
}  // namespace cc::guard
