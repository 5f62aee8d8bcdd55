// All commands with their flags as one tree: what is parsed, and what the pages and the completions are written from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/command.h"

namespace cc::app {

inline constexpr const char* kProgramName = "containment-chamber";

// What parsing chooses goes to `chosen`, which outlives the tree.
std::unique_ptr<CLI::App> make_command_tree(Chosen& chosen);
// "containment-chamber operator unseal".
std::string full_name(const CLI::App* command);
// Long flags with their dashes, --help among them.
std::vector<std::string> flags_of(const CLI::App& command);

}  // namespace cc::app
