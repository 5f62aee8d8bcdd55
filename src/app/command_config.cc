// config check | config reference | errors reference | help --markdown | help --man | version.
#include <boost/json/object.hpp>
#include <iostream>

#include "app/cautions.h"
#include "app/command.h"
#include "app/command_line.h"
#include "app/iam_reference.h"
#include "app/version.h"
#include "ethereum/network.h"

namespace cc::app {
namespace {

struct Nothing {};

Result<void> run_config_reference(const Nothing&) {
  std::cout << config_reference() << std::flush;
  return {};
}
Result<void> run_config_iam(const Nothing&) {
  std::cout << iam_reference() << std::flush;
  return {};
}
Result<void> run_errors_reference(const Nothing&) {
  std::cout << errors_reference() << std::flush;
  return {};
}
struct HelpOptions {
  bool markdown = false, man = false;
};
Result<void> run_help(const HelpOptions& options) {
  if (options.markdown == options.man) {
    return fail(ErrorKind::usage,
                "see containment-chamber --help, or pass --markdown or --man for the whole reference");
  }
  std::cout << (options.man ? man_page() : command_line_reference()) << std::flush;
  return {};
}
Result<void> run_version(const Nothing&) {
  std::cout << kVersion << std::endl;
  return {};
}

// Everything the server would refuse at start, without touching a store.
Result<void> run_config_check(const StoreOptions& options) {
  CC_ASSIGN(Config config, load_store_config(options));
  boost::json::array warnings;
  for (const std::string& caution : cautions(config)) {
    warnings.emplace_back(caution);
  }
  CC_TRY(resolve_secrets(config, process_environment()));
  CC_ASSIGN(const ethereum::Network network, ethereum::load_network(config.network));
  std::string slashing = config.anti_slashing.path;
  if (config.anti_slashing.backend == "postgres") {
    CC_ASSIGN(const postgres::Options database, postgres::check(std::move(config.anti_slashing.postgres)));
    slashing = database.place;
  }
  if (config.anti_slashing.backend == "dynamodb") {
    slashing = "dynamodb table " + config.dynamodb.slashing_table;
  }
  const bool tables = config.signer_state.backend == "dynamodb";
  boost::json::array policies;
  std::vector<access::PolicyConfig> checked;
  for (auto& [name, policy] : config.auth_policies) {
    policies.emplace_back(name);
    checked.push_back(std::move(policy));
  }
  if (!checked.empty()) {
    SystemRandom random;
    CC_TRY(access::Policies::make(std::move(checked), std::move(config.unauthenticated_policy), random));
  }
  print_reply(
      boost::json::object{
          {"status", "ok"},
          {"network", network.name},
          {"data_dir", config.data_dir},
          {"signer_state", tables ? "dynamodb table " + config.dynamodb.state_table : config.signer_state.path},
          {"sealed_keys", tables ? "dynamodb table " + config.dynamodb.keys_table : config.sealed_keys_path},
          {"anti_slashing", slashing},
          {"local_keks", config.kek_local_dir},
          {"auth_policies", policies},
          {"warnings", warnings}},
      options.output);
  return {};
}

}  // namespace

void add_config_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* config = root.add_subcommand("config", "The configuration: check a file, print the reference");
  config->require_subcommand(1);
  const auto check = std::make_shared<StoreOptions>();
  add_store_options(*add_command(*config, chosen, "check", "Say whether the server would accept this configuration",
                                 check, &run_config_check),
                    *check);
  add_command(*config, chosen, "reference", "Print the configuration reference as Markdown",
              std::make_shared<Nothing>(), &run_config_reference);

  add_command(*config, chosen, "iam", "Print the AWS permissions that the signer needs, as Markdown",
              std::make_shared<Nothing>(), &run_config_iam);

  CLI::App* errors = root.add_subcommand("errors", "The error codes");
  errors->require_subcommand(1);
  add_command(*errors, chosen, "reference", "Print every error code as Markdown", std::make_shared<Nothing>(),
              &run_errors_reference);

  const auto help = std::make_shared<HelpOptions>();
  CLI::App* command = add_command(root, chosen, "help", "Print the reference of all commands", help, &run_help);
  command->add_flag("--markdown", help->markdown, "As Markdown");
  command->add_flag("--man", help->man, "As a man page");
  add_command(root, chosen, "version", "Print the version", std::make_shared<Nothing>(), &run_version);
}

}  // namespace cc::app
