// What the endpoints need, built and owned by the composition root (app/). Everything referred to outlives the routers.
#pragma once

#include <functional>
#include <string>

#include "access/policies.h"
#include "base/clock.h"
#include "base/result.h"
#include "ethereum/network.h"
#include "keys/key_ring.h"
#include "seal/chamber.h"
#include "signing/pipeline.h"

namespace cc::keys {
class KeyService;
}
namespace cc::metrics {
class Metrics;
}

namespace cc::api {

class CeremonyQueue;

struct ApiOptions {
  bool allow_plaintext_ceremonies = false;  // server.allow_plaintext_ceremonies
  bool generate_enabled = true;             // chamber.keys.generate.enabled
  bool import_enabled = true;               // chamber.keys.import.enabled
  bool lifecycle_enabled = true;            // chamber.keys.lifecycle.enabled
};

// Thread rule: handlers run on I/O threads, so nothing here may block; what blocks goes to `ceremonies`.
struct Context {
  seal::Chamber& chamber;
  keys::KeyService& keys;
  keys::KeyRing& ring;
  signing::Pipeline& pipeline;
  const access::Policies& policies;
  const ethereum::Network& network;
  metrics::Metrics& metrics;
  CeremonyQueue& ceremonies;
  // Why keys of any source may not sign, apart from the chamber (slashing_store_mismatch, a replica that lost touch, …);
  // nothing when all is well. Read on every health check; must not block.
  std::function<Result<void>()> stores_ready;
  ApiOptions options;
};

}  // namespace cc::api
