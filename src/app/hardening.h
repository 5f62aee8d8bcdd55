// What the process gives up at start, before the first secret exists.
#pragma once

namespace cc::app {

// No core dumps, not dumpable (so no debugger of the same user attaches), no new privileges, files for the owner alone,
// SIGPIPE ignored, library buffers wiped on release. Sanitizer builds keep the first three as they are: a leak check
// needs ptrace. Never fails the start: what the kernel refuses is logged.
void harden_process();

}  // namespace cc::app
