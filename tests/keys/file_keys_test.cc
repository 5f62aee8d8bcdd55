#include "keys/file_keys.h"

#include <gtest/gtest.h>

#include "formats/keystore.h"
#include "support/ring_keys.h"
#include "support/seeded_random.h"

namespace cc::keys {
namespace {

// Files as a list in memory, which a test changes between loads.
class Files final : public KeyFileSource {
 public:
  struct File {
    std::uint32_t key = 0;  // the scalar; 0: unreadable
    std::string json;       // empty: raw
    std::string password;
  };
  std::map<std::string, File> all;
  std::optional<Error> down;
  std::function<void()> during;

  Result<KeyFiles> read() override {
    if (down) {
      return fail(*down);
    }
    KeyFiles out;
    for (const auto& [name, file] : all) {
      if (file.key == 0) {
        out.bad.push_back({name, {ErrorKind::key_files_unreadable, "torn"}});
      } else if (file.json.empty()) {
        out.found.push_back({name, Secret<32>::copy_of(test::scalar(file.key))});
      } else {
        out.found.push_back({name, KeystoreItem{file.json, SecretBytes::copy_of(file.password)}});
      }
    }
    if (during) {
      during();
    }
    return out;
  }
  void raw(const std::string& name, std::uint32_t key) { all[name] = {key, {}, {}}; }
  void keystore(const std::string& name, std::uint32_t key, const std::string& password = "testpassword") {
    test::SeededRandom random(key);
    const auto secret = crypto::BlsSecretKey::from_bytes(test::scalar(key)).value();
    all[name] = {key,
                 keystore::write(secret, SecretBytes::copy_of(password), "", keystore::Kdf::pbkdf2, 1, random).value(),
                 password};
  }
};

class Cache final : public KeyCacheFile {
 public:
  std::optional<Bytes> content;
  int writes = 0;
  bool full = false;
  Result<std::optional<Bytes>> read() override { return content; }
  Result<void> write(ByteView bytes) override {
    if (full) {
      return fail(ErrorKind::store_unavailable, "the disk is full");
    }
    ++writes;
    content = Bytes(bytes.begin(), bytes.end());
    return {};
  }
};

struct Fixture {
  Files files;
  Cache cache;
  KeyRing ring;
  test::SeededRandom random{3};
  FileKeys keys;

  explicit Fixture(bool cached = false)
      : keys(files, cached ? &cache : nullptr, ring, random,
             {.cache_cost = {.memory_kib = 8192, .passes = 1, .lanes = 1}}) {
    keys.allow();
  }
  FileKeysReport load() {
    auto report = keys.load();
    EXPECT_TRUE(report) << report.error().message;
    return report ? *std::move(report) : FileKeysReport{};
  }
  bool holds(std::uint32_t key) const { return ring.contains(test::ring_key(key)->public_key); }
};

TEST(FileKeys, LoadsRawKeysAndKeystores) {
  Fixture f;
  f.files.raw("a", 1);
  f.files.keystore("b", 2);
  const FileKeysReport report = f.load();
  EXPECT_EQ(report.loaded, 2U);
  EXPECT_EQ(report.added, 2U);
  EXPECT_TRUE(report.bad.empty());
  EXPECT_EQ(f.ring.find(test::ring_key(2)->public_key)->source, KeySource::filesystem);
}

TEST(FileKeys, ABadFileIsNamedAndTheOthersLoad) {
  Fixture f;
  f.files.raw("a", 1);
  f.files.keystore("b", 2);
  f.files.all["b"].password = "wrong";
  f.files.all["c"] = {};
  const FileKeysReport report = f.load();
  EXPECT_EQ(report.loaded, 1U);
  ASSERT_EQ(report.bad.size(), 2U);
  EXPECT_EQ(report.bad[0].name, "c");
  EXPECT_EQ(report.bad[1].name, "b");
  EXPECT_EQ(report.bad[1].error.kind, ErrorKind::keystore_password);
}

TEST(FileKeys, TheFirstFileOfAKeyWinsAndTheOtherIsReported) {
  Fixture f;
  f.files.raw("a", 1);
  f.files.raw("b", 1);
  const FileKeysReport report = f.load();
  EXPECT_EQ(report.loaded, 1U);
  EXPECT_EQ(report.duplicates.size(), 1U);
  // The key stays while one of its files is there.
  f.files.all.erase("a");
  EXPECT_EQ(f.load().removed, 0U);
  EXPECT_TRUE(f.holds(1));
  f.files.all.erase("b");
  EXPECT_EQ(f.load().removed, 1U);
  EXPECT_FALSE(f.holds(1));
}

TEST(FileKeys, AReloadAddsWhatCameAndTakesAwayWhatWent) {
  Fixture f;
  f.files.raw("a", 1);
  f.files.raw("b", 2);
  f.load();
  f.files.all.erase("a");
  f.files.raw("c", 3);
  const FileKeysReport report = f.load();
  EXPECT_EQ(report.added, 1U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(report.loaded, 2U);
  EXPECT_FALSE(f.holds(1));
  EXPECT_TRUE(f.holds(3));
}

TEST(FileKeys, AFileWithAnotherKeyInItGivesThatKey) {
  Fixture f;
  f.files.raw("a", 1);
  f.load();
  f.files.raw("a", 2);
  const FileKeysReport report = f.load();
  EXPECT_EQ(report.removed, 1U);
  EXPECT_FALSE(f.holds(1));
  EXPECT_TRUE(f.holds(2));
}

TEST(FileKeys, AFileThatCannotBeReadThisTimeKeepsItsKey) {
  Fixture f;
  f.files.raw("a", 1);
  f.load();
  f.files.all["a"] = {};
  EXPECT_EQ(f.load().removed, 0U);
  EXPECT_TRUE(f.holds(1));
}

TEST(FileKeys, ALostFolderChangesNothing) {
  Fixture f;
  f.files.raw("a", 1);
  f.load();
  f.files.down = Error{ErrorKind::key_files_unreadable, "unmounted"};
  const auto failed = f.keys.load();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::key_files_unreadable);
  EXPECT_TRUE(f.holds(1));
}

TEST(FileKeys, AKeyOfAnotherSourceStays) {
  Fixture f;
  f.ring.add(test::ring_key(1, KeySource::sealed));
  f.files.raw("a", 1);
  const FileKeysReport report = f.load();
  EXPECT_EQ(report.duplicates, std::vector<std::string>{"a"});
  EXPECT_EQ(report.loaded, 0U);
  f.files.all.clear();
  f.load();
  EXPECT_TRUE(f.holds(1));
}

TEST(FileKeys, NothingComesInWhileClosed) {
  Fixture f;
  f.files.raw("a", 1);
  f.load();
  f.ring.add(test::ring_key(9, KeySource::memory));
  f.keys.close();
  EXPECT_FALSE(f.holds(1));
  EXPECT_TRUE(f.holds(9));
  const auto refused = f.keys.load();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::signer_sealed);
  EXPECT_FALSE(f.holds(1));
  f.keys.allow();
  EXPECT_EQ(f.load().loaded, 1U);
}

TEST(FileKeys, ALoadThatTheSealOvertakesAddsNothing) {
  Fixture f;
  f.files.raw("a", 1);
  f.files.during = [&f] {
    f.keys.close();
    f.keys.allow();  // open again, but this load belongs to the opening before
  };
  const auto overtaken = f.keys.load();
  ASSERT_FALSE(overtaken);
  EXPECT_EQ(overtaken.error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(f.ring.size(), 0U);
}

TEST(FileKeys, TheSecondStartDerivesNothing) {
  Fixture first(true);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    first.files.keystore("k" + std::to_string(i), i);
  }
  EXPECT_EQ(first.load().from_cache, 0U);
  EXPECT_EQ(first.cache.writes, 1);

  Fixture second(true);
  second.files.all = first.files.all;
  second.cache.content = first.cache.content;
  const FileKeysReport report = second.load();
  EXPECT_EQ(report.loaded, 5U);
  EXPECT_EQ(report.from_cache, 5U);
  EXPECT_EQ(second.cache.writes, 0);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    const auto key = second.ring.find(test::ring_key(i)->public_key);
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->secret.public_key(), key->public_key);
  }
}

TEST(FileKeys, AKeystoreThatIsNewToTheCacheIsDerivedAndAdded) {
  Fixture first(true);
  first.files.keystore("a", 1);
  first.load();
  Fixture second(true);
  second.files.all = first.files.all;
  second.files.keystore("b", 2);
  second.cache.content = first.cache.content;
  const FileKeysReport report = second.load();
  EXPECT_EQ(report.from_cache, 1U);
  EXPECT_EQ(report.loaded, 2U);
  EXPECT_EQ(second.cache.writes, 1);
}

TEST(FileKeys, ADamagedForeignOrUnwritableCacheCostsOnlyTime) {
  for (const Bytes& content : {Bytes{}, Bytes{1, 2, 3}, encode(KeystoreCache{})}) {
    Fixture f(true);
    f.files.keystore("a", 1);
    f.cache.content = content;
    EXPECT_EQ(f.load().loaded, 1U);
    EXPECT_EQ(f.cache.writes, 1);
  }
  Fixture full(true);
  full.cache.full = true;
  full.files.keystore("a", 1);
  EXPECT_EQ(full.load().loaded, 1U);
}

TEST(FileKeys, ACacheNeverStandsInForAWrongPassword) {
  Fixture first(true);
  first.files.keystore("a", 1);
  first.load();
  Fixture second(true);
  second.files.all = first.files.all;
  second.files.all["a"].password = "changed";
  second.cache.content = first.cache.content;
  const FileKeysReport report = second.load();
  EXPECT_EQ(report.loaded, 0U);
  ASSERT_EQ(report.bad.size(), 1U);
  EXPECT_EQ(report.bad[0].error.kind, ErrorKind::keystore_password);
  // And the good cache stays for the day the password is back.
  EXPECT_EQ(second.cache.content, first.cache.content);
}

}  // namespace
}  // namespace cc::keys
