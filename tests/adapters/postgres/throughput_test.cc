// What batches are for: a slot's votes in few transactions, against one transaction for each.
#include <chrono>
#include <iostream>

#include "support/checks.h"
#include "support/postgres_cluster.h"

namespace cc::postgres {
namespace {

using test::vote;

// Seconds for one vote of each validator for `target`, in batches.
double vote_all(PostgresSlashingStore& store, std::uint32_t validators, std::size_t batch, std::uint64_t target) {
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t from = 0; from < validators; from += static_cast<std::uint32_t>(batch)) {
    std::vector<guard::Check> checks;
    std::vector<guard::LookAhead> ahead;
    for (std::uint32_t key = from; key < std::min<std::uint32_t>(validators, from + static_cast<std::uint32_t>(batch));
         ++key) {
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
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(Throughput, BatchesAreManyTimesFasterThanOneTransactionPerVote) {
  auto& cluster = test::PostgresCluster::get();
  ASSERT_TRUE(cluster.up());
  const auto store = test::open_postgres(cluster.settings(test::fresh_schema()));
  ASSERT_TRUE(store) << store.error().message;
  constexpr std::uint32_t kMany = 4096;
  constexpr std::uint32_t kFew = 200;
  vote_all(**store, kMany, 512, 1);
  vote_all(**store, kMany, 512, 2);
  const double batches = kMany / vote_all(**store, kMany, 512, 3);
  const double single = kFew / vote_all(**store, kFew, 1, 4);
  std::cout << "postgres: " << static_cast<int>(batches) << " votes/s in batches of 512, " << static_cast<int>(single)
            << " votes/s in single transactions: " << batches / single << " times\n";
  EXPECT_GT(batches, 5 * single);
}

}  // namespace
}  // namespace cc::postgres
