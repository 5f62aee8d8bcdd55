// The file of the audit log: only ever longer, flushed, and cut back after a write that failed half way.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "adapters/files/audit_file.h"
#include "support/process.h"

namespace cc::files {
namespace {

using test::read_text;
using test::TemporaryFolder;

std::vector<std::string> lines_in(const std::string& path, std::uint64_t& torn) {
  std::vector<std::string> out;
  torn = read_lines(path, [&out](std::string_view line) {
           out.emplace_back(line);
           return true;
         }).value();
  return out;
}

TEST(AuditFile, IsForItsOwnerAndGrows) {
  const TemporaryFolder folder;
  const std::string path = folder / "audit.log";
  {
    auto file = AuditFile::open(path).value();
    ASSERT_TRUE(file->append("one\ntwo\n"));
    ASSERT_TRUE(file->reserve());
    EXPECT_EQ(file->size(), 8U) << "room set aside is not part of the file";
  }
  auto file = AuditFile::open(path).value();
  ASSERT_TRUE(file->append("three\n"));
  EXPECT_EQ(read_text(path), "one\ntwo\nthree\n");
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST(AuditFile, LinesAreReadAcrossBlocksAndATailIsCounted) {
  const TemporaryFolder folder;
  const std::string path = folder / "audit.log";
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += std::string(static_cast<std::size_t>(i % 97), 'x') + std::to_string(i) + "\n";
  }
  std::ofstream(path) << text << "tail";
  std::uint64_t torn = 0;
  const auto lines = lines_in(path, torn);
  EXPECT_EQ(lines.size(), 3000U);
  EXPECT_TRUE(lines[2999].ends_with("2999"));
  EXPECT_EQ(torn, 4U);
}

TEST(AuditFile, ALineWithoutEndDoesNotFillTheMemory) {
  const TemporaryFolder folder;
  const std::string path = folder / "audit.log";
  std::ofstream(path) << std::string(8UL << 20, 'x') << "\nnext\n";
  std::uint64_t torn = 1;
  const auto lines = lines_in(path, torn);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_LT(lines[0].size(), 1UL << 20);
  EXPECT_EQ(lines[1], "next");
  EXPECT_EQ(torn, 0U);
}

TEST(AuditFile, WhatAFailedWriteLeftIsTakenBack) {
  const TemporaryFolder folder;
  const std::string path = folder / "audit.log";
  auto file = AuditFile::open(path).value();
  ASSERT_TRUE(file->append("one\n"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{8, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto failed = file->append("a line that does not fit\n");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(read_text(path), "one\na li") << "the half that went through";
  ASSERT_TRUE(file->append("two\n"));
  EXPECT_EQ(read_text(path), "one\ntwo\n");
}

TEST(AuditFile, ATailIsReadAndCut) {
  const TemporaryFolder folder;
  const std::string path = folder / "audit.log";
  std::ofstream(path) << "one\ntorn";
  auto file = AuditFile::open(path).value();
  EXPECT_EQ(to_hex(file->bytes_behind(4, 100).value()), to_hex(bytes_of("torn")));
  ASSERT_TRUE(file->cut_behind(4));
  ASSERT_TRUE(file->append("two\n"));
  EXPECT_EQ(read_text(path), "one\ntwo\n");
}

TEST(AuditFile, WhatIsNoFileOfOursIsRefused) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink(folder / "elsewhere", folder / "link");
  EXPECT_FALSE(AuditFile::open(folder / "link"));
  EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
  std::filesystem::create_directory(folder / "folder");
  EXPECT_FALSE(AuditFile::open(folder / "folder"));
  EXPECT_FALSE(AuditFile::open(folder / "no/such/folder"));
  EXPECT_FALSE(read_lines(folder / "missing", [](std::string_view) { return true; }));
}

}  // namespace
}  // namespace cc::files
