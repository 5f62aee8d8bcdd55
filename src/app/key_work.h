// How the configuration limits work on keys, as the endpoints take it.
#pragma once

#include "api/context.h"
#include "app/config.h"

namespace cc::app {

inline api::KeyWorkLimits limits_of(const Config::KeyWork& work) {
  return {static_cast<std::size_t>(work.max_items), std::chrono::seconds(work.timeout_seconds)};
}

inline void set_key_work(api::ApiOptions& options, const Config& config) {
  options.keymanager_enabled = config.key_manager_api.enabled;
  options.keymanager = limits_of(config.key_manager_api.work);
  options.generate = limits_of(config.chamber.generate_work);
  options.import = limits_of(config.chamber.import_work);
  options.lifecycle = limits_of(config.chamber.lifecycle_work);
}

}  // namespace cc::app
