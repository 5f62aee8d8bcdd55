// server: the flags of the configuration table, and the start of the server itself.
#include "app/command.h"
#include "app/config_table.h"
#include "app/server.h"

namespace cc::app {
namespace {

struct ServerOptions {
  std::string config;
  // One place per row of the table, in its order; a flag not given leaves the place alone.
  std::vector<std::pair<CLI::Option*, std::string>> values;
};

Result<void> run_server(const ServerOptions& options) {
  ConfigSources sources{std::nullopt, process_environment(), {}};
  if (!options.config.empty()) {
    sources.file = options.config;
  }
  const auto table = config_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto& [option, text] = options.values.at(i);
    if (option != nullptr && option->count() > 0) {
      sources.flags.push_back({std::string(table[i].path), text});
    }
  }
  CC_ASSIGN(Config config, load_config(sources));
  return serve(std::move(config), sources.environment);
}

}  // namespace

void add_server_command(CLI::App& root, Chosen& chosen) {
  const auto options = std::make_shared<ServerOptions>();
  CLI::App* command = add_command(root, chosen, "server", "Run the signer", options, &run_server);
  command->add_option("-c,--config", options->config, "Configuration file (YAML)");
  options->values.resize(config_table().size());
  for (std::size_t i = 0; i < config_table().size(); ++i) {
    const ConfigKey& key = config_table()[i];
    // A secret is no flag: every user of the machine can read the arguments of a process.
    if (key.has_name() || key.is_secret()) {
      continue;
    }
    auto& [option, text] = options->values[i];
    const std::string help(key.help);
    option = key.is_boolean() ? command->add_flag(key.flag(), text, help) : command->add_option(key.flag(), text, help);
    const std::string standard(key.standard_note.empty() ? key.standard : key.standard_note);
    option->group(split_path(key.path).size() == 1 ? "General" : split_path(key.path).front())->default_str(standard);
  }
}

}  // namespace cc::app
