#include "adapters/files/key_folders.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "adapters/files/descriptor.h"
#include "adapters/files/small_file.h"
#include "support/process.h"

namespace cc::files {
namespace {

const std::string kScalar = "25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866";

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string password_of(const keys::KeyFile& file) {
  const auto bytes = expose_secret_bytes(std::get<keys::KeystoreItem>(file.key).password);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Descriptors, DescribeRawKeysAndKeystores) {
  const auto all =
      parse_descriptors("type: file-raw\nkeyType: BLS\nprivateKey: \"0x" + kScalar +
                        "\"\n---\ntype: \"file-keystore\"\nkeystoreFile: a.json\nkeystorePasswordFile: a.txt\n");
  ASSERT_EQ(all.size(), 2U);
  ASSERT_TRUE(all[0]);
  EXPECT_EQ(to_hex(expose_secret_bytes(std::get<Secret<32>>(*all[0]))), kScalar);
  ASSERT_TRUE(all[1]);
  EXPECT_EQ(std::get<KeystoreDescriptor>(*all[1]).keystore_file, "a.json");
}

TEST(Descriptors, SayWhatIsWrongWithoutTheKey) {
  struct Case {
    std::string yaml;
    ErrorKind kind;
  };
  for (const Case& one : std::vector<Case>{
           {"", ErrorKind::malformed_request},
           {"- a\n- b\n", ErrorKind::malformed_request},
           {"type: [1]\n", ErrorKind::malformed_request},
           {"privateKey: \"" + kScalar + "\"\n", ErrorKind::malformed_request},
           {"type: file-raw\nprivateKey: \"" + kScalar + "00\"\n", ErrorKind::key_invalid},
           {"type: file-raw\nkeyType: SECP256K1\nprivateKey: \"" + kScalar + "\"\n", ErrorKind::unsupported},
           {"type: hashicorp\nkeyType: BLS\n", ErrorKind::unsupported},
           {"type: file-keystore\nkeystoreFile: a\n", ErrorKind::malformed_request},
           {"type: {" + kScalar + "\n", ErrorKind::malformed_request},
           {"a: *missing\n", ErrorKind::malformed_request},
       }) {
    const auto all = parse_descriptors(one.yaml);
    ASSERT_EQ(all.size(), 1U) << one.yaml;
    ASSERT_FALSE(all[0]) << one.yaml;
    EXPECT_EQ(all[0].error().kind, one.kind) << one.yaml;
    EXPECT_EQ(all[0].error().message.find(kScalar.substr(0, 8)), std::string::npos);
  }
}

// yaml-cpp's own reader of several documents never ended on this text.
TEST(Descriptors, ATextThatHangsTheYamlReaderIsAnswered) {
  const auto all = parse_descriptors(",e8ad7keyType---\n.privttype: filext\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0]);
}

TEST(Descriptors, OneBadDocumentDoesNotSpoilTheOthers) {
  const auto all =
      parse_descriptors("# two keys\n---\ntype: {\n---\ntype: file-raw\nprivateKey: " + kScalar + "\n...\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_FALSE(all[0]);
  EXPECT_TRUE(all[1]) << all[1].error().message;
}

TEST(KeyFolders, ReadDescriptorsInOrderOfName) {
  test::TemporaryFolder folder;
  write(folder / "k" / "b.yaml", "type: file-raw\nprivateKey: " + kScalar + "\n");
  write(folder / "k" / "a.yml", "type: file-keystore\nkeystoreFile: a.json\nkeystorePasswordFile: a.txt\n");
  write(folder / "k" / "a.json", "{}");
  write(folder / "k" / "a.txt", "secret one\nanother line\n");
  write(folder / "k" / ".hidden.yaml", "type: file-raw\n");
  write(folder / "k" / "notes.txt", "nothing");
  const auto files = KeyFolders({.descriptors = {(folder / "k").string()}}).read();
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->bad.empty());
  ASSERT_EQ(files->found.size(), 2U);
  EXPECT_EQ(password_of(files->found[0]), "secret one");
  EXPECT_TRUE(std::holds_alternative<Secret<32>>(files->found[1].key));
}

TEST(KeyFolders, PairKeystoresWithTheirPasswords) {
  test::TemporaryFolder folder;
  write(folder / "k" / "one.json", "{}");
  write(folder / "k" / "two.json", "{}");
  write(folder / "p" / "one.txt", "first");
  const auto files =
      KeyFolders({.descriptors = {}, .keystores = (folder / "k").string(), .passwords = (folder / "p").string()})
          .read();
  ASSERT_TRUE(files);
  ASSERT_EQ(files->found.size(), 1U);
  EXPECT_EQ(password_of(files->found[0]), "first");
  ASSERT_EQ(files->bad.size(), 1U);
  EXPECT_NE(files->bad[0].error.message.find("two.txt"), std::string::npos);

  write(folder / "all.txt", "the same");
  const auto shared = KeyFolders({.descriptors = {},
                                  .keystores = (folder / "k").string(),
                                  .passwords = {},
                                  .password_file = (folder / "all.txt").string()})
                          .read();
  ASSERT_TRUE(shared);
  ASSERT_EQ(shared->found.size(), 2U);
  EXPECT_EQ(password_of(shared->found[1]), "the same");
}

TEST(KeyFolders, AFolderThatIsGoneFailsTheWholeReading) {
  test::TemporaryFolder folder;
  const auto files = KeyFolders({.descriptors = {(folder / "none").string()}}).read();
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, ErrorKind::key_files_unreadable);
}

TEST(KeyFolders, HugeOddAndBlankFilesAreNamed) {
  test::TemporaryFolder folder;
  write(folder / "p" / "big.txt", "x");
  write(folder / "p" / "blank.txt", "");
  write(folder / "p" / "pipe.txt", "x");
  write(folder / "k" / "blank.json", "{}");
  write(folder / "k" / "big.json", "");
  std::filesystem::resize_file(folder / "k" / "big.json", std::uintmax_t{100} * 1024 * 1024);
  ASSERT_EQ(::mkfifo((folder / "k" / "pipe.json").c_str(), 0600), 0);
  std::filesystem::create_symlink("nowhere", folder / "k" / "link.json");
  const auto files =
      KeyFolders({.descriptors = {}, .keystores = (folder / "k").string(), .passwords = (folder / "p").string()})
          .read();
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->found.empty());
  ASSERT_EQ(files->bad.size(), 4U);
  EXPECT_NE(files->bad[0].error.message.find("104857600 bytes"), std::string::npos) << files->bad[0].error.message;
  EXPECT_NE(files->bad[1].error.message.find("blank"), std::string::npos) << files->bad[1].error.message;
  EXPECT_NE(files->bad[2].error.message.find("does not exist"), std::string::npos) << files->bad[2].error.message;
  EXPECT_NE(files->bad[3].error.message.find("not a regular file"), std::string::npos) << files->bad[3].error.message;
}

TEST(KeyFolders, MountedSecretsAreLinks) {
  test::TemporaryFolder folder;
  write(folder / "..data" / "a.yaml", "type: file-raw\nprivateKey: " + kScalar + "\n");
  std::filesystem::create_directories(folder / "k");
  std::filesystem::create_symlink(folder / "..data" / "a.yaml", folder / "k" / "a.yaml");
  const auto files = KeyFolders({.descriptors = {(folder / "k").string()}}).read();
  ASSERT_TRUE(files);
  EXPECT_EQ(files->found.size(), 1U);
}

TEST(CacheFile, IsReplacedWholeAndIsTheOwnersAlone) {
  test::TemporaryFolder folder;
  CacheFile file(folder / "cache");
  EXPECT_FALSE(file.read().value().has_value());
  ASSERT_TRUE(file.write(Bytes{1, 2, 3}));
  ASSERT_TRUE(file.write(Bytes{4, 5}));
  EXPECT_EQ(file.read().value().value(), (Bytes{4, 5}));
  struct stat facts{};
  ASSERT_EQ(::stat((folder / "cache").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  CacheFile nowhere(folder / "none" / "cache");
  EXPECT_FALSE(nowhere.write(Bytes{1}));
}

}  // namespace
}  // namespace cc::files
