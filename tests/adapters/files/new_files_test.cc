// What is made new: private from the start, never over what is there, gone again when it came to nothing.
#include "adapters/files/new_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/process.h"

namespace cc::files {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 0777U : 0;
}

TEST(NewFile, IsPrivateAndNeverReplacesAnother) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "part").string();
  {
    auto file = NewFile::create(path).value();
    ASSERT_TRUE(file.write(bytes_of("one ")));
    ASSERT_TRUE(file.write(bytes_of("two")));
    ASSERT_TRUE(file.finish());
  }
  EXPECT_EQ(test::read_text(path), "one two");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_FALSE(NewFile::create(path));
  EXPECT_EQ(test::read_text(path), "one two");
}

TEST(FreshFolder, IsGoneUnlessItBecameSomething) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "made" / "data").string();
  std::string left;
  {
    const auto fresh = FreshFolder::beside(path).value();
    left = fresh.path();
    EXPECT_EQ(mode_of(left), 0700U);
    std::ofstream(fresh.file("one")) << "x";
  }
  EXPECT_FALSE(fs::exists(left));
  auto fresh = FreshFolder::beside(path).value();
  std::ofstream(fresh.file("one")) << "x";
  ASSERT_TRUE(fresh.becomes(path));
  EXPECT_TRUE(fs::exists(fs::path(path) / "one"));
  auto second = FreshFolder::beside(path).value();
  EXPECT_EQ(second.becomes(path).error().kind, ErrorKind::usage);
}

TEST(PrivateLine, ReplacesAFileAndKeepsItPrivate) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "token").string();
  std::ofstream(path) << "older and longer text";
  fs::permissions(path, fs::perms::all);
  ASSERT_TRUE(write_private_line(path, SecretBytes::copy_of("new")));
  EXPECT_EQ(test::read_text(path), "new\n");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_FALSE(write_private_line((folder / "no").string() + "/such/folder", SecretBytes::copy_of("new")));
}

}  // namespace
}  // namespace cc::files
