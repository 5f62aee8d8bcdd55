// The keys commands against a running signer.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <set>

#include "signer_process.h"

namespace cc::app {
namespace {

using test::Finished;
using test::SignerProcess;
namespace fs = std::filesystem;
namespace json = boost::json;

const std::string kInteropKey = "0x25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866";
const std::string kInteropPublicKey =
    "0xa99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b94a38e44c";
// EIP-2335's test vectors: both files hold the same key.
const std::string kEipPassword = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const std::string kEipPublicKey =
    "0x9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07";

std::string status_of(const json::value& reply, std::size_t item) {
  return std::string(reply.at("data").at(item).at("status").as_string());
}

class KeysCommands : public testing::Test {
 protected:
  void SetUp() override {
    signer_.start();
    vectors_ = fs::path(CC_SOURCE_DIR) / "tests/vectors/formats";
  }
  SignerProcess signer_;
  fs::path vectors_;
};

TEST_F(KeysCommands, MemoryKeysSignWithoutAChamberAndWaitForOneThatExists) {
  const auto imported = signer_.reply(
      {"keys", "import", "--private-key-stdin", "--memory-only", "--auth-token", "env:KEYS"}, kInteropKey + "\n");
  EXPECT_EQ(status_of(imported, 0), "imported");
  EXPECT_EQ(imported.at("data").at(0).at("pubkey").as_string(), kInteropPublicKey);
  EXPECT_EQ(signer_.attest(kInteropPublicKey, 1, 2), 200);
  EXPECT_EQ(signer_.attest(kInteropPublicKey, 1, 2, '9'), 412);
  signer_.reply({"operator", "init", "--setup-token", signer_.setup_token(), "--kms-key-arns", "local://one",
                 "--kms-threshold", "1", "--unseal-threshold", "1", "--operators", "alice"});
  EXPECT_EQ(signer_.attest(kInteropPublicKey, 2, 3), 503);
}

TEST_F(KeysCommands, KeystoresAreImportedFromFilesAndFolders) {
  signer_.init_kms_only();
  const fs::path folder = signer_.folder() / "keystores";
  fs::create_directory(folder);
  fs::copy_file(vectors_ / "eip2335_pbkdf2.json", folder / "a.json");
  fs::copy_file(vectors_ / "eip2335_scrypt.json", folder / "b.json");
  std::ofstream(folder / "a.txt") << kEipPassword << "\n";
  std::ofstream(folder / "b.txt") << kEipPassword;
  const auto imported = signer_.reply(
      {"keys", "import", folder.string(), "--passwords-dir", folder.string(), "--auth-token", "env:KEYS"});
  EXPECT_EQ(status_of(imported, 0), "imported");
  EXPECT_EQ(status_of(imported, 1), "duplicate");
  EXPECT_EQ(imported.at("data").at(0).at("pubkey").as_string(), kEipPublicKey);
  EXPECT_EQ(signer_.attest(kEipPublicKey, 1, 2), 200);

  const Finished wrong = signer_.run(
      {"keys", "import", (folder / "a.json").string(), "--password-stdin", "--auth-token", "env:KEYS"}, "wrong\n");
  EXPECT_EQ(wrong.exit_code, 2) << wrong.err;
  EXPECT_EQ(status_of(json::parse(wrong.out), 0), "error");
  EXPECT_NE(wrong.out.find((folder / "a.json").string() + ": "), std::string::npos) << wrong.out;
  const Finished missing = signer_.run(
      {"keys", "import", (folder / "none.json").string(), "--password-stdin", "--auth-token", "env:KEYS"}, "x\n");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("none.json"), std::string::npos) << missing.err;
}

TEST_F(KeysCommands, WhatIsNoKeystoreIsNamedAndKeepsTheOthersFromNothing) {
  signer_.init_kms_only();
  const fs::path folder = signer_.folder() / "launchpad";
  fs::create_directory(folder);
  fs::copy_file(vectors_ / "eip2335_pbkdf2.json", folder / "keystore.json");
  std::ofstream(folder / "deposit_data-1.json") << R"([{"pubkey":"aa"}])";
  std::ofstream(folder / "text.json") << "no JSON at all";
  std::ofstream(folder / "password") << kEipPassword << "\n";
  const auto import = [&](const fs::path& what) {
    return signer_.run({"keys", "import", what.string(), "--password-file", (folder / "password").string(),
                        "--auth-token", "env:KEYS"});
  };
  const Finished whole = import(folder);
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(status_of(json::parse(whole.out), 0), "imported");
  EXPECT_EQ(json::parse(whole.out).at("data").as_array().size(), 1U);
  for (const char* name : {"deposit_data-1.json", "text.json"}) {
    EXPECT_NE(whole.err.find((folder / name).string() + " is no EIP-2335 keystore; left out"), std::string::npos)
        << whole.err;
    const Finished named = import(folder / name);
    EXPECT_EQ(named.exit_code, 2);
    EXPECT_EQ(named.out, "");
    EXPECT_NE(named.err.find(name + std::string(" is no EIP-2335 keystore; nothing was sent")), std::string::npos)
        << named.err;
  }
  const Finished without = signer_.run({"keys", "import", "/not/there.json", "--auth-token", "env:KEYS"});
  EXPECT_NE(without.err.find("/not/there.json"), std::string::npos)
      << "before a password is asked for: " << without.err;
}

TEST_F(KeysCommands, KeysLiveThroughTheirWholeLife) {
  signer_.init_kms_only();
  const auto made = signer_.reply({"keys", "generate", "--count", "3", "--auth-token", "env:KEYS"});
  std::set<std::string> keys;
  for (const auto& item : made.at("data").as_array()) {
    keys.insert(std::string(item.at("pubkey").as_string()));
  }
  ASSERT_EQ(keys.size(), 3U);
  const std::string key = *keys.begin();
  EXPECT_EQ(signer_.attest(key, 1, 2), 200);
  EXPECT_EQ(status_of(signer_.reply({"keys", "deactivate", key, "--auth-token", "env:KEYS"}), 0), "inactive");
  EXPECT_EQ(signer_.attest(key, 2, 3), 404);
  EXPECT_EQ(status_of(signer_.reply({"keys", "activate", key, "--auth-token", "env:KEYS"}), 0), "active");
  EXPECT_EQ(signer_.attest(key, 2, 3), 200);
  EXPECT_EQ(signer_.attest(key, 1, 2, '9'), 412);
  EXPECT_EQ(status_of(signer_.reply({"keys", "delete", key, "--auth-token", "env:KEYS"}), 0), "deleted");
  EXPECT_EQ(signer_.attest(key, 3, 4), 404);
  const auto listed = signer_.reply({"keys", "list", "--auth-token", "env:KEYS"});
  EXPECT_EQ(listed.at("data").as_array().size(), 2U);
  EXPECT_EQ(signer_.run({"keys", "delete", key, "--auth-token", "env:KEYS"}).exit_code, 2) << "not there any more";
}

TEST_F(KeysCommands, MoreKeysThanOneCallTakesComeAsOneDocument) {
  signer_.init_kms_only();
  const auto made = signer_.reply({"keys", "generate", "--count", "203", "--auth-token", "env:KEYS"});
  EXPECT_EQ(made.at("data").as_array().size(), 203U);
  EXPECT_EQ(signer_.reply({"keys", "list", "--auth-token", "env:KEYS"}).at("data").as_array().size(), 203U);
}

TEST_F(KeysCommands, BeforeInitThereIsNothingToGenerateInto) {
  const Finished done = signer_.run({"keys", "generate", "--auth-token", "env:KEYS"});
  EXPECT_EQ(done.exit_code, 4) << done.err;
  EXPECT_NE(done.err.find("not_initialized"), std::string::npos) << done.err;
}

}  // namespace
}  // namespace cc::app
