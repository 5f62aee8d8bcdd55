// What the command groups share: how a command is chosen, how its reply is printed, how a signer is reached.
//
// Stdout carries one JSON document and nothing else; prompts, warnings and advice go to stderr (DESIGN section 6).
#pragma once

#include <CLI/App.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/signer_client.h"
#include "base/result.h"

namespace cc::app {

struct HardwareKeys;

// The command that the arguments chose; set while parsing, run afterwards.
struct Chosen {
  std::function<Result<void>()> run;
  const HardwareKeys* hardware = nullptr;  // for the commands that ask one; outlives them
};

void add_server_command(CLI::App& root, Chosen& chosen);
void add_operator_commands(CLI::App& root, Chosen& chosen);
void add_keys_commands(CLI::App& root, Chosen& chosen);
void add_slashing_commands(CLI::App& root, Chosen& chosen);
void add_audit_commands(CLI::App& root, Chosen& chosen);
void add_config_commands(CLI::App& root, Chosen& chosen);
void add_dev_kms_command(CLI::App& root, Chosen& chosen);
void add_selftest_command(CLI::App& root, Chosen& chosen);
void add_completion_command(CLI::App& root, Chosen& chosen);

// A subcommand with options of its own. `body` gets them after parsing.
template <class Options>
CLI::App* add_command(CLI::App& parent, Chosen& chosen, const std::string& name, const std::string& help,
                      const std::shared_ptr<Options>& options, Result<void> (*body)(const Options&)) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->callback([&chosen, options, body] { chosen.run = [options, body] { return body(*options); }; });
  return command;
}

// json or text, for every command that prints a reply.
void add_output_option(CLI::App& command, std::string& output);
void print_reply(const boost::json::value& reply, const std::string& output);
// One line of advice on stderr.
void advise(const std::string& text);

// --signer-url (may be given many times), --allow-plaintext-signer, --ca-cert, --client-cert, --client-key, --output.
struct SignerOptions {
  std::vector<std::string> urls{"http://localhost:9000"};
  bool allow_plaintext = false;
  std::string auth_token;
  std::string output = "json";
  http::ClientTls tls{};
};
void add_signer_options(CLI::App& command, SignerOptions& options);
void add_auth_option(CLI::App& command, SignerOptions& options);

// The value of a token flag: `env:NAME`, or the token itself.
Result<SecretBytes> token_of(const std::string& flag_value, const std::string& flag_name);

// What to send; called once per signer, so that a body with secrets never outlives its sending.
struct SignerCall {
  std::string method;
  std::string path;
  SecretBytes token;
  std::function<std::string()> body = [] { return std::string(); };
};
// The signer at one of the addresses. Errors: as SignerClient::make.
Result<SignerClient> signer_at(const SignerOptions& options, const std::string& url);
// The one signer of the options. Errors: usage when several are named.
Result<SignerClient> single_signer(const SignerOptions& options);
// Asks one signer and prints its reply, or many and prints `{"signers":[…]}`; with many, the first failure is returned
// after all were asked. `after` is told each good reply and its SignerClient::url(), once all are printed.
using AfterReply = std::function<void(const std::string& url, const boost::json::value& reply)>;
Result<void> ask_signers(const SignerOptions& options, const SignerCall& call, const AfterReply& after = nullptr);
// One request to the single signer of the options, printed.
Result<boost::json::value> ask_one(const SignerOptions& options, const SignerCall& call);
// The same with whatever has to be said to a signer to get its reply.
using Dialogue = std::function<Result<boost::json::value>(const SignerClient&)>;
Result<void> talk_to_signers(const SignerOptions& options, const Dialogue& dialogue, const AfterReply& after = nullptr);
Result<boost::json::value> talk_to_one(const SignerOptions& options, const Dialogue& dialogue);

// "a, b,c" → a b c. Errors: usage for an empty item.
Result<std::vector<std::string>> split_list(const std::string& text, const std::string& flag_name);
// A whole number in plain decimal. Errors: usage.
Result<std::uint64_t> parse_count(const std::string& text, const std::string& flag_name, std::uint64_t maximum);
std::string json_list(const std::vector<std::string>& items);

// --config and --data-dir, for commands that work on the stores themselves.
struct StoreOptions {
  std::string config;
  std::string data_dir;
  std::string output = "json";
};
void add_store_options(CLI::App& command, StoreOptions& options);
Result<Config> load_store_config(const StoreOptions& options);

}  // namespace cc::app
