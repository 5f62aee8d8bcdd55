// A signer in a folder of its own: the real binary, its log, and requests to it.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "http/client.h"
#include "support/process.h"

namespace cc::test {

namespace json = boost::json;

inline constexpr const char* kOps = "operations-token-0001";
inline constexpr const char* kKeys = "key-manager-token-0001";
inline constexpr const char* kSign = "signing-token-00000001";

class SignerProcess {
 public:
  explicit SignerProcess(const std::string& extra = {}, bool policies = true) {
    std::ofstream out(folder_ / "config.yaml");
    out << "data_dir: " << data().string() << "\nserver:\n  listen_port: 0\nmetrics:\n  listen_port: 0\n";
    if (policies) {
      out << "auth_policies:\n"
             "  ops:\n    token: \"env:OPS\"\n    allowed_scopes: [chamber_seal, chamber_status]\n"
             "  keys:\n    token: \"env:KEYS\"\n    allowed_scopes: [chamber_keys_generate, chamber_keys_write, "
             "chamber_keys_list, chamber_keys_delete]\n"
             "  client:\n    token: \"env:SIGN\"\n    allowed_scopes: [sign, public_keys]\n";
    }
    out << extra;
  }

  std::filesystem::path data() const { return folder_ / "data"; }
  std::filesystem::path folder() const { return folder_ / "."; }
  std::string config() const { return (folder_ / "config.yaml").string(); }
  std::string log() const { return read_text(folder_ / "log"); }

  void start() {
    std::filesystem::remove(folder_ / "log");
    process_ = std::make_unique<Process>(std::vector<std::string>{CC_BINARY, "--config", config()}, variables_,
                                         folder_ / "out", folder_ / "log");
    // As text or as JSON.
    port_ = wait_for("listening.*api.*port\"?[=:]\"?([0-9]+)");
    ASSERT_NE(port_, "") << log();
  }
  // Exit code of a clean stop.
  int stop() {
    process_->signal(SIGTERM);
    return process_->wait(std::chrono::seconds(30)).value_or(-1);
  }
  void kill() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(10));
  }
  // What the pattern's group matches in the log; empty after 20 s without.
  std::string wait_for(const std::string& pattern) {
    for (int i = 0; i < 1000; ++i) {
      std::smatch match;
      const std::string text = log();
      if (std::regex_search(text, match, std::regex(pattern))) {
        return match[match.size() - 1].str();
      }
      if (!process_->running()) {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return {};
  }
  std::string setup_token() { return wait_for("setup_token=(cc-setup-[A-Za-z0-9_-]{43})"); }
  std::string url() const { return "http://127.0.0.1:" + port_; }

  Finished run(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), CC_BINARY);
    if (arguments.at(1) == "operator" || arguments.at(1) == "keys") {
      arguments.insert(arguments.end(), {"--signer-url", url()});
    }
    return run_program(arguments, variables_, input);
  }
  json::value reply(std::vector<std::string> arguments, const std::string& input = {}) const {
    const Finished done = run(std::move(arguments), input);
    EXPECT_EQ(done.exit_code, 0) << done.err << "\n--- log\n" << log();
    boost::system::error_code error;
    json::value value = json::parse(done.out, error);
    EXPECT_FALSE(error) << done.out;
    return value;
  }
  std::string state() const {
    return std::string(reply({"operator", "status", "--auth-token", "env:OPS"}).at("seal").at("status").as_string());
  }
  std::string wait_state(const std::string& wanted) const {
    std::string seen;
    for (int i = 0; i < 200 && seen != wanted; ++i) {
      seen = state();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return seen;
  }
  json::value init_kms_only() {
    return reply({"operator", "init", "--setup-token", setup_token(), "--kms-key-arns", "local://one,local://two",
                  "--kms-threshold", "2"});
  }
  std::string generate_key() const {
    const auto made = reply({"keys", "generate", "--auth-token", "env:KEYS"});
    return std::string(made.at("data").at(0).at("pubkey").as_string());
  }
  // Status of a sign request for an attestation.
  int attest(const std::string& key, unsigned source, unsigned target, char head = '1',
             const char* token = kSign) const {
    const std::string zeros(63, '0');
    const auto root = [&zeros](char last) { return "\"0x" + zeros + last + "\""; };
    http::ClientRequest request;
    request.method = "POST";
    request.url = url() + "/api/v1/eth2/sign/" + key;
    request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + std::string(token)}};
    request.body =
        R"({"type":"ATTESTATION","fork_info":{"fork":{"previous_version":"0x04000000","current_version":"0x05000000",)"
        R"("epoch":"364032"},"genesis_validators_root":"0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"},)"
        R"("attestation":{"slot":")" +
        std::to_string(target * 32) + R"(","index":"0","beacon_block_root":)" + root(head) + R"(,"source":{"epoch":")" +
        std::to_string(source) + R"(","root":)" + root('2') + R"(},"target":{"epoch":")" + std::to_string(target) +
        R"(","root":)" + root('3') + "}}}";
    const auto answer = http::send(request);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? answer->status : 0;
  }

 private:
  TemporaryFolder folder_;
  Process::Variables variables_{{"OPS", kOps}, {"KEYS", kKeys}, {"SIGN", kSign}, {"HOME", folder_.string()}};
  std::unique_ptr<Process> process_;
  std::string port_;
};

}  // namespace cc::test
