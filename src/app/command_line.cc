#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>

#include "app/command.h"
#include "app/command_backup.h"
#include "app/hardening.h"
#include "app/nearest.h"
#include "app/version.h"

namespace cc::app {
namespace {

constexpr const char* kProgram = "containment-chamber";

std::unique_ptr<CLI::App> make_root(Chosen& chosen) {
  auto root = std::make_unique<CLI::App>(
      "A remote signer whose keys are useless until the right people and machines agree.", kProgram);
  root->require_subcommand(1);
  root->set_version_flag("--version", std::string(kVersion));
  root->get_formatter()->column_width(34);
  add_server_command(*root, chosen);
  add_operator_commands(*root, chosen);
  add_keys_commands(*root, chosen);
  add_slashing_commands(*root, chosen);
  add_backup_commands(*root, chosen);
  add_config_commands(*root, chosen);
  add_dev_kms_command(*root, chosen);
  add_selftest_command(*root, chosen);
  return root;
}

// The command that the words lead to, as far as they are known, and the first word that is not.
struct Reached {
  CLI::App* command;
  std::string unknown;
};
Reached follow(CLI::App& root, const std::vector<std::string>& words) {
  CLI::App* at = &root;
  for (const std::string& word : words) {
    if (word.starts_with('-') || at->get_subcommands(nullptr).empty()) {
      break;
    }
    const auto below = at->get_subcommands([&word](CLI::App* one) { return one->check_name(word); });
    if (below.empty()) {
      return {at, word};
    }
    at = below.front();
  }
  return {at, {}};
}

std::string full_name(const CLI::App* command) {
  const std::string own = command->get_name();
  return command->get_parent() == nullptr ? own : full_name(command->get_parent()) + " " + own;
}

std::string nearest_flag(const CLI::App& command, const std::string& word) {
  std::vector<std::string> known{"--help"};
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      known.push_back("--" + name);
    }
  }
  return nearest(word, known);
}

// What was wrong with the arguments, in our words where the library's are vague.
std::string explain(CLI::App& root, const std::vector<std::string>& words, const CLI::ParseError& error) {
  const Reached reached = follow(root, words);
  if (!reached.unknown.empty()) {
    std::vector<std::string> known;
    for (const CLI::App* command : reached.command->get_subcommands(nullptr)) {
      known.push_back(command->get_name());
    }
    return "unknown command '" + reached.unknown + "'; the nearest known one is '" + nearest(reached.unknown, known) +
           "'";
  }
  // An unknown flag often is why a required one is missing: it comes first.
  for (const std::string& word : words) {
    const std::string flag = word.substr(0, word.find('='));
    if (flag.starts_with("--") && reached.command->get_option_no_throw(flag) == nullptr) {
      return "unknown flag " + flag + "; the nearest known one is " + nearest_flag(*reached.command, flag);
    }
  }
  return error.what();
}

// A token given as it is, not as env:NAME, would stay readable in the process list for as long as the command runs.
void hide_tokens(int argc, char** argv) {
  constexpr std::array<std::string_view, 3> kFlags{"--auth-token", "--setup-token", "--registration-token"};
  for (int i = 1; i < argc; ++i) {
    for (const std::string_view flag : kFlags) {
      const std::string_view word(argv[i]);
      char* secret = nullptr;
      if (word == flag && i + 1 < argc) {
        secret = argv[i + 1];
      } else if (word.starts_with(flag) && word.size() > flag.size() && word[flag.size()] == '=') {
        secret = argv[i] + flag.size() + 1;
      }
      for (; secret != nullptr && *secret != '\0'; ++secret) {
        *secret = '*';
      }
    }
  }
}

int fail_with(const Error& error) {
  std::cerr << kProgram << ": " << facts(error.kind).code << ": ";
  // The short title helps where the message speaks of the circumstances only ("wrong passphrase").
  const std::string title(facts(error.kind).title);
  std::cerr << (error.message.find(title) == std::string::npos ? title + ": " : "") << error.message << std::endl;
  return facts(error.kind).exit_code;
}

int parse_and_run(std::vector<std::string> words) {
  // Plain `--config FILE` is the server, as the operations guide starts it.
  if (!words.empty() && words.front().starts_with('-') && words.front() != "--help" && words.front() != "-h" &&
      words.front() != "--version") {
    words.insert(words.begin(), "server");
  }
  Chosen chosen;
  const auto root = make_root(chosen);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    root->parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    CLI::App* command = follow(*root, words).command;
    std::cout << command->help(command == root.get() ? "" : full_name(command->get_parent())) << std::flush;
    return 0;
  } catch (const CLI::CallForVersion&) {
    std::cout << kVersion << std::endl;
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << kProgram << ": " << explain(*root, words, error)
              << "\nSee: " << full_name(follow(*root, words).command) << " --help" << std::endl;
    return facts(ErrorKind::usage).exit_code;
  }
  const Result<void> done = chosen.run();
  return done ? 0 : fail_with(done.error());
}

// The flags of a command as a table; those in groups of their own are the configuration's and have a page of theirs.
void write_flags(const CLI::App& command, std::string& out) {
  bool open = false;
  bool configuration = false;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_name() == "--help") {
      continue;
    }
    if (option->get_group() != "Options") {
      configuration = true;
      continue;
    }
    out += open ? "" : "\n| flag | meaning |\n|---|---|\n";
    open = true;
    const std::string standard = option->get_default_str();
    out += "| `" + option->get_name(option->get_positional(), true) + "`" +
           (option->get_required() ? " (required)" : "") + " | " + option->get_description() +
           (standard.empty() ? "" : ". Default: `" + standard + "`") + " |\n";
  }
  if (configuration) {
    out +=
        "\nEvery key of the [configuration](configuration.md) is a flag too: `server.listen_port` is "
        "`--server-listen-port`.\n";
  }
}

void write_command(const CLI::App& command, std::string& out) {
  const auto below = command.get_subcommands(nullptr);
  if (command.get_parent() != nullptr) {
    out += "\n## `" + full_name(&command) + "`\n\n" + command.get_description() + ".\n";
  }
  if (below.empty()) {
    write_flags(command, out);
  }
  for (const CLI::App* inner : below) {
    write_command(*inner, out);
  }
}

}  // namespace

std::string command_line_reference() {
  Chosen chosen;
  const auto root = make_root(chosen);
  std::string out = R"md(# Command line

Generated by `containment-chamber help --markdown`; a test compares this page with the program.

`containment-chamber --config FILE` is short for `containment-chamber server --config FILE`.

Stdout carries one JSON document and nothing else; prompts, warnings and advice go to stderr. `--output text` is for people.
Exit codes: 0 ok, 2 usage, 3 refused, 4 conflict or state, 5 unreachable, 6 server error ([errors](errors.md)).

`--auth-token`, `--setup-token` and `--registration-token` take the token itself or `env:NAME`, which reads it from the
environment and keeps it out of the process list. Passphrases are asked for on the terminal without echo, or read as one line
with `--passphrase-stdin`; they are never arguments. Plain `http://` to another machine needs `--allow-plaintext-signer`.

With several `--signer-url` the commands `status`, `unseal`, `unseal-reset`, `seal` and `resume` ask each signer in turn and
print `{"signers": [{"signer_url", "reply"} or {"signer_url", "error"}]}`; the exit code is that of the first refusal.
)md";
  write_command(*root, out);
  return out;
}

std::string errors_reference() {
  struct Row {
    std::string_view code;
    int http_status, exit_code;
    std::string_view title;
  };
  constexpr std::array kRows{
#define KIND(name, http, exit, title) Row{#name, http, exit, title},
#include "base/error_kinds.inc"
#undef KIND
  };
  std::string out = R"md(# Errors

Generated by `containment-chamber errors reference`; a test compares this page with the program.

Our own endpoints answer errors as `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` and `code`.
`code` is the stable word for programs; `detail` is for people. The command line prints the same code and ends with its exit code.

| code | HTTP | exit | title |
|---|---|---|---|
)md";
  for (const Row& row : kRows) {
    out += "| `" + std::string(row.code) + "` | " + std::to_string(row.http_status) + " | " +
           std::to_string(row.exit_code) + " | " + std::string(row.title) + " |\n";
  }
  return out;
}

int run(int argc, char** argv) {
  try {
    harden_process();
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    hide_tokens(argc, argv);
    return parse_and_run(std::move(words));
  } catch (const std::bad_alloc&) {
    return fail_with(
        {ErrorKind::locked_memory, "there is no memory left; raise the limit on locked memory or set memory.lock"});
  } catch (const std::exception& error) {
    return fail_with({ErrorKind::internal, error.what()});
  }
}

}  // namespace cc::app
