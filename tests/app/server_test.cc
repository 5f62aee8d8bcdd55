// The server as a process: first boot in both modes, restarts, refusals, and what lies on the disk.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/serialize.hpp>

#include "app/allowed_keks.h"
#include "app/data_dir.h"
#include "signer_process.h"

namespace cc::app {
namespace {

using test::Finished;
using test::SignerProcess;
namespace fs = std::filesystem;
namespace json = boost::json;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

unsigned mode_of(const fs::path& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 0777U : 0;
}

TEST(Server, KmsOnlyGoesFromFirstBootToSigningSealAndRestart) {
  SignerProcess signer;
  signer.start();
  const auto status = signer.reply({"operator", "status", "--auth-token", "env:OPS"});
  EXPECT_EQ(json::serialize(status), R"({"seal":{"status":"uninitialized"},"keys":null})");
  EXPECT_EQ(json::serialize(signer.init_kms_only()), R"({"status":"unsealed","validators_loaded":0})");

  const Finished again = signer.run(
      {"operator", "init", "--setup-token", "cc-setup-x", "--kms-key-arns", "local://one", "--kms-threshold", "1"});
  EXPECT_EQ(again.exit_code, 4);
  EXPECT_EQ(again.out, "");
  EXPECT_TRUE(holds(again.err, "already initialized")) << again.err;

  const std::string key = signer.generate_key();
  EXPECT_EQ(signer.attest(key, 10, 11), 200);
  EXPECT_EQ(signer.attest(key, 10, 11, '9'), 412);
  EXPECT_EQ(json::serialize(signer.reply({"operator", "seal", "--auth-token", "env:OPS"})), R"({"status":"sealed"})");
  EXPECT_EQ(signer.attest(key, 11, 12), 503);
  EXPECT_EQ(signer.stop(), 0);

  signer.start();
  EXPECT_EQ(signer.wait_state("unsealed"), "unsealed");
  EXPECT_FALSE(holds(signer.log(), "setup_token"));
  EXPECT_EQ(signer.attest(key, 10, 11, '9'), 412);
  EXPECT_EQ(signer.attest(key, 11, 12), 200);

  signer.kill();
  signer.start();
  EXPECT_EQ(signer.wait_state("unsealed"), "unsealed");
  EXPECT_EQ(signer.attest(key, 11, 12, '9'), 412);
  EXPECT_EQ(signer.stop(), 0);
}

TEST(Server, ResumeOpensASealedSignerAndHoldOutlivesARestart) {
  SignerProcess signer;
  signer.start();
  signer.init_kms_only();
  signer.reply({"operator", "seal", "--auth-token", "env:OPS", "--hold", "--reason", "drill"});
  EXPECT_EQ(signer.stop(), 0);
  signer.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(signer.state(), "sealed");
  signer.reply({"operator", "resume", "--auth-token", "env:OPS"});
  EXPECT_EQ(signer.wait_state("unsealed"), "unsealed");
}

TEST(Server, AQuorumRegistersUnsealsAndIsNeededAgainAfterARestart) {
  SignerProcess signer;
  signer.start();
  const auto made =
      signer.reply({"operator", "init", "--setup-token", signer.setup_token(), "--kms-key-arns", "local://one",
                    "--kms-threshold", "1", "--unseal-threshold", "2", "--operators", "alice, bob"});
  EXPECT_EQ(made.at("status").as_string(), "awaiting_registration");
  for (const std::string name : {"alice", "bob"}) {
    const std::string token(made.at("operator_tokens").at(name).as_string());
    const Finished done =
        signer.run({"operator", "register", "--operator", name, "--registration-token", token, "--passphrase-stdin"},
                   "the passphrase of " + name + "\n");
    EXPECT_EQ(done.exit_code, 0) << done.err;
  }
  EXPECT_EQ(signer.wait_state("kms_unsealed"), "kms_unsealed");
  for (int round = 0; round < 2; ++round) {
    const auto first = signer.reply({"operator", "unseal", "--operator", "alice", "--passphrase-stdin"},
                                    "the passphrase of alice\r\n");
    EXPECT_EQ(json::serialize(first), R"({"shares_received":1,"shares_required":2})");
    const Finished wrong =
        signer.run({"operator", "unseal", "--operator", "bob", "--passphrase-stdin"}, "not the passphrase of bob\n");
    EXPECT_EQ(wrong.exit_code, 3);
    EXPECT_EQ(wrong.out, "");
    EXPECT_TRUE(holds(wrong.err, "wrong passphrase")) << wrong.err;
    const auto open =
        signer.reply({"operator", "unseal", "--operator", "bob", "--passphrase-stdin"}, "the passphrase of bob\n");
    EXPECT_EQ(open.at("status").as_string(), "unsealed");
    EXPECT_EQ(signer.stop(), 0);
    signer.start();
    EXPECT_EQ(signer.wait_state("kms_unsealed"), "kms_unsealed");
  }
  EXPECT_EQ(json::serialize(signer.reply({"operator", "credentials", "list", "--operator", "bob"})),
            R"({"operator":"bob","credential_ids":["default"]})");
}

TEST(Server, WrongTokensAreRefusedWithThree) {
  SignerProcess signer;
  signer.start();
  for (const char* token : {"", "wrong-token-wrong-token", "env:SIGN"}) {
    std::vector<std::string> call{"operator", "status"};
    if (*token != '\0') {
      call.insert(call.end(), {"--auth-token", token});
    }
    const Finished done = signer.run(call);
    EXPECT_EQ(done.exit_code, 3) << done.err;
    EXPECT_EQ(done.out, "");
  }
  const Finished setup = signer.run(
      {"operator", "init", "--setup-token", "cc-setup-wrong", "--kms-key-arns", "local://a", "--kms-threshold", "1"});
  EXPECT_EQ(setup.exit_code, 3);
  EXPECT_TRUE(holds(setup.err, "setup_token_invalid")) << setup.err;
  signer.init_kms_only();
  EXPECT_EQ(signer.attest("0x" + std::string(96, 'a'), 1, 2, '1', "wrong-token-wrong-token"), 401);
  EXPECT_EQ(signer.attest("0x" + std::string(96, 'a'), 1, 2, '1', test::kOps), 403);
}

TEST(Server, OneSignerOfManyThatFailsIsNamed) {
  SignerProcess signer;
  signer.start();
  const Finished done =
      signer.run({"operator", "status", "--auth-token", "env:OPS", "--signer-url", "http://127.0.0.1:1"});
  EXPECT_EQ(done.exit_code, 5);
  const auto signers = json::parse(done.out).at("signers").as_array();
  ASSERT_EQ(signers.size(), 2U);
  EXPECT_EQ(signers[0].at("error").at("code").as_string(), "unreachable");
  EXPECT_EQ(signers[1].at("reply").at("seal").at("status").as_string(), "uninitialized");
}

TEST(Server, SecretsOnDiskAreForTheOwnerAlone) {
  SignerProcess signer("setup_token_file: TOKEN\n", false);
  // The path depends on the folder of the test.
  std::string text = test::read_text(signer.config());
  text.replace(text.find("TOKEN"), 5, (signer.folder() / "setup-token").string());
  std::ofstream(signer.config()) << text;
  signer.start();
  EXPECT_FALSE(holds(signer.log(), "cc-setup-"));
  EXPECT_TRUE(test::read_text(signer.folder() / "setup-token").starts_with("cc-setup-"));
  EXPECT_EQ(mode_of(signer.folder() / "setup-token"), 0600U);
  EXPECT_EQ(mode_of(signer.data()), 0700U);
  for (const auto& entry : fs::directory_iterator(signer.data())) {
    EXPECT_EQ(mode_of(entry.path()) & 077U, 0U) << entry.path();
  }
  std::string token = test::read_text(signer.data() / "admin-token");
  ASSERT_TRUE(token.ends_with('\n'));
  token.pop_back();
  EXPECT_EQ(signer.run({"operator", "status", "--auth-token", token}).exit_code, 0);
  EXPECT_EQ(signer.run({"operator", "status"}).exit_code, 3);
  std::string setup = test::read_text(signer.folder() / "setup-token");
  setup.pop_back();
  signer.reply({"operator", "init", "--setup-token", setup, "--kms-key-arns", "local://one", "--kms-threshold", "1"});
  EXPECT_FALSE(fs::exists(signer.folder() / "setup-token")) << "a void token needs no file";
  EXPECT_EQ(mode_of(signer.data() / "kek" / "one"), 0600U);
}

TEST(Server, ASecondServerAndOfflineCommandsAreKeptOut) {
  SignerProcess signer;
  signer.start();
  const Finished second = signer.run({"server", "--config", signer.config()});
  EXPECT_EQ(second.exit_code, 4);
  EXPECT_TRUE(holds(second.err, "another process")) << second.err;
  const Finished offline = signer.run({"slashing", "export", "--config", signer.config()});
  EXPECT_EQ(offline.exit_code, 4);
  EXPECT_TRUE(holds(offline.err, "store_locked")) << offline.err;
}

TEST(Server, AnAddressInUseIsNamed) {
  SignerProcess signer;
  signer.start();
  SignerProcess other;
  const std::string port = signer.url().substr(signer.url().rfind(':') + 1);
  const Finished done = other.run({"server", "--config", other.config(), "--server-listen-port", port});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_TRUE(holds(done.err, port)) << done.err;
}

TEST(Server, OnlyAllowedKeksMakeAChamber) {
  SignerProcess signer("chamber:\n  allowed_keks: [\"local://prod-*\"]\n");
  signer.start();
  const Finished refused = signer.run({"operator", "init", "--setup-token", signer.setup_token(), "--kms-key-arns",
                                       "local://test", "--kms-threshold", "1"});
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_TRUE(holds(refused.err, "kek_not_allowed")) << refused.err;
  EXPECT_EQ(signer.state(), "uninitialized");
  signer.reply({"operator", "init", "--setup-token", signer.setup_token(), "--kms-key-arns", "local://prod-1",
                "--kms-threshold", "1"});
}

TEST(Server, APublicNetworkNamedByTheConfigurationFixesTheChain) {
  SignerProcess named("network: sepolia\n");
  named.start();
  named.init_kms_only();
  EXPECT_EQ(named.attest(named.generate_key(), 1, 2), 403);
  SignerProcess unnamed;
  unnamed.start();
  unnamed.init_kms_only();
  EXPECT_EQ(unnamed.attest(unnamed.generate_key(), 1, 2), 200);
}

TEST(Server, JsonLogsCarryTheSameFields) {
  SignerProcess signer("log:\n  format: json\n");
  signer.start();
  EXPECT_TRUE(holds(signer.log(), "\"setup_token\":\"cc-setup-")) << signer.log();
}

TEST(AllowedKeks, StarsStandForAnyRun) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("local://a*", "local://abc"));
  EXPECT_TRUE(matches_pattern("arn:aws:kms:*:111:key/*", "arn:aws:kms:eu:111:key/x:111:key/y"));
  EXPECT_TRUE(matches_pattern("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches_pattern("a*b", "abc"));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_FALSE(matches_pattern("local://a", "local://ab"));
}

TEST(DataDir, IsHeldByOneAtATime) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "data").string();
  {
    const auto first = DataDir::lock(path);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = DataDir::lock(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::store_locked);
  }
  EXPECT_TRUE(DataDir::lock(path));
  std::ofstream(folder / "file") << "x";
  EXPECT_FALSE(DataDir::lock((folder / "file").string()));
}

}  // namespace
}  // namespace cc::app
