#include "adapters/sqlite/slashing_store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "adapters/sqlite/slashing_schema.h"
#include "adapters/sqlite/sqlite_fixture.h"
#include "guard/interchange.h"
#include "support/slashing_contract.h"

namespace cc::sqlite {
namespace {

using test::TemporaryFolder;

class SlashingStoreTest : public testing::Test {
 protected:
  std::string path() const { return (folder_ / "slashing.sqlite").string(); }
  std::unique_ptr<SqliteSlashingStore> open() {
    auto store = open_store(path());
    EXPECT_TRUE(store) << store.error().message;
    return std::move(store).value();
  }
  mode_t mode_of(const std::string& file) const {
    struct stat about{};
    EXPECT_EQ(::stat(file.c_str(), &about), 0) << file;
    return about.st_mode & 0777;
  }
  TemporaryFolder folder_;
};

class Place final : public test::SlashingPlace {
 public:
  Result<Store> try_open(bool must_exist, const std::optional<Chamber>& /*one signer*/) override {
    return open_store((folder_ / "slashing.sqlite").string(),
                      must_exist ? OpenMode::existing_only : OpenMode::open_or_create);
  }

 private:
  TemporaryFolder folder_;
};
class Contract : public testing::TestWithParam<test::SlashingCase> {};
TEST_P(Contract, Holds) {
  Place place;
  GetParam().run(place);
}
INSTANTIATE_TEST_SUITE_P(OfAll, Contract, testing::ValuesIn(test::kSlashingContract), test::name_of);

// A store as version 1 of its schema made it, with one signed block and one vote.
void make_version_one(const std::string& path) {
  Schema first = kSlashingSchema;
  first.version = 1;
  auto database = Database::open(path, first, OpenMode::open_or_create, Sharing::shared);
  ASSERT_TRUE(database) << database.error().message;
  database->reset();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  const std::string key = to_hex(key_of(1));
  const std::string root = to_hex(root_of(1));
  const auto number = [](std::uint64_t value) { return std::to_string(stored_number(value)); };
  const std::string rows =
      "INSERT INTO identity (only_row, id, run, commits, highest_epoch, core_digest, genesis_validators_root)"
      " VALUES (1, x'00112233445566778899aabbccddeeff', 3, 9, 0, zeroblob(32), zeroblob(32));"
      "INSERT INTO validators VALUES (1, x'" +
      key + "', 'permitted', 0, 1, " + number(10) + ", " + number(2) + ", " + number(3) +
      ");"
      "INSERT INTO blocks VALUES (1, " +
      number(10) + ", x'" + root + "'); INSERT INTO attestations VALUES (1, " + number(3) + ", " + number(2) + ", x'" +
      root + "');";
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(raw, rows.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(raw);
}

TEST_F(SlashingStoreTest, BringsAStoreOfVersionOneUpToDateAndKeepsItsHistory) {
  make_version_one(path());
  for (int opening = 0; opening < 2; ++opening) {
    auto store = open();
    const auto identity = store->identity();
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->run, 3U);
    EXPECT_EQ(ask(*store, block(10, 1)), "ok");
    EXPECT_EQ(ask(*store, block(10, 2)), "slashable");
    EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
    EXPECT_EQ(ask(*store, vote(1, 4, 1)), "slashable");
    ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      return tx.add_origin({guard::OriginKind::import, "file " + std::to_string(opening), root_of(5), 7, 1, 2, 3});
    }));
  }
  auto store = open();
  ASSERT_TRUE(store->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto all, tx.origins(10));
    EXPECT_EQ(all.size(), 2U);
    EXPECT_EQ(all.front().source, "file 1");
    EXPECT_EQ(all.front().digest, root_of(5));
    EXPECT_EQ(all.front().attestations, 3U);
    CC_ASSIGN(const auto newest, tx.origins(1));
    EXPECT_EQ(newest.size(), 1U);
    return {};
  }));
}

// The rule is code; the triggers hold when the code is wrong.
TEST_F(SlashingStoreTest, ForgetsNothingAtOrAboveAWatermark) {
  auto store = open();
  for (std::uint64_t i = 1; i < 6; ++i) {
    EXPECT_EQ(ask(*store, block(i, 1)), "ok");
    EXPECT_EQ(ask(*store, vote(i, i + 1, 1)), "ok");
  }
  const auto forget = [&](const guard::Watermarks& low) {
    return store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(const auto row, tx.validator(key_of(1), false));
      CC_TRY(tx.forget_below(row->id, low));
      return {};
    });
  };
  EXPECT_FALSE(forget({Slot{3}, std::nullopt, std::nullopt}));
  EXPECT_FALSE(forget({std::nullopt, Epoch{9}, Epoch{4}}));
  EXPECT_TRUE(forget({std::nullopt, std::nullopt, Epoch{4}})) << "half a mark forgets no vote";
  EXPECT_TRUE(forget({Slot{1}, Epoch{1}, Epoch{2}}));
  EXPECT_EQ(ask(*store, block(1, 1)), "ok") << "still there";
  ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) {
    return guard::raise_watermarks(tx, key_of(1), {Slot{3}, Epoch{3}, Epoch{4}});
  }));
  EXPECT_TRUE(forget({Slot{3}, Epoch{3}, Epoch{4}}));
  ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto row, tx.validator(key_of(1), false));
    CC_ASSIGN(const auto blocks, tx.all_blocks(row->id));
    CC_ASSIGN(const auto votes, tx.all_attestations(row->id));
    EXPECT_EQ(blocks.front().slot, Slot{3});
    EXPECT_EQ(votes.front().target, Epoch{4});
    return {};
  }));
}

TEST_F(SlashingStoreTest, IsPrivate) {
  const std::string deep = (folder_ / "a").string() + "/b/slashing.sqlite";
  auto store = open_store(deep);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(ask(**store, block(1, 1)), "ok");
  EXPECT_EQ(mode_of((folder_ / "a").string()), 0700U);
  EXPECT_EQ(mode_of((folder_ / "a/b").string()), 0700U);
  for (const char* end : {"", "-wal", ".lock"}) {
    EXPECT_EQ(mode_of(deep + end), 0600U) << end;
  }
}

TEST_F(SlashingStoreTest, TakesAwayRightsThatOthersHaveOnTheFile) {
  open();
  ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
  auto store = open();
  EXPECT_EQ(mode_of(path()), 0600U);
}

TEST_F(SlashingStoreTest, StoresNumbersOf64BitsInOrder) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << 63) - 1, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_EQ(number_from(stored_number(value)), value);
  }
  EXPECT_LT(stored_number(5), stored_number(std::uint64_t{1} << 63));
  EXPECT_LT(stored_number(std::uint64_t{1} << 63), stored_number(~std::uint64_t{0}));
}

TEST_F(SlashingStoreTest, MakesNoFileWhenItMustExist) {
  EXPECT_FALSE(open_store(path(), OpenMode::existing_only));
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_FALSE(std::filesystem::exists(path() + ".lock"));
}

TEST_F(SlashingStoreTest, DrawsAnIdOfItsOwn) {
  SystemRandom random;
  auto one = SqliteSlashingStore::open((folder_ / "one").string(), OpenMode::open_or_create, random);
  auto two = SqliteSlashingStore::open((folder_ / "two").string(), OpenMode::open_or_create, random);
  EXPECT_NE((*one)->identity()->id, (*two)->identity()->id);
}

TEST_F(SlashingStoreTest, NamesItsChamberAndNeverLowersItsEpoch) {
  auto store = open();
  const std::array<std::uint8_t, 16> chamber{1};
  const std::array<std::uint8_t, 16> other{2};
  ASSERT_TRUE(store->name_chamber(chamber, 3, root_of(3)));
  ASSERT_TRUE(store->name_chamber(chamber, 3, root_of(4)));
  EXPECT_EQ(store->name_chamber(chamber, 2, root_of(2)).error().kind, ErrorKind::record_older);
  EXPECT_EQ(store->identity()->chamber, chamber);
  EXPECT_EQ(store->identity()->highest_epoch, 3U);
  EXPECT_EQ(store->identity()->core_digest, root_of(4));
  ASSERT_TRUE(store->name_chamber(other, 1, root_of(5)));
  EXPECT_EQ(store->identity()->chamber, other);
  EXPECT_EQ(store->identity()->highest_epoch, 1U);
}

TEST_F(SlashingStoreTest, IsHeldByOneOpeningAtATimeInOneProcess) {
  auto store = open();
  const auto second = open_store(path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::store_locked);
  EXPECT_EQ(ask(*store, block(10, 1)), "ok") << "the attempt must not loosen the first lock";
  EXPECT_FALSE(open_store(path()));
  store.reset();
  EXPECT_TRUE(open_store(path()));
}

TEST_F(SlashingStoreTest, IsRefusedToAnotherProcessNamingTheHolder) {
  auto store = open();
  const pid_t holder = ::getpid();
  EXPECT_EQ(in_child([&] {
              const auto second = open_store(path());
              const bool named =
                  !second && second.error().message.find("process " + std::to_string(holder)) != std::string::npos;
              return !second && second.error().kind == ErrorKind::store_locked && named ? 0 : 1;
            }),
            0);
}

TEST_F(SlashingStoreTest, IsRefusedThroughASymbolicLinkAndWithoutItsLockFile) {
  auto store = open();
  const std::string link = (folder_ / "link.sqlite").string();
  std::filesystem::create_symlink(path(), link);
  EXPECT_EQ(open_store(link).error().kind, ErrorKind::store_locked);
  ASSERT_TRUE(std::filesystem::remove(path() + ".lock"));
  EXPECT_EQ(in_child([&] {
              const auto second = open_store(path());
              return !second && second.error().kind == ErrorKind::store_locked ? 0 : 1;
            }),
            0)
      << "SQLite's own lock must hold too";
}

TEST_F(SlashingStoreTest, IsFreeRightAfterItsHolderWasKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = open_store(path());
    const char done = store && ask(**store, block(10, 1)) == "ok" ? 'y' : 'n';
    static_cast<void>(!::write(ready[1], &done, 1));
    ::pause();
    ::_exit(0);
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  EXPECT_EQ(open_store(path()).error().kind, ErrorKind::store_locked);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  auto store = open();
  EXPECT_EQ(ask(*store, block(10, 2)), "slashable");
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(SlashingStoreTest, LetsOneOfManyRacingThreadsWin) {
  auto store = open();
  for (std::uint64_t slot = 1; slot <= 20; ++slot) {
    std::atomic<int> blocks = 0;
    std::atomic<int> votes = 0;
    std::vector<std::thread> threads;
    for (std::uint64_t root = 1; root <= 4; ++root) {
      threads.emplace_back([&, root] {
        blocks += ask(*store, block(slot, root)) == "ok" ? 1 : 0;
        votes += ask(*store, vote(slot, slot + root % 2, root)) == "ok" ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(blocks, 1) << slot;
    EXPECT_GE(votes, 1) << slot;
    EXPECT_LE(votes, 2) << slot << ": one for each target";
  }
}

TEST_F(SlashingStoreTest, DropsAWholeImportThatFailsAtItsEnd) {
  auto store = open();
  guard::Interchange file;
  for (std::uint32_t i = 1; i <= 50; ++i) {
    file.data.push_back({key_of(i), {{Slot{i}, std::nullopt}}, {}});
  }
  EXPECT_FALSE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::import_interchange(tx, file, guard::Strategy::complete));
    return fail(ErrorKind::interchange_invalid, "the last line is wrong");
  }));
  ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto keys, tx.validators());
    EXPECT_TRUE(keys.empty());
    CC_ASSIGN(const auto root, tx.genesis_validators_root());
    EXPECT_FALSE(root);
    return {};
  }));
}

// The tables themselves refuse what the rules never ask for.
TEST_F(SlashingStoreTest, RefusesToLowerWatermarksInTheTables) {
  {
    auto store = open();
    EXPECT_EQ(ask(*store, block(10, 1)), "ok");
    EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
    ASSERT_TRUE(store->name_chamber({1}, 5, root_of(1)));
    EXPECT_EQ(store
                  ->transact([](guard::SlashingTransaction& tx) -> Result<void> {
                    CC_ASSIGN(auto row, tx.validator(key_of(1), false));
                    row->low.block_slot = Slot{9};
                    return tx.update_validator(*row);
                  })
                  .error()
                  .kind,
              ErrorKind::store_unavailable);
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
  for (const char* sql :
       {"UPDATE validators SET low_block_slot = NULL", "UPDATE validators SET low_source_epoch = low_source_epoch - 1",
        "UPDATE validators SET generation = -1", "UPDATE identity SET commits = commits - 1",
        "UPDATE identity SET highest_epoch = 4", "UPDATE identity SET genesis_validators_root = NULL",
        "UPDATE identity SET id = randomblob(16)", "UPDATE blocks SET signing_root = zeroblob(32)",
        "UPDATE attestations SET target_epoch = 0", "DELETE FROM validators"}) {
    EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_CONSTRAINT) << sql;
  }
  sqlite3_close(raw);
}

TEST_F(SlashingStoreTest, ReadsForPeopleThroughItsViews) {
  {
    auto store = open();
    EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
  std::string row;
  const auto take = [](void* to, int columns, char** values, char**) {
    for (int i = 0; i < columns; ++i) {
      *static_cast<std::string*>(to) += std::string(values[i]) + " ";
    }
    return 0;
  };
  ASSERT_EQ(sqlite3_exec(raw, "SELECT source_epoch, target_epoch, signing_root FROM readable_attestations", take, &row,
                         nullptr),
            SQLITE_OK);
  EXPECT_EQ(row, "2 3 " + to_0x(root_of(1)) + " ");
  sqlite3_close(raw);
}

}  // namespace
}  // namespace cc::sqlite
