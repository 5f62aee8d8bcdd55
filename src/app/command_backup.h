// The backup group.
#pragma once

#include "app/command.h"

namespace cc::app {

void add_backup_commands(CLI::App& root, Chosen& chosen);

}  // namespace cc::app
