// The command line as a user meets it: the real binary, its exit codes, what it writes where.
#include "app/command_line.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "app/command.h"
#include "app/signer_client.h"
#include "app/version.h"
#include "support/process.h"

namespace cc::app {
namespace {

using test::Finished;

Finished run_binary(std::vector<std::string> arguments, test::Process::Variables environment = {},
                    const std::string& input = {}) {
  arguments.insert(arguments.begin(), CC_BINARY);
  environment.emplace("HOME", "/nonexistent");
  return test::run_program(arguments, environment, input);
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(CommandLine, AnUnknownCommandIsAUsageErrorThatNamesTheNearest) {
  const Finished done = run_binary({"operator", "staus"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_EQ(done.out, "");
  EXPECT_TRUE(holds(done.err, "unknown command 'staus'")) << done.err;
  EXPECT_TRUE(holds(done.err, "'status'")) << done.err;
}

TEST(CommandLine, AnUnknownFlagIsAUsageErrorThatNamesTheNearest) {
  const Finished done = run_binary({"operator", "init", "--kms-treshold", "2"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_TRUE(holds(done.err, "unknown flag --kms-treshold")) << done.err;
  EXPECT_TRUE(holds(done.err, "--kms-threshold")) << done.err;
}

TEST(CommandLine, EveryWrongCallEndsWithTwo) {
  const std::vector<std::vector<std::string>> calls{
      {},
      {"operator"},
      {"operator", "init"},
      {"operator", "status", "--output", "xml"},
      {"operator", "status", "--signer-url", "localhost:9000"},
      {"operator", "status", "--auth-token", "env:NOT_SET_ANYWHERE"},
      {"operator", "init", "--setup-token", "t", "--kms-key-arns", "local://a", "--kms-threshold", "two"},
      {"operator", "init", "--setup-token", "t", "--kms-key-arns", "local://a", "--kms-threshold", "010"},
      {"operator", "init", "--setup-token", "t", "--kms-key-arns", "local://a,,local://b", "--kms-threshold", "1"},
      {"operator", "init", "--setup-token", "t", "--kms-key-arns", "local://a", "--kms-threshold", "1", "--operators",
       "a"},
      {"operator", "unseal-reset"},
      {"keys", "import"},
      {"keys", "import", "--private-key-stdin", "file.json"},
      {"--config", "/nonexistent/config.yaml"},
      {"server", "--server-listen-port", "banana"},
  };
  for (const auto& call : calls) {
    const Finished done = run_binary(call);
    EXPECT_EQ(done.exit_code, 2) << done.err;
    EXPECT_EQ(done.out, "");
    EXPECT_FALSE(done.err.empty());
  }
}

TEST(CommandLine, NobodyThereIsFive) {
  const Finished done = run_binary({"operator", "status", "--signer-url", "http://127.0.0.1:1"});
  EXPECT_EQ(done.exit_code, 5);
  EXPECT_EQ(done.out, "");
  EXPECT_TRUE(holds(done.err, "unreachable")) << done.err;
}

TEST(CommandLine, PlainHttpToAnotherMachineNeedsLeave) {
  const Finished done = run_binary({"operator", "status", "--signer-url", "http://192.0.2.1:9000"});
  EXPECT_EQ(done.exit_code, 3);
  EXPECT_TRUE(holds(done.err, "--allow-plaintext-signer")) << done.err;
}

TEST(CommandLine, APromptWithoutATerminalSaysWhatToDo) {
  const Finished done = run_binary({"operator", "unseal", "--operator", "alice", "--signer-url", "http://127.0.0.1:1"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_TRUE(holds(done.err, "--passphrase-stdin")) << done.err;
}

TEST(CommandLine, HelpIsOnStdoutAndNamesTheWholeCommand) {
  const Finished done = run_binary({"operator", "init", "--help"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_TRUE(holds(done.out, "containment-chamber operator init")) << done.out;
  EXPECT_TRUE(holds(done.out, "--kms-key-arns")) << done.out;
  const Finished server = run_binary({"server", "--help"});
  EXPECT_TRUE(holds(server.out, "--anti-slashing-require-history")) << server.out;
}

TEST(CommandLine, SelftestKnowsItsAnswers) {
  const Finished done = run_binary({"selftest"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto reply = boost::json::parse(done.out);
  EXPECT_EQ(reply.at("status").as_string(), "ok");
  EXPECT_EQ(reply.at("checks").as_object().size(), 6U);
  EXPECT_EQ(reply.at("locked_memory").at("mode").as_string(), "prefer");
}

TEST(CommandLine, ConfigCheckSaysWhereTheStoresLie) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "config.yaml") << "auth_policies:\n  a:\n    token: env:T\n    allowed_scopes: [sign]\n";
  const std::string file = (folder / "config.yaml").string();
  const Finished missing = run_binary({"config", "check", "--config", file});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_TRUE(holds(missing.err, "environment variable T, which is not set")) << missing.err;
  const Finished done =
      run_binary({"config", "check", "--config", file, "--data-dir", "/d"}, {{"T", "a-token-of-16-chars"}});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(boost::json::parse(done.out).at("anti_slashing").as_string(), "/d/slashing.sqlite");
  EXPECT_TRUE(boost::json::parse(done.out).at("warnings").as_array().empty()) << done.out;
  std::ofstream(folder / "config.yaml") << "auth_policies:\n  a:\n    token: env:T\n    allowed_scopes: [fly]\n";
  EXPECT_EQ(run_binary({"config", "check", "--config", file}, {{"T", "a-token-of-16-chars"}}).exit_code, 2);
}

TEST(CommandLine, TheReferencePagesAreWhatTheProgramPrints) {
  const std::filesystem::path docs = std::filesystem::path(CC_SOURCE_DIR) / "docs/reference";
  EXPECT_EQ(test::read_text(docs / "command-line.md"), command_line_reference())
      << "run: containment-chamber help --markdown > docs/reference/command-line.md";
  EXPECT_EQ(test::read_text(docs / "errors.md"), errors_reference())
      << "run: containment-chamber errors reference > docs/reference/errors.md";
  EXPECT_EQ(test::read_text(docs.parent_path() / "man/containment-chamber.1"), man_page())
      << "run: containment-chamber help --man > docs/man/containment-chamber.1";
}

// What a shell offers for the words typed so far, by the script the program prints.
std::string completed(const std::vector<std::string>& words) {
  std::string line = "COMP_WORDS=(";
  for (const std::string& word : words) {
    line += "'" + word + "' ";
  }
  line += "); COMP_CWORD=" + std::to_string(words.size() - 1);
  const std::string script =
      run_binary({"completion", "bash"}).out + line + "; _containment_chamber; printf '%s\n' \"${COMPREPLY[@]}\"";
  return test::run_program({"/bin/bash", "--norc", "-c", script}, {}, "").out;
}

TEST(Completion, OffersCommandsFlagsAndValues) {
  EXPECT_EQ(completed({"containment-chamber", "operat"}), "operator\n");
  EXPECT_EQ(completed({"containment-chamber", "operator", "unseal-"}), "unseal-reset\n");
  EXPECT_EQ(completed({"containment-chamber", "operator", "unseal", "--pass"}), "--passphrase-stdin\n");
  EXPECT_EQ(completed({"containment-chamber", "operator", "status", "--output", "j"}), "json\n");
  EXPECT_TRUE(holds(completed({"containment-chamber", "keys", ""}), "import\n"));
}

TEST(Completion, KnowsThreeShellsAndRefusesOthers) {
  EXPECT_TRUE(run_binary({"completion", "zsh"}).out.starts_with("#compdef containment-chamber\n"));
  EXPECT_TRUE(holds(run_binary({"completion", "fish"}).out, "-f -a unseal -d"));
  EXPECT_EQ(run_binary({"completion", "tcsh"}).exit_code, 2);
  EXPECT_EQ(run_binary({"completion"}).exit_code, 2);
}

TEST(CommandLine, TheVersionIsTheBuilds) {
  const std::string build = test::read_text(std::filesystem::path(CC_SOURCE_DIR) / "CMakeLists.txt");
  EXPECT_TRUE(holds(build, "VERSION " + std::string(kVersion) + " ")) << kVersion;
}

TEST(SignerUrl, IsAHostAndAPortAndNothingElse) {
  for (const char* good : {"http://localhost:9000", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:9000/",
                           "https://signer.example:9443", "https://signer.example/base"}) {
    EXPECT_TRUE(SignerClient::make(good, false)) << good;
  }
  for (const char* bad : {"", "localhost:9000", "ftp://localhost", "http://", "http://user@localhost",
                          "http://localhost:x", "http://localhost:", "http://localhost:9000?x=1", "http://localhost#f",
                          "http://[::1", "http://local host", "http://localhost:1234567"}) {
    const auto made = SignerClient::make(bad, true);
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().kind, ErrorKind::usage) << bad;
  }
  for (const char* remote : {"http://signer.example:9000", "http://10.0.0.1:9000", "http://[2001:db8::1]:9000",
                             "http://localhost.example:9000", "http://0x7f.1:9000"}) {
    const auto made = SignerClient::make(remote, false);
    ASSERT_FALSE(made) << remote;
    EXPECT_EQ(made.error().kind, ErrorKind::plaintext_refused) << remote;
    EXPECT_TRUE(SignerClient::make(remote, true)) << remote;
  }
}

TEST(SecretJson, WritesWhatAJsonReaderReadsBack) {
  std::string nasty = "quote \" backslash \\ newline \n tab \t bell \a umlaut ü";
  const std::string text =
      SecretJson().add("a", nasty).add_secret("b", SecretBytes::copy_of(nasty)).add_json("c", "[1]").finish();
  const auto read = boost::json::parse(text);
  EXPECT_EQ(read.at("a").as_string(), nasty);
  EXPECT_EQ(read.at("b").as_string(), nasty);
  EXPECT_EQ(boost::json::serialize(read.at("c")), "[1]");
  EXPECT_EQ(SecretJson().finish(), "{}");
  // Longer than any first allocation, so that it has to grow.
  const std::string longer(100'000, 'x');
  EXPECT_EQ(boost::json::parse(SecretJson().add("a", longer).add("b", longer).finish()).at("b").as_string(), longer);
}

TEST(Lists, AreSplitAtCommasAndEmptyItemsAreRefused) {
  EXPECT_EQ(*split_list("a, b,c", "--x"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_FALSE(split_list("", "--x"));
  EXPECT_FALSE(split_list("a,", "--x"));
  EXPECT_FALSE(split_list("a, ,b", "--x"));
}

}  // namespace
}  // namespace cc::app
