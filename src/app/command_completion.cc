// completion bash | zsh | fish: a script for the shell, written from the tree of commands.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/command_tree.h"

namespace cc::app {
namespace {

// Every command by its words below the program, with what may follow: subcommands, or flags.
struct Node {
  std::string words;                                       // "operator unseal"; empty for the program
  std::vector<std::pair<std::string, std::string>> below;  // name, description
  std::vector<std::string> flags;
};
void collect(const CLI::App& command, std::vector<Node>& out) {
  Node node;
  if (command.get_parent() != nullptr) {
    node.words = full_name(&command).substr(std::string_view(kProgramName).size() + 1);
  }
  for (const CLI::App* inner : command.get_subcommands(nullptr)) {
    node.below.emplace_back(inner->get_name(), inner->get_description());
  }
  node.flags = flags_of(command);
  out.push_back(std::move(node));
  for (const CLI::App* inner : command.get_subcommands(nullptr)) {
    collect(*inner, out);
  }
}
std::vector<Node> nodes() {
  Chosen chosen;
  std::vector<Node> out;
  collect(*make_command_tree(chosen), out);
  return out;
}

std::string candidates(const Node& node) {
  std::string out;
  for (const auto& [name, help] : node.below) {
    out += (out.empty() ? "" : " ") + name;
  }
  for (const std::string& flag : node.flags) {
    out += (out.empty() ? "" : " ") + flag;
  }
  return out;
}

// One function serves bash, and zsh through bashcompinit. The words so far, flags and their values left out, choose the
// list; a flag that names a file, a folder or a certificate gets file names.
std::string bash_script() {
  std::string out = R"sh(# bash completion for containment-chamber: source it, or put it into /etc/bash_completion.d/
_containment_chamber() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) break ;; esac
    case "$path $word" in
)sh";
  const auto all = nodes();
  for (const Node& node : all) {
    if (!node.words.empty()) {
      out += "      \" " + node.words + "\") path=\"" + " " + node.words + "\" ;;\n";
    }
  }
  out += R"sh(    esac
  done
  case $prev in
    --config|-c|--data-dir|--out|--*-cert|--*-key|--*-file|--*-dir)
      COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --output) COMPREPLY=($(compgen -W "json text" -- "$cur")); return ;;
  esac
  local list=
  case "$path" in
)sh";
  for (const Node& node : all) {
    out += "    \"" + (node.words.empty() ? "" : " " + node.words) + "\") list=\"" + candidates(node) + "\" ;;\n";
  }
  return out + R"sh(  esac
  COMPREPLY=($(compgen -W "$list" -- "$cur"))
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _containment_chamber containment-chamber
)sh";
}

std::string zsh_script() {
  return "#compdef containment-chamber\n"
         "# zsh completion for containment-chamber: source it after compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script();
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("\\'") : std::string(1, c);
  }
  return out + "'";
}

std::string fish_script() {
  std::string out =
      "# fish completion for containment-chamber: put it into ~/.config/fish/completions/containment-chamber.fish\n";
  for (const Node& node : nodes()) {
    std::string condition = "__fish_use_subcommand";
    if (!node.words.empty()) {
      condition.clear();
      std::string words = node.words + " ";
      for (std::size_t at = 0, space = 0; (space = words.find(' ', at)) != std::string::npos; at = space + 1) {
        condition +=
            (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + words.substr(at, space - at));
      }
    }
    const std::string head = "complete -c containment-chamber -n " + fish_quoted(condition);
    for (const auto& [name, help] : node.below) {
      out += head + " -f -a " + name + " -d " + fish_quoted(help) + "\n";
    }
    for (const std::string& flag : node.flags) {
      out += head + " -l " + flag.substr(2) + "\n";
    }
  }
  return out;
}

struct CompletionOptions {
  std::string shell;
};
Result<void> run_completion(const CompletionOptions& options) {
  std::cout << (options.shell == "fish"  ? fish_script()
                : options.shell == "zsh" ? zsh_script()
                                         : bash_script())
            << std::flush;
  return {};
}

}  // namespace

void add_completion_command(CLI::App& root, Chosen& chosen) {
  const auto options = std::make_shared<CompletionOptions>();
  add_command(root, chosen, "completion", "Print a completion script for your shell", options, &run_completion)
      ->add_option("shell", options->shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
}

}  // namespace cc::app
