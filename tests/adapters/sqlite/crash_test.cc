// Power cuts, failing writes and SIGKILL: what was released is there afterwards, and nothing contrary to it is
// released.
#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <set>

#include "adapters/sqlite/fault_vfs.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/sqlite_fixture.h"
#include "adapters/sqlite/state_store.h"

namespace cc::sqlite {
namespace {

using test::FaultVfs;
using test::SeededRandom;
using test::TemporaryFolder;

// slot → the root that was released for it. A second root is what must never happen.
using Released = std::map<std::uint64_t, std::uint64_t>;

void sign(guard::SlashingStore& store, std::uint64_t slot, std::uint64_t root, Released& released) {
  if (ask(store, block(slot, root)) == "ok") {
    const auto [at, fresh] = released.emplace(slot, root);
    EXPECT_EQ(at->second, root) << "two roots were released for slot " << slot;
  }
}

// Each slot is tried with three roots, as a client would that gets no answer and meets a fork.
void sign_some(const std::string& path, Released& released) {
  auto store = open_store(path);
  if (!store || !(*store)->begin_run()) {
    return;
  }
  for (std::uint64_t slot = 1; slot <= 8; ++slot) {
    for (std::uint64_t root = 1; root <= 3; ++root) {
      sign(**store, slot, root, released);
    }
  }
}

void expect_all_there(const std::string& path, const Released& released, const std::string& when) {
  auto store = open_store(path);
  ASSERT_TRUE(store) << when << ": " << store.error().message;
  // The other root first: the identical one would be recorded anew where it was lost.
  for (const auto& [slot, root] : released) {
    EXPECT_EQ(ask(**store, block(slot, root + 7)), "slashable") << when << ", slot " << slot;
    EXPECT_EQ(ask(**store, block(slot, root)), "ok") << when << ", slot " << slot;
  }
}

TEST(PowerCut, AtAnyWriteKeepsEverythingReleased) {
  FaultVfs vfs;
  std::size_t released_at_cuts = 0;
  std::uint64_t at = 1;
  for (bool struck = true; struck; ++at) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const TemporaryFolder folder;
      const std::string path = (folder / "slashing.sqlite").string();
      SeededRandom random(at * 100 + seed);
      Released released;
      vfs.cut_power(at);
      sign_some(path, released);
      struck = vfs.struck();
      vfs.heal();
      vfs.restore(random);
      released_at_cuts += released.size();
      expect_all_there(path, released, "power cut at operation " + std::to_string(at));
    }
  }
  EXPECT_GT(at, 30U) << "the cuts must have met signatures";
  EXPECT_GT(released_at_cuts, 100U);
}

// The detector must notice a writer that does not flush: the same cut, and a connection with synchronous=OFF.
TEST(PowerCut, OfAWriterThatDoesNotFlushIsNoticed) {
  FaultVfs vfs;
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const TemporaryFolder folder;
    const std::string path = (folder / "careless.sqlite").string();
    SeededRandom random(seed);
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(
        sqlite3_exec(raw,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows (n); PRAGMA synchronous=OFF",
                     nullptr, nullptr, nullptr),
        SQLITE_OK);
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(sqlite3_exec(raw, "INSERT INTO rows VALUES (1)", nullptr, nullptr, nullptr), SQLITE_OK);
    }
    vfs.cut_power(1);
    sqlite3_close(raw);
    vfs.heal();
    vfs.restore(random);
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    std::string rows;
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0];
      return 0;
    };
    sqlite3_exec(raw, "SELECT count(*) FROM rows", take, &rows, nullptr);
    lost += rows == "5" ? 0 : 1;
    sqlite3_close(raw);
  }
  EXPECT_GT(lost, 0);
}

// Failing once, then a power cut right behind: a page that only the page cache knows must not count as recorded.
TEST(FailedWrite, AtAnyPlaceReleasesNothingTwiceAndLosesNothing) {
  FaultVfs vfs;
  for (const int code : {SQLITE_OK, SQLITE_FULL}) {
    std::uint64_t at = 1;
    for (bool struck = true; struck; ++at) {
      const TemporaryFolder folder;
      const std::string path = (folder / "slashing.sqlite").string();
      SeededRandom random(at);
      Released released;
      {
        vfs.fail(at, code, false);
        auto store = open_store(path);
        for (std::uint64_t slot = 1; store && slot <= 5; ++slot) {
          for (const std::uint64_t root : {1, 1, 2}) {
            sign(**store, slot, root, released);
          }
        }
        struck = vfs.struck();
        vfs.cut_power(1);
      }
      vfs.heal();
      vfs.restore(random);
      expect_all_there(path, released, "operation " + std::to_string(at) + " failed with " + std::to_string(code));
    }
    EXPECT_GT(at, 15U);
  }
}

// A flush fails, the process is killed, and the kernel still shows its successor the pages that never reached the disk.
// What the successor then releases as a repetition must outlive a power cut.
TEST(FailedCommit, OfAKilledPredecessorIsWrittenAnewBeforeARepetitionIsReleased) {
  const TemporaryFolder folder;
  const std::string path = (folder / "slashing.sqlite").string();
  const std::string wal = path + "-wal";
  ASSERT_EQ(in_child([&] {
              FaultVfs vfs;
              auto store = open_store(path);
              if (!store || ask(**store, block(9, 1)) != "ok") {
                return 1;
              }
              // The commit writes its frames, then flushes: fail the flush.
              for (std::uint64_t at = 1;; ++at) {
                vfs.fail(at, SQLITE_OK, false);
                if (ask(**store, block(10 * at, 1)) == "store_in_doubt" && vfs.last_struck_was_sync()) {
                  const auto flushed = vfs.flushed(wal);
                  std::ofstream(wal + ".flushed", std::ios::binary)
                      .write(reinterpret_cast<const char*>(flushed.data()),
                             static_cast<std::streamsize>(flushed.size()));
                  std::ofstream(path + ".slot") << 10 * at;
                  ::_exit(0);
                }
                if (at > 50) {
                  return 2;
                }
              }
            }),
            0);
  const std::uint64_t slot = std::stoull(test::read_text(path + ".slot"));
  FaultVfs vfs;
  SeededRandom random(1);
  const std::string flushed = test::read_text(wal + ".flushed");
  ASSERT_LT(flushed.size(), test::read_text(wal).size()) << "the log must show more than was flushed";
  vfs.set_flushed(wal, {flushed.begin(), flushed.end()});
  Released released;
  {
    auto store = open_store(path);
    ASSERT_TRUE(store) << store.error().message;
    sign(**store, slot, 1, released);
    ASSERT_EQ(released.size(), 1U);
    vfs.cut_power(1);
  }
  vfs.heal();
  vfs.restore(random);
  expect_all_there(path, released, "a power cut behind a failed flush");
}

TEST(FailedCommit, IsInDoubtReleasesNothingAndTheStoreGoesOn) {
  FaultVfs vfs;
  const TemporaryFolder folder;
  auto store = open_store((folder / "slashing.sqlite").string());
  ASSERT_TRUE(store);
  EXPECT_EQ(ask(**store, block(10, 1)), "ok");
  vfs.fail(1, SQLITE_IOERR_WRITE, false);
  EXPECT_EQ(ask(**store, block(11, 1)), "store_in_doubt");
  EXPECT_TRUE(vfs.struck());
  EXPECT_EQ(ask(**store, block(11, 2)), "ok");
  EXPECT_EQ(ask(**store, block(11, 1)), "slashable");
  EXPECT_EQ(ask(**store, block(10, 2)), "slashable");
}

TEST(FailedCommit, StaysInDoubtWhileTheDiskFails) {
  FaultVfs vfs;
  const TemporaryFolder folder;
  auto store = open_store((folder / "slashing.sqlite").string());
  ASSERT_TRUE(store);
  EXPECT_EQ(ask(**store, block(10, 1)), "ok");
  vfs.fail(1, SQLITE_IOERR_FSYNC, true);
  EXPECT_EQ(ask(**store, block(11, 1)), "store_in_doubt");
  EXPECT_EQ(ask(**store, block(12, 1)), "store_unavailable");
  EXPECT_EQ((*store)->identity().error().kind, ErrorKind::store_unavailable);
  vfs.heal();
  EXPECT_EQ(ask(**store, block(12, 1)), "ok");
  EXPECT_EQ(ask(**store, block(10, 2)), "slashable");
}

TEST(FullDisk, IsNamedWithThePathAndSigningGoesOnWithSpace) {
  FaultVfs vfs;
  const TemporaryFolder folder;
  const std::string path = (folder / "slashing.sqlite").string();
  auto store = open_store(path);
  ASSERT_TRUE(store);
  vfs.fail(1, SQLITE_FULL, true);
  const auto failed = (*store)->begin_run();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::store_in_doubt);
  EXPECT_NE(failed.error().message.find("disk full"), std::string::npos) << failed.error().message;
  EXPECT_NE(failed.error().message.find(path), std::string::npos) << failed.error().message;
  vfs.heal();
  EXPECT_EQ(ask(**store, block(1, 1)), "ok");
}

TEST(StateStore, AtAnyFailingWriteHoldsTheOldOrTheNewDocument) {
  FaultVfs vfs;
  std::uint64_t at = 1;
  for (bool struck = true; struck; ++at) {
    const TemporaryFolder folder;
    const std::string path = (folder / "state.sqlite").string();
    SeededRandom random(at);
    std::uint64_t promised = 0;
    {
      vfs.cut_power(at);
      auto store = SqliteStateStore::open(path);
      for (std::uint64_t revision = 0; store && revision < 6; ++revision) {
        const auto written =
            (*store)->write("seal-record", revision, Bytes(300, static_cast<std::uint8_t>(revision + 1)));
        if (!written) {
          break;
        }
        promised = *written;
      }
      struck = vfs.struck();
    }
    vfs.heal();
    vfs.restore(random);
    auto store = SqliteStateStore::open(path);
    ASSERT_TRUE(store) << store.error().message;
    const auto document = (*store)->read("seal-record");
    ASSERT_TRUE(document) << document.error().message;
    const std::uint64_t found = *document ? (*document)->revision : 0;
    EXPECT_GE(found, promised) << at;
    EXPECT_LE(found, promised + 1) << at;
    if (found > 0) {
      EXPECT_EQ((*document)->content, Bytes(300, static_cast<std::uint8_t>(found))) << at;
    }
  }
  EXPECT_GT(at, 10U);
}

TEST(KeyStore, AtAPowerCutHoldsAllOrNoneOfOneAddition) {
  FaultVfs vfs;
  std::uint64_t at = 1;
  for (bool struck = true; struck; ++at) {
    const TemporaryFolder folder;
    const std::string path = (folder / "keys.sqlite").string();
    SeededRandom random(at);
    std::uint64_t promised = 0;
    {
      vfs.cut_power(at);
      auto store = SqliteKeyStore::open(path);
      for (std::uint32_t round = 0; store && round < 4; ++round) {
        std::vector<keys::StoredKey> records;
        for (std::uint32_t i = 0; i < 20; ++i) {
          records.push_back({key_of(round * 20 + i), keys::KeyStatus::active, Bytes(200, 7)});
        }
        if (!(*store)->add(records)) {
          break;
        }
        promised += 20;
      }
      struck = vfs.struck();
    }
    vfs.heal();
    vfs.restore(random);
    auto store = SqliteKeyStore::open(path);
    ASSERT_TRUE(store) << store.error().message;
    const auto found = (*store)->count(std::nullopt);
    ASSERT_TRUE(found);
    EXPECT_TRUE(*found == promised || *found == promised + 20) << at << ": " << *found << " of " << promised;
  }
  EXPECT_GT(at, 10U);
}

// The child signs as fast as it can and notes each release in shared memory, as a reply that left.
struct Shared {
  static constexpr std::uint64_t kMost = 1U << 20;
  std::atomic<std::uint64_t> next;
  std::atomic<bool> blocks[kMost];
  std::atomic<bool> votes[kMost];
};

[[noreturn]] void sign_until_killed(const std::string& path, Shared& shared) {
  auto store = open_store(path);
  if (!store || !(*store)->begin_run()) {
    ::_exit(1);
  }
  for (std::uint64_t i = shared.next; i < Shared::kMost; shared.next = ++i) {
    shared.blocks[i] = ask(**store, block(i, i)) == "ok";
    shared.votes[i] = ask(**store, vote(i, i + 1, i)) == "ok";
  }
  ::_exit(2);
}

// Everything noted since `from` is there: the identical message passes, another one does not.
std::uint64_t expect_noted(guard::SlashingStore& store, const Shared& shared, std::uint64_t from) {
  std::uint64_t noted = 0;
  for (std::uint64_t i = from; i <= shared.next && i < Shared::kMost; ++i) {
    if (shared.blocks[i]) {
      EXPECT_EQ(ask(store, block(i, i + 1)), "slashable") << i;
      EXPECT_EQ(ask(store, block(i, i)), "ok") << i;
      ++noted;
    }
    if (shared.votes[i]) {
      EXPECT_EQ(ask(store, vote(i, i + 1, i + 1)), "slashable") << i;
      EXPECT_EQ(ask(store, vote(i, i + 1, i)), "ok") << i;
      ++noted;
    }
  }
  return noted;
}

TEST(Sigkill, AtRandomMomentsLosesNothingReleasedAndARestartIsImmediate) {
  const TemporaryFolder folder;
  const std::string path = (folder / "slashing.sqlite").string();
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& shared = *new (memory) Shared{};
  SeededRandom random(3);
  constexpr int kRounds = 20;
  for (int round = 1; round <= kRounds; ++round) {
    const std::uint64_t before = shared.next;
    const pid_t child = ::fork();
    if (child == 0) {
      sign_until_killed(path, shared);
    }
    for (int i = 0; i < 10000 && shared.next == before; ++i) {
      ::usleep(1000);
    }
    ::usleep(static_cast<useconds_t>(random.below(30000)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_GT(shared.next, before) << "the child signed nothing";
    auto store = open_store(path, OpenMode::existing_only);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->identity()->run, static_cast<std::uint64_t>(round));
    expect_noted(**store, shared, before);
  }
  auto store = open_store(path, OpenMode::existing_only);
  ASSERT_TRUE(store);
  const std::uint64_t noted = expect_noted(**store, shared, 0);
  EXPECT_GE(noted, static_cast<std::uint64_t>(kRounds));
  std::cout << "SIGKILL: " << kRounds << " rounds, " << noted << " releases found again\n";
  ::munmap(memory, sizeof(Shared));
}

}  // namespace
}  // namespace cc::sqlite
