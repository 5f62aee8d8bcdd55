#include "adapters/localkek/local_kek.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "adapters/localkek/kek_file.h"
#include "support/memory_ports.h"

namespace cc::localkek {
namespace {

namespace fs = std::filesystem;

class LocalKek : public testing::Test {
 public:
  LocalKek() : root_(fs::temp_directory_path() / ("cc-localkek-" + std::to_string(::getpid()) + "-" + name())) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~LocalKek() override { fs::remove_all(root_); }

  static std::string name() { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  fs::path file(const std::string& kek) const { return root_ / "kek" / kek; }
  template <class T>
  static std::string code(const Result<T>& result) {
    return result ? "ok" : std::string(facts(result.error().kind).code);
  }
  static mode_t mode(const fs::path& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0);
    return facts.st_mode & 07777U;
  }

  fs::path root_;
  SystemRandom random_;
  LocalKekService keks_{root_ / "kek", random_};
  const seal::KekContext context_{{"cc:index", "1"}, {"cc:purpose", "seal-share"}};
  const SecretBytes share_ = SecretBytes::copy_of("a share in the clear");
};

TEST_F(LocalKek, IsMadeOnceWithOwnerOnlyRightsAndUnwrapsWhatItWrapped) {
  EXPECT_EQ(code(keks_.wrap("local://one", context_, share_)), "kms_missing");
  ASSERT_TRUE(keks_.prepare("local://one"));
  EXPECT_EQ(mode(root_ / "kek"), 0700U);
  EXPECT_EQ(mode(file("one")), 0600U);
  EXPECT_EQ(fs::file_size(file("one")), kKekFileBytes);
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "kek"), fs::directory_iterator{}), 1) << "no draft is left";
  const auto wrapped = keks_.wrap("local://one", context_, share_);
  ASSERT_TRUE(wrapped) << wrapped.error().message;
  ASSERT_TRUE(keks_.prepare("local://one")) << "again";
  LocalKekService restarted(root_ / "kek", random_);
  EXPECT_TRUE(*restarted.unwrap("local://one", context_, *wrapped) == share_);
}

TEST_F(LocalKek, UnwrapNeverMakesAKey) {
  EXPECT_EQ(code(keks_.unwrap("local://gone", context_, Bytes(60, 1))), "kms_missing");
  EXPECT_FALSE(fs::exists(root_ / "kek"));
}

TEST_F(LocalKek, EveryBitEveryCutAndEveryContextIsBound) {
  ASSERT_TRUE(keks_.prepare("local://one"));
  const Bytes wrapped = *keks_.wrap("local://one", context_, share_);
  for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
    Bytes flipped = wrapped;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_EQ(code(keks_.unwrap("local://one", context_, flipped)), "kms_mismatch") << bit;
  }
  for (std::size_t size = 0; size < wrapped.size(); ++size) {
    ASSERT_EQ(code(keks_.unwrap("local://one", context_, ByteView(wrapped).first(size))), "kms_mismatch");
  }
  for (const seal::KekContext& other :
       {seal::KekContext{}, seal::KekContext{{"cc:index", "2"}, {"cc:purpose", "seal-share"}},
        seal::KekContext{{"cc:index", "1"}}, seal::KekContext{{"cc:index", "1cc:purpose"}, {"", "seal-share"}}}) {
    EXPECT_EQ(code(keks_.unwrap("local://one", other, wrapped)), "kms_mismatch");
  }
}

TEST_F(LocalKek, AShareOfAnotherKeyIsNamedAsSuch) {
  ASSERT_TRUE(keks_.prepare("local://one"));
  ASSERT_TRUE(keks_.prepare("local://two"));
  const Bytes wrapped = *keks_.wrap("local://one", context_, share_);
  const auto other = keks_.unwrap("local://two", context_, wrapped);
  EXPECT_EQ(code(other), "kms_mismatch");
  EXPECT_NE(other.error().message.find("another key"), std::string::npos);
}

TEST_F(LocalKek, PermissionsWiderThanTheOwnersAreRefusedWithAdvice) {
  ASSERT_TRUE(keks_.prepare("local://one"));
  const Bytes wrapped = *keks_.wrap("local://one", context_, share_);
  for (const mode_t wide : {0640U, 0604U, 0660U, 0601U, 0700U}) {
    ASSERT_EQ(::chmod(file("one").c_str(), wide), 0);
    const auto refused = keks_.unwrap("local://one", context_, wrapped);
    EXPECT_EQ(code(refused), "kms_denied") << std::oct << wide;
    EXPECT_NE(refused.error().message.find("chmod 0600"), std::string::npos);
    EXPECT_EQ(code(keks_.prepare("local://one")), "kms_denied");
  }
  ASSERT_EQ(::chmod(file("one").c_str(), 0400), 0);
  EXPECT_EQ(code(keks_.unwrap("local://one", context_, wrapped)), "ok");
}

TEST_F(LocalKek, ADirectoryThatOthersMayWriteToGetsNoKey) {
  fs::create_directories(root_ / "kek");
  ASSERT_EQ(::chmod((root_ / "kek").c_str(), 0777), 0);
  EXPECT_EQ(code(keks_.prepare("local://one")), "kms_denied");
  EXPECT_FALSE(fs::exists(file("one")));
}

TEST_F(LocalKek, ADamagedFileIsNamedAndNeverReplaced) {
  ASSERT_TRUE(keks_.prepare("local://one"));
  const Bytes wrapped = *keks_.wrap("local://one", context_, share_);
  std::ifstream in(file("one"), std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  const auto with = [&](const std::string& content) {
    std::ofstream(file("one"), std::ios::binary | std::ios::trunc) << content;
    const auto refused = keks_.unwrap("local://one", context_, wrapped);
    EXPECT_EQ(code(keks_.prepare("local://one")), refused ? "ok" : "kms_mismatch") << "prepare does not replace it";
    return refused ? "ok" : refused.error().message;
  };
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_NE(with(good.substr(0, size)).find("damaged"), std::string::npos) << size;
  }
  ASSERT_NE(with(good + "x").find("damaged"), std::string::npos);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_NE(with(flipped).find("damaged"), std::string::npos) << bit;
  }
  EXPECT_EQ(with(good), "ok");
}

TEST_F(LocalKek, ADirectoryOrAFifoInItsPlaceIsRefused) {
  fs::create_directories(file("folder"));
  EXPECT_EQ(code(keks_.unwrap("local://folder", context_, Bytes(60, 1))), "kms_denied");
  ASSERT_EQ(::mkfifo(file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(code(keks_.unwrap("local://fifo", context_, Bytes(60, 1))), "kms_denied");
}

TEST_F(LocalKek, OfManyWhoMakeOneKeyAllEndWithTheSame) {
  std::vector<std::thread> threads;
  threads.reserve(8);
  std::vector<Bytes> wrapped(8);
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    threads.emplace_back([&, i] {
      LocalKekService own(root_ / "kek", random_);  // as another process would
      ASSERT_TRUE(own.prepare("local://shared"));
      wrapped[i] = *own.wrap("local://shared", context_, share_);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Bytes& one : wrapped) {
    EXPECT_EQ(code(keks_.unwrap("local://shared", context_, one)), "ok");
  }
}

TEST_F(LocalKek, AnUnwritablePlaceIsAStoreError) {
  std::ofstream(root_ / "kek") << "a file where the directory should be";
  EXPECT_EQ(code(keks_.prepare("local://one")), "store_unavailable");
  EXPECT_EQ(code(keks_.unwrap("local://one", context_, Bytes(60, 1))), "kms_missing");
}

TEST_F(LocalKek, NamesOfOtherSchemesAreCheckedAndAnsweredHonestly) {
  const std::string arn = "arn:aws:kms:us-east-1:111111111111:key/1234";
  EXPECT_TRUE(keks_.canonical_name(arn));
  EXPECT_EQ(code(keks_.prepare(arn)), "unsupported");
  EXPECT_EQ(code(keks_.wrap(arn, context_, share_)), "unsupported");
  EXPECT_EQ(code(keks_.unwrap(arn, context_, Bytes(60, 1))), "unsupported");
  EXPECT_NE(keks_.prepare(arn).error().message.find("AWS KMS"), std::string::npos);
  const auto bad = keks_.canonical_name("arn:aws:kms:nowhere");
  EXPECT_EQ(code(bad), "kek_name_invalid");
  EXPECT_NE(bad.error().message.find("invalid KMS ARN"), std::string::npos);
  EXPECT_EQ(code(keks_.canonical_name("local://../etc/passwd")), "kek_name_invalid");
}

}  // namespace
}  // namespace cc::localkek
