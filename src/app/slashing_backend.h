// Which slashing store the configuration names, behind one door for the server and the commands.
//
// Secrets: the database password, on its way from the configuration to the store.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/random.h"
#include "guard/slashing_store.h"
#include "seal/ports.h"

namespace cc::app {

struct SlashingBackend {
  std::string place;    // the file, or which database: for messages
  bool shared = false;  // several signers use one store
  // With `create` a store that is not there is made. Errors: not_found without `create`; store_locked;
  // store_unavailable.
  std::function<Result<std::unique_ptr<guard::SlashingStore>>(bool create)> open;
};

// `state` and `random` must outlive the backend: a shared store speaks of the chamber whose seal record lies in
// `state`. The secrets of the configuration must be resolved. Errors: config_invalid.
Result<SlashingBackend> make_slashing_backend(const Config& config, seal::StateStore& state, Random& random);

// Replaces `env:NAME` in the secrets of the database. Errors: config_invalid.
Result<void> resolve_database_secrets(Config& config, const Environment& environment);

}  // namespace cc::app
