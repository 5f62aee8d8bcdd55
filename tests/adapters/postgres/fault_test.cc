// Dead, slow, full and read-only servers: each a clear error, nothing released, and the same store goes on afterwards.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <thread>

#include "support/checks.h"
#include "support/postgres_cluster.h"

namespace cc::postgres {
namespace {

using test::ask;
using test::block;
using test::PostgresCluster;
using test::vote;
using testing::HasSubstr;

class FaultTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.up()); }
  Settings settings(const std::string& user = "signer") {
    Settings out = cluster_.settings(schema_, user);
    out.timeout_seconds = 2;
    out.connect_timeout_seconds = 2;
    return out;
  }
  std::unique_ptr<PostgresSlashingStore> open() {
    auto store = test::open_postgres(settings());
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }
  void sql(const std::string& text) {
    const auto done = cluster_.administrator(schema_)->script(text, PostgresCluster::in_seconds(10));
    EXPECT_TRUE(done) << text << ": " << done.error().message;
  }
  std::string number(const std::string& query) {
    const auto rows = cluster_.administrator(schema_)->run({{"", query.c_str()}, {}}, PostgresCluster::in_seconds(10));
    EXPECT_TRUE(rows) << rows.error().message;
    return rows && rows->size() > 0 ? std::string(rows->text(0, 0)) : "";
  }
  // What a transaction says that fails.
  static Error error_of(PostgresSlashingStore& store) {
    const auto done = store.transact([](guard::SlashingTransaction& tx) -> Result<void> {
      CC_TRY(guard::check_and_record(tx, guard::Policy{}, block(1, 1, 77)));
      return {};
    });
    return done ? Error{} : done.error();
  }
  PostgresCluster& cluster_ = PostgresCluster::get();
  std::string schema_ = test::fresh_schema();
};

TEST_F(FaultTest, AServerThatStopsAndStartsAgainIsUsedAgain) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  ASSERT_EQ(cluster_.command("stop"), "ok");
  EXPECT_EQ(ask(*store, block(2, 1)), "store_unavailable");
  EXPECT_EQ(ask(*store, block(2, 1)), "store_unavailable");
  EXPECT_THAT(error_of(*store).message, HasSubstr("cannot connect"));
  EXPECT_EQ(error_of(*store).message.find(cluster_.password), std::string::npos);
  ASSERT_EQ(cluster_.command("start"), "ok");
  EXPECT_EQ(ask(*store, block(2, 2)), "ok");
  EXPECT_EQ(ask(*store, block(1, 2)), "slashable");
}

TEST_F(FaultTest, ARestartBetweenTwoTransactionsIsNotEvenNoticed) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  ASSERT_EQ(cluster_.command("stop"), "ok");
  ASSERT_EQ(cluster_.command("start"), "ok");
  EXPECT_EQ(ask(*store, block(2, 1)), "ok");
}

TEST_F(FaultTest, AServerThatDiesUnderATransactionKeepsAndReleasesNothing) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  const auto done = store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::check_and_record(tx, guard::Policy{}, block(2, 1)));
    EXPECT_EQ(cluster_.command("stop"), "ok");
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::store_unavailable) << done.error().message;
  ASSERT_EQ(cluster_.command("start"), "ok");
  EXPECT_EQ(ask(*store, block(2, 2)), "ok");
}

TEST_F(FaultTest, AFrozenServerIsGivenUpInTime) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  const std::string pid = number(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'containment-chamber'"
      " AND pid <> pg_backend_pid() AND query LIKE '%COMMIT%' ORDER BY backend_start DESC LIMIT 1");
  ASSERT_FALSE(pid.empty());
  ASSERT_EQ(::kill(std::stoi(pid), SIGSTOP), 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(*store, block(2, 1)), "store_unavailable");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(6));
  EXPECT_EQ(ask(*store, block(2, 1)), "ok") << "over a new connection";
  ::kill(std::stoi(pid), SIGCONT);
  EXPECT_EQ(ask(*store, block(2, 2)), "slashable");
}

// A signer that stands still inside a transaction holds its validators' rows; others refuse in time.
TEST_F(FaultTest, ASignerThatHoldsARowMakesOthersWaitAndRefuse) {
  auto holder = open();
  auto store = open();
  EXPECT_EQ(ask(*holder, block(1, 1)), "ok");
  const guard::Check held = block(2, 1);
  const guard::LookAhead ahead[] = {guard::look_ahead(held)};
  const auto done = holder->transact_ahead(ahead, [&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::check_and_record(tx, guard::Policy{}, held));
    EXPECT_EQ(ask(*store, block(2, 2, 5)), "ok") << "another validator is free";
    // The server ends the wait, or the transaction that stands still, whichever comes first.
    EXPECT_NE(ask(*store, block(2, 2)), "slashable");
    return {};
  });
  EXPECT_FALSE(done) << "its own time is over as well";
  EXPECT_EQ(ask(*store, block(2, 2)), "ok");
}

TEST_F(FaultTest, AReadOnlyServerIsNamed) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  sql("ALTER DATABASE signer SET default_transaction_read_only = on");
  auto late = test::open_postgres(settings());
  ASSERT_TRUE(late) << late.error().message;
  const Error error = error_of(**late);
  EXPECT_EQ(error.kind, ErrorKind::store_unavailable);
  EXPECT_THAT(error.message, HasSubstr("read-only"));
  auto admin = cluster_.administrator(schema_);
  for (const char* text :
       {"SET default_transaction_read_only = off", "ALTER DATABASE signer RESET default_transaction_read_only"}) {
    const auto back = admin->script(text, PostgresCluster::in_seconds(5));
    EXPECT_TRUE(back) << back.error().message;
  }
}

TEST_F(FaultTest, AServerAtItsConnectionLimitIsNamed) {
  open();
  sql("CREATE ROLE narrow_" + schema_ + " LOGIN CONNECTION LIMIT 1 PASSWORD '" + cluster_.password + "'");
  sql("GRANT USAGE ON SCHEMA " + schema_ + " TO narrow_" + schema_);
  sql("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA " + schema_ + " TO narrow_" + schema_);
  auto first = test::open_postgres(settings("narrow_" + schema_), OpenMode::existing_only);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(ask(**first, block(1, 1)), "ok") << "these rights are enough";
  const auto second = test::open_postgres(settings("narrow_" + schema_), OpenMode::existing_only);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("too many connections"));
}

TEST_F(FaultTest, ADatabaseThatLostCommitsOrChangedItsIdIsRefusedAfterAReconnection) {
  auto store = open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  EXPECT_EQ(ask(*store, block(2, 1)), "ok");
  sql("ALTER TABLE identity DISABLE TRIGGER ALL; UPDATE identity SET commits = commits - 1; ALTER TABLE identity "
      "ENABLE TRIGGER ALL");
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'signer'");
  EXPECT_EQ(ask(*store, block(3, 1)), "slashing_store_mismatch");
  sql("UPDATE identity SET commits = commits + 5");
  EXPECT_EQ(ask(*store, block(3, 1)), "ok");
  sql("ALTER TABLE identity DISABLE TRIGGER ALL; UPDATE identity SET id = decode(repeat('ab', 16), 'hex')");
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'signer'");
  EXPECT_EQ(ask(*store, block(4, 1)), "slashing_store_mismatch");
}

TEST_F(FaultTest, AMissingTableIsNamedAndNotMadeAnew) {
  auto store = open();
  EXPECT_EQ(ask(*store, vote(1, 2, 1)), "ok");
  store.reset();
  sql("DROP TABLE attestations CASCADE");
  auto again = test::open_postgres(settings());
  ASSERT_TRUE(again) << again.error().message;
  const guard::LookAhead ahead[] = {guard::look_ahead(vote(1, 2, 2))};
  const auto done = (*again)->transact_ahead(ahead, [](guard::SlashingTransaction&) -> Result<void> { return {}; });
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("restore the database from a backup"));
}

TEST_F(FaultTest, AWeakenedServerDoesNotWeakenOurCommits) {
  sql("ALTER DATABASE signer SET synchronous_commit = off");
  auto options = check(settings());
  ASSERT_TRUE(options);
  auto connection = Connection::open(*options, PostgresCluster::in_seconds(5));
  ASSERT_TRUE(connection) << connection.error().message;
  const auto rows = (*connection)->run({{"", "SHOW synchronous_commit"}, {}}, PostgresCluster::in_seconds(5));
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->text(0, 0), "on");
  sql("ALTER DATABASE signer RESET synchronous_commit");
}

// Backends killed with SIGKILL while commits run (the whole server then restarts itself): what was released stays, and
// no slot has two roots.
TEST_F(FaultTest, BackendsKilledInTheMiddleOfCommitsLoseNothingReleased) {
  auto one = open();
  auto two = open();
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::map<std::uint64_t, std::set<std::uint64_t>> released;
  std::map<std::string, int> said;
  const auto sign = [&](PostgresSlashingStore& store, std::uint64_t root) {
    for (std::uint64_t slot = 1; !stop; ++slot) {
      const std::string word = ask(store, block(slot, root));
      const std::lock_guard lock(mutex);
      ++said[word];
      if (word == "ok") {
        released[slot].insert(root);
      }
      if (word != "ok" && word != "slashable") {
        --slot;
      }
    }
  };
  std::thread first([&] { sign(*one, 1); });
  std::thread second([&] { sign(*two, 2); });
  for (int round = 0; round < 4; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + 170 * round));
    auto admin = Connection::open(*check(cluster_.settings(schema_)), PostgresCluster::in_seconds(5));
    const auto rows =
        admin ? (*admin)->run({{"",
                                "SELECT pid FROM pg_stat_activity WHERE usename = 'signer' AND pid <> pg_backend_pid()"
                                " AND state <> 'idle' LIMIT 1"},
                               {}},
                              PostgresCluster::in_seconds(5))
              : Result<Rows>(fail(admin.error()));
    if (rows && rows->size() == 1) {
      ::kill(static_cast<pid_t>(rows->integer(0, 0)), SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
  }
  stop = true;
  first.join();
  second.join();
  Result<std::unique_ptr<PostgresSlashingStore>> reopened = test::open_postgres(settings());
  for (int i = 0; i < 60 && !reopened; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // the server recovers
    reopened = test::open_postgres(settings());
  }
  ASSERT_TRUE(reopened) << reopened.error().message;
  auto fresh = *std::move(reopened);
  std::size_t count = 0;
  for (const auto& [slot, roots] : released) {
    ASSERT_EQ(roots.size(), 1U) << slot;
    EXPECT_EQ(ask(*fresh, block(slot, 7)), "slashable") << slot;
    EXPECT_EQ(ask(*fresh, block(slot, *roots.begin())), "ok") << slot;
    ++count;
  }
  EXPECT_GT(count, 8U);
  EXPECT_GT(said["store_unavailable"] + said["store_in_doubt"], 0) << "a kill must have met a transaction";
  for (const auto& [word, times] : said) {
    std::cout << "killed backends: " << word << " " << times << "\n";
  }
}

}  // namespace
}  // namespace cc::postgres
