#include "adapters/sqlite/database.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/sqlite_fixture.h"
#include "adapters/sqlite/state_store.h"

namespace cc::sqlite {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}
std::string refusal(const std::string& path) {
  const auto store = SqliteStateStore::open(path);
  if (store) {
    return "opened";
  }
  EXPECT_EQ(store.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(store.error().message, HasSubstr(path));
  return store.error().message;
}

class DatabaseTest : public testing::Test {
 protected:
  std::string path() const { return (folder_ / "state.sqlite").string(); }
  // A store with enough content for several pages, closed.
  void fill() {
    auto store = SqliteStateStore::open(path());
    ASSERT_TRUE(store);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE((*store)->write("document " + std::to_string(i), 0, Bytes(1000, 7)));
    }
  }
  TemporaryFolder folder_;
};

TEST_F(DatabaseTest, RefusesWhatIsNotADatabase) {
  write_file(path(), std::string(5000, 'x'));
  EXPECT_THAT(refusal(path()), HasSubstr("not a database"));
  EXPECT_EQ(test::read_text(path()), std::string(5000, 'x')) << "and leaves it alone";
}

TEST_F(DatabaseTest, RefusesAFileCutAtAnyPageOrInsideOne) {
  fill();
  const std::string whole = test::read_text(path());
  ASSERT_GT(whole.size(), 5 * 4096U);
  // A file of one byte counts as empty, as for SQLite itself.
  for (std::size_t size = 2; size < whole.size(); size += size < 4096 ? 510 : 2048) {
    write_file(path(), whole.substr(0, size));
    EXPECT_NE(refusal(path()), "opened") << size;
  }
  write_file(path(), whole);
  EXPECT_EQ(refusal(path()), "opened");
}

TEST_F(DatabaseTest, RefusesDamageInsideItsTrees) {
  fill();
  std::string whole = test::read_text(path());
  std::fill(whole.begin() + 4096, whole.begin() + 3L * 4096, '\xa5');
  write_file(path(), whole);
  EXPECT_THAT(refusal(path()), HasSubstr("damaged"));
}

TEST_F(DatabaseTest, RefusesAnotherApplicationAndAnotherStoreOfOurs) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "CREATE TABLE theirs (x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_THAT(refusal(path()), HasSubstr("another application"));
  const std::string keys = (folder_ / "keys.sqlite").string();
  ASSERT_TRUE(SqliteKeyStore::open(keys));
  EXPECT_THAT(refusal(keys), HasSubstr("another store"));
}

TEST_F(DatabaseTest, RefusesASchemaOfAnotherVersion) {
  fill();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version=7", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_THAT(refusal(path()), HasSubstr("schema version 7"));
}

TEST_F(DatabaseTest, RefusesAFolderInItsPlace) {
  std::filesystem::create_directory(path());
  EXPECT_THAT(refusal(path()), HasSubstr("not a regular file"));
}

TEST_F(DatabaseTest, FillsAnEmptyFileLeftByACrash) {
  write_file(path(), "");
  EXPECT_EQ(refusal(path()), "opened");
}

TEST_F(DatabaseTest, RefusesAReadOnlyFileAndFolder) {
  fill();
  ASSERT_EQ(::chmod(path().c_str(), 0400), 0);
  ASSERT_EQ(::chmod(folder_.string().c_str(), 0500), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path().c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(::chown(folder_.string().c_str(), kNobody, kNobody), 0);
  }
  const int status = in_child([&] {
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
      return 9;
    }
    const auto store = SqliteStateStore::open(path());
    if (store || store.error().kind != ErrorKind::store_unavailable) {
      return 1;
    }
    const bool told = store.error().message.find("cannot be written") != std::string::npos &&
                      store.error().message.find(path()) != std::string::npos;
    return told ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
  ASSERT_EQ(::chmod(folder_.string().c_str(), 0700), 0);
}

TEST_F(DatabaseTest, RefusesAFileOfSomebodyElseThatOthersMayRead) {
  if (::geteuid() != 0) {
    std::cout << "not run as root: a file of somebody else cannot be made\n";
    return;
  }
  fill();
  ASSERT_EQ(::chmod(path().c_str(), 0666), 0);
  ASSERT_EQ(::chmod(folder_.string().c_str(), 0777), 0);
  const int status = in_child([&] {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) {
      return 9;
    }
    const auto store = SqliteStateStore::open(path());
    return !store && store.error().message.find("mode 0600") != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

// Documents

TEST(StateStore, WritesOnlyOverTheRevisionExpected) {
  const TemporaryFolder folder;
  auto store = SqliteStateStore::open((folder / "state.sqlite").string());
  ASSERT_TRUE(store);
  const Bytes one{1};
  const Bytes two{2};
  EXPECT_EQ((*store)->read("a")->has_value(), false);
  EXPECT_EQ((*store)->write("a", 1, one).error().kind, ErrorKind::record_conflict);
  EXPECT_EQ((*store)->write("a", 0, one).value(), 1U);
  EXPECT_EQ((*store)->write("a", 0, two).error().kind, ErrorKind::record_conflict);
  EXPECT_EQ((*store)->write("a", 1, two).value(), 2U);
  EXPECT_EQ((*store)->write("b", 0, Bytes()).value(), 1U);
  EXPECT_EQ((*store)->read("a")->value().revision, 2U);
  EXPECT_EQ((*store)->read("a")->value().content, two);
  EXPECT_EQ((*store)->read("b")->value().content, Bytes());
}

TEST(StateStore, LetsOneOfTwoConnectionsWinARevision) {
  const TemporaryFolder folder;
  const std::string path = (folder / "state.sqlite").string();
  auto one = SqliteStateStore::open(path);
  auto two = SqliteStateStore::open(path);
  ASSERT_TRUE(one && two);
  for (std::uint64_t revision = 0; revision < 50; ++revision) {
    std::atomic<int> won = 0;
    std::thread other([&] { won += (*two)->write("a", revision, Bytes{2}) ? 1 : 0; });
    won += (*one)->write("a", revision, Bytes{1}) ? 1 : 0;
    other.join();
    EXPECT_EQ(won, 1) << revision;
  }
  EXPECT_EQ((*one)->read("a")->value().revision, 50U);
  EXPECT_EQ((*two)->read("a")->value().content, (*one)->read("a")->value().content);
}

// Keys

class KeyStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = SqliteKeyStore::open((folder_ / "keys.sqlite").string());
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(store).value();
  }
  static keys::StoredKey key(std::uint32_t number, keys::KeyStatus status = keys::KeyStatus::active) {
    return {key_of(number), status, Bytes{static_cast<std::uint8_t>(number), 2, 3}};
  }
  TemporaryFolder folder_;
  std::unique_ptr<SqliteKeyStore> store_;
};

TEST_F(KeyStoreTest, AddsFindsReplacesAndRemoves) {
  EXPECT_EQ(store_->add({key(1), key(2)}).value(), (std::vector<bool>{true, true}));
  EXPECT_EQ(store_->add({key(2), key(3), key(3)}).value(), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(store_->find(key_of(2))->value().record, (Bytes{2, 2, 3}));
  EXPECT_FALSE(store_->find(key_of(9))->has_value());
  keys::StoredKey changed = key(2, keys::KeyStatus::inactive);
  changed.record = {9};
  EXPECT_TRUE(store_->replace(changed));
  EXPECT_EQ(store_->find(key_of(2))->value().status, keys::KeyStatus::inactive);
  EXPECT_EQ(store_->find(key_of(2))->value().record, Bytes{9});
  EXPECT_EQ(store_->replace(key(9)).error().kind, ErrorKind::unknown_key);
  EXPECT_TRUE(store_->remove(key_of(1)));
  EXPECT_EQ(store_->remove(key_of(1)).error().kind, ErrorKind::unknown_key);
  EXPECT_EQ(store_->count(std::nullopt).value(), 2U);
  EXPECT_EQ(store_->count(keys::KeyStatus::active).value(), 1U);
  EXPECT_EQ(store_->count(keys::KeyStatus::inactive).value(), 1U);
}

TEST_F(KeyStoreTest, ExchangesOnlyWhatIsStoredExactlyAsItWasRead) {
  ASSERT_TRUE(store_->add({key(1), key(2)}));
  keys::StoredKey next = key(1);
  next.record = {7, 7};
  EXPECT_EQ(store_->exchange(key(1), next).value(), true);
  EXPECT_EQ(store_->find(key_of(1))->value().record, (Bytes{7, 7}));
  EXPECT_EQ(store_->exchange(key(1), key(1)).value(), false) << "it is another one by now";
  EXPECT_EQ(store_->exchange(key(2, keys::KeyStatus::inactive), key(2)).value(), false) << "of another status";
  EXPECT_EQ(store_->exchange(key(9), key(9)).value(), false) << "gone";
  EXPECT_EQ(store_->find(key_of(1))->value().record, (Bytes{7, 7}));
  EXPECT_EQ(store_->find(key_of(2))->value().record, key(2).record);
}

TEST_F(KeyStoreTest, PagesInOrderOfPublicKey) {
  std::vector<keys::StoredKey> all;
  for (std::uint32_t i = 3000; i > 0; --i) {
    all.push_back(key(i, i % 3 == 0 ? keys::KeyStatus::inactive : keys::KeyStatus::active));
  }
  ASSERT_TRUE(store_->add(all));
  std::uint32_t expected = 1;
  EXPECT_TRUE(store_->for_each(std::nullopt, [&](const keys::StoredKey& one) -> Result<void> {
    EXPECT_EQ(one.public_key, key_of(expected++));
    return {};
  }));
  EXPECT_EQ(expected, 3001U);
  std::uint64_t active = 0;
  EXPECT_TRUE(store_->for_each(keys::KeyStatus::active, [&](const keys::StoredKey& one) -> Result<void> {
    EXPECT_EQ(one.status, keys::KeyStatus::active);
    ++active;
    return {};
  }));
  EXPECT_EQ(active, 2000U);
  const auto page = store_->page(key_of(10), 2);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 2U);
  EXPECT_EQ((*page)[0].public_key, key_of(11));
  EXPECT_EQ((*page)[1].public_key, key_of(12));
  EXPECT_TRUE(store_->page(key_of(3000), 2)->empty());
}

TEST_F(KeyStoreTest, StopsAtTheFirstErrorOfAVisitAndMayBeAskedDuringOne) {
  ASSERT_TRUE(store_->add({key(1), key(2), key(3)}));
  int seen = 0;
  const auto done = store_->for_each(std::nullopt, [&](const keys::StoredKey& one) -> Result<void> {
    ++seen;
    EXPECT_TRUE(store_->find(one.public_key)->has_value());
    return seen == 2 ? Result<void>(fail(ErrorKind::key_record_tampered, "bad")) : Result<void>();
  });
  EXPECT_EQ(done.error().kind, ErrorKind::key_record_tampered);
  EXPECT_EQ(seen, 2);
}

TEST_F(KeyStoreTest, KeepsASentinel) {
  EXPECT_FALSE(store_->sentinel()->has_value());
  EXPECT_EQ(store_->exchange_sentinel(Bytes{9}, Bytes{1, 2}), false) << "there is none";
  EXPECT_EQ(store_->exchange_sentinel(std::nullopt, Bytes{1, 2}), true);
  EXPECT_EQ(store_->exchange_sentinel(std::nullopt, Bytes{4}), false);
  EXPECT_EQ(store_->exchange_sentinel(Bytes{9}, Bytes{4}), false);
  EXPECT_EQ(store_->exchange_sentinel(Bytes{1, 2}, Bytes{3}), true);
  EXPECT_EQ(store_->sentinel()->value(), Bytes{3});
}

}  // namespace
}  // namespace cc::sqlite
