#include "adapters/postgres/slashing_schema.h"

#include <gmock/gmock.h>

#include <thread>

#include "support/checks.h"
#include "support/postgres_cluster.h"

namespace cc::postgres {
namespace {

using test::PostgresCluster;
using testing::HasSubstr;

class SchemaTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.up()); }
  Result<void> migrate_with(std::span<const char* const> steps, OpenMode mode = OpenMode::open_or_create) {
    CC_ASSIGN(const Options options, check(cluster_.settings(schema_)));
    const Deadline by = PostgresCluster::in_seconds(10);
    CC_ASSIGN(const auto connection, Connection::open(options, by));
    return migrate(*connection, options, mode, steps, {1}, by);
  }
  std::string ask(const char* query) {
    const auto rows = cluster_.administrator(schema_)->run({{"", query}, {}}, PostgresCluster::in_seconds(5));
    return rows ? std::string(rows->text(0, 0)) : rows.error().message;
  }
  PostgresCluster& cluster_ = PostgresCluster::get();
  std::string schema_ = test::fresh_schema();
};

TEST_F(SchemaTest, IsBroughtForwardStepByStepAndKeepsItsId) {
  ASSERT_TRUE(migrate_with(slashing_migrations()));
  const std::string id = ask("SELECT id FROM identity");
  const char* const steps[] = {slashing_migrations()[0], slashing_migrations()[1], "CREATE TABLE second (n bigint)",
                               "CREATE TABLE third (n bigint)"};
  const auto done = migrate_with(steps);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(ask("SELECT max(version) FROM schema_version"), "4");
  EXPECT_EQ(ask("SELECT id FROM identity"), id);
  EXPECT_EQ(ask("SELECT count(*) FROM third"), "0");
}

TEST_F(SchemaTest, StaysAtTheStepBeforeOneThatFailsAndGoesOnFromThere) {
  const char* const broken[] = {slashing_migrations()[0], "CREATE TABLE second (n bigint); SELECT 1 / 0"};
  EXPECT_FALSE(migrate_with(broken));
  EXPECT_EQ(ask("SELECT max(version) FROM schema_version"), "1");
  EXPECT_EQ(ask("SELECT to_regclass('second') IS NULL"), "t");
  const char* const mended[] = {slashing_migrations()[0], "CREATE TABLE second (n bigint)"};
  EXPECT_TRUE(migrate_with(mended));
  EXPECT_EQ(ask("SELECT max(version) FROM schema_version"), "2");
}

TEST_F(SchemaTest, OfANewerProgramIsRefusedByName) {
  const char* const newer[] = {slashing_migrations()[0], slashing_migrations()[1], "CREATE TABLE third (n bigint)"};
  ASSERT_TRUE(migrate_with(newer));
  const auto store = test::open_postgres(cluster_.settings(schema_));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(store.error().message, HasSubstr("schema version 3"));
}

TEST_F(SchemaTest, OfAnOlderProgramIsBroughtForwardWithWhatItHolds) {
  ASSERT_TRUE(migrate_with(slashing_migrations().first(1)));
  const auto store = test::open_postgres(cluster_.settings(schema_));
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(ask("SELECT max(version) FROM schema_version"), "2");
  EXPECT_EQ(test::ask(**store, test::block(1, 1)), "ok");
}

TEST_F(SchemaTest, HistoryGoesOnlyBelowTheWatermarksAndOriginsStay) {
  const auto store = test::open_postgres(cluster_.settings(schema_));
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(test::ask(**store, test::block(5, 1)), "ok");
  EXPECT_EQ(test::ask(**store, test::block(9, 1)), "ok");
  EXPECT_THAT(ask("DELETE FROM blocks RETURNING 1"), HasSubstr("only blocks below the watermark"));
  const auto pruned = (*store)->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::raise_watermarks(tx, test::key_of(1), {Slot{9}, {}, {}}));
    CC_ASSIGN(const auto row, tx.validator(test::key_of(1), false));
    CC_ASSIGN(const std::uint64_t gone, tx.forget_below(row->id, row->low));
    EXPECT_EQ(gone, 1U);
    return tx.add_origin({guard::OriginKind::import, "a file", test::root_of(7), 12, 1, 2, 3});
  });
  ASSERT_TRUE(pruned) << pruned.error().message;
  EXPECT_EQ(test::ask(**store, test::block(5, 2)), "slashable");
  EXPECT_THAT(ask("DELETE FROM origins RETURNING 1"), HasSubstr("origins stay"));
  const auto read = (*store)->look([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto origins, tx.origins(5));
    EXPECT_EQ(origins.size(), 1U);
    EXPECT_EQ(origins.at(0).source, "a file");
    EXPECT_EQ(origins.at(0).digest, test::root_of(7));
    EXPECT_EQ(origins.at(0).blocks, 2U);
    return {};
  });
  EXPECT_TRUE(read) << read.error().message;
}

TEST_F(SchemaTest, IsMadeOnceByManySignersThatStartAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      const auto store = test::open_postgres(cluster_.settings(schema_));
      good += store ? 1 : 0;
      EXPECT_TRUE(store) << store.error().message;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 6);
  EXPECT_EQ(ask("SELECT count(*) FROM identity"), "1");
}

TEST_F(SchemaTest, MayLieInASchemaAnAdministratorMadeForAPoorUser) {
  const std::string user = "poor_" + schema_;
  auto admin = cluster_.administrator("public");
  ASSERT_TRUE(admin->script("CREATE ROLE " + user + " LOGIN PASSWORD '" + cluster_.password + "'; CREATE SCHEMA " +
                                schema_ + " AUTHORIZATION " + user,
                            PostgresCluster::in_seconds(5)));
  const auto store = test::open_postgres(cluster_.settings(schema_, user));
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(test::ask(**store, test::block(1, 1)), "ok");
}

}  // namespace
}  // namespace cc::postgres
