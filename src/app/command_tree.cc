#include "app/command_tree.h"

#include <CLI/CLI.hpp>

#include "app/command_backup.h"
#include "app/version.h"

namespace cc::app {

std::unique_ptr<CLI::App> make_command_tree(Chosen& chosen) {
  auto root = std::make_unique<CLI::App>(
      "A remote signer whose keys are useless until the right people and machines agree.", kProgramName);
  root->require_subcommand(1);
  root->set_version_flag("--version", std::string(kVersion));
  root->get_formatter()->column_width(34);
  add_server_command(*root, chosen);
  add_operator_commands(*root, chosen);
  add_keys_commands(*root, chosen);
  add_slashing_commands(*root, chosen);
  add_backup_commands(*root, chosen);
  add_audit_commands(*root, chosen);
  add_config_commands(*root, chosen);
  add_dev_kms_command(*root, chosen);
  add_selftest_command(*root, chosen);
  add_completion_command(*root, chosen);
  return root;
}

std::string full_name(const CLI::App* command) {
  const std::string own = command->get_name();
  return command->get_parent() == nullptr ? own : full_name(command->get_parent()) + " " + own;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out.push_back("--" + name);
    }
  }
  return out;
}

}  // namespace cc::app
