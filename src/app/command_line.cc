#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>

#include "app/command_tree.h"
#include "app/hardening.h"
#include "app/nearest.h"
#include "app/version.h"
#include "base/printable.h"

namespace cc::app {
namespace {

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
  std::cerr << kProgramName << ": " << facts(error.kind).code << ": ";
  // The short title helps where the message speaks of the circumstances only ("wrong passphrase").
  const std::string title(facts(error.kind).title);
  const bool says_more = error.kind != ErrorKind::usage && error.message.find(title) == std::string::npos;
  std::cerr << (says_more ? title + ": " : "") << printable(error.message, LineBreaks::kept) << std::endl;
  return facts(error.kind).exit_code;
}

int parse_and_run(std::vector<std::string> words, const HardwareKeys& hardware) {
  // Plain `--config FILE` is the server, as the operations guide starts it.
  if (!words.empty() && words.front().starts_with('-') && words.front() != "--help" && words.front() != "-h" &&
      words.front() != "--version") {
    words.insert(words.begin(), "server");
  }
  Chosen chosen;
  chosen.hardware = &hardware;
  const auto root = make_command_tree(chosen);
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
    std::cerr << kProgramName << ": " << explain(*root, words, error)
              << "\nSee: " << full_name(follow(*root, words).command) << " --help" << std::endl;
    return facts(ErrorKind::usage).exit_code;
  }
  const Result<void> done = chosen.run();
  return done ? 0 : fail_with(done.error());
}

}  // namespace

int run(int argc, char** argv) { return run(argc, argv, system_hardware_keys()); }

int run(int argc, char** argv, const HardwareKeys& hardware) {
  try {
    harden_process();
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    hide_tokens(argc, argv);
    return parse_and_run(std::move(words), hardware);
  } catch (const std::bad_alloc&) {
    return fail_with(
        {ErrorKind::locked_memory, "there is no memory left; raise the limit on locked memory or set memory.lock"});
  } catch (const std::exception& error) {
    return fail_with({ErrorKind::internal, error.what()});
  }
}

}  // namespace cc::app
