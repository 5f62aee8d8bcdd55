// The program from its arguments to its exit code.
//
// Exit codes: 0 ok, 2 usage, 3 refused, 4 conflict or state, 5 unreachable, 6 server error (the table of
// base/error_kinds.inc decides). Errors are one line on stderr: `containment-chamber: CODE: what to do`.
#pragma once

#include <string>

#include "app/hardware_keys.h"

namespace cc::app {

int run(int argc, char** argv);
// With other hardware keys than those plugged into this machine, for programs built around the same commands.
int run(int argc, char** argv, const HardwareKeys& hardware);

// docs/reference/command-line.md, docs/man/containment-chamber.1 and docs/reference/errors.md.
std::string command_line_reference();
std::string man_page();
std::string errors_reference();

}  // namespace cc::app
