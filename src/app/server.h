// The composition root: everything is opened, wired and closed here, and nowhere else.
//
// Order of a start: memory mode, data directory lock, state store, slashing store and its pairing, key store, chamber,
// access, boot, setup token, listeners. A stop goes the other way: drain, seal in memory, checkpoint.
#pragma once

#include "app/config.h"
#include "base/result.h"

namespace cc::app {

// Runs the signer until SIGTERM or SIGINT; success is a clean stop. Errors: whatever forbids a start, naming the file,
// the address or the key of the configuration at fault.
Result<void> serve(Config config, const Environment& environment);

}  // namespace cc::app
