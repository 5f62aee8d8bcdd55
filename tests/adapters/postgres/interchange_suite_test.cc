// The interchange suite on PostgreSQL (tests/support/interchange_suite.h).
#include "support/interchange_suite.h"

#include "support/postgres_cluster.h"

namespace cc::guard {
namespace {

std::unique_ptr<SlashingStore> empty_store() {
  return test::open_postgres(test::PostgresCluster::get().settings(test::fresh_schema())).value();
}

TEST(InterchangeSuite, OwnCasesHoldUnderBothStrategies) { suite::run_own_cases("postgres", empty_store); }
TEST(InterchangeSuite, NothingMorePassesWhilePruningToOneEpoch) {
  suite::run_own_cases_while_pruning("postgres", empty_store);
}
TEST(InterchangeSuite, TheOfficialSuiteHoldsWhenItIsGiven) { suite::run_official_suite("postgres", empty_store); }

}  // namespace
}  // namespace cc::guard
