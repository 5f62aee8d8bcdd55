// What a configuration that can be used had better not say: told at the server's start and by `config check`.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"

namespace cc::app {

// One sentence each, saying what to do; empty when there is nothing to say. `config` as loaded, before its secrets are
// resolved: a token written into a file that others can read is one of them.
std::vector<std::string> cautions(const Config& config);

}  // namespace cc::app
