// What the endpoints need, built and owned by the composition root (app/). Everything referred to outlives the routers,
// and the queues die first, so that no work outlives what it uses.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "access/policies.h"
#include "api/ceremony_queue.h"
#include "api/key_reload.h"
#include "base/clock.h"
#include "base/result.h"
#include "ethereum/network.h"
#include "guard/rules.h"
#include "http/server.h"
#include "keys/key_ring.h"
#include "keys/key_service.h"
#include "metrics/metrics.h"
#include "seal/chamber.h"
#include "signing/pipeline.h"

namespace cc::audit {
struct Draft;
class Journal;
}  // namespace cc::audit

namespace cc::api {

// What one kind of change to the keys may cost.
struct KeyWorkLimits {
  std::size_t max_items = 100;                       // per request; more is 400
  Milliseconds timeout = std::chrono::seconds(600);  // an answer by then, else 503; the work goes on
};

struct ApiOptions {
  bool allow_plaintext_ceremonies = false;  // server.allow_plaintext_ceremonies
  bool generate_enabled = true;             // chamber.keys.generate.enabled
  bool import_enabled = true;               // chamber.keys.import.enabled
  bool lifecycle_enabled = true;            // chamber.keys.lifecycle.enabled
  bool keymanager_enabled = false;          // http.key_manager_api.enabled
  // More records than this in the answer to a delete: the minimal form (highest marks) takes the complete one's place.
  std::size_t most_records_in_answer = 200'000;
  KeyWorkLimits generate{}, import{}, lifecycle{.max_items = 500}, keymanager{};
  // signing.canary_keys; the braces keep designated initialisers free of warnings
  std::set<BlsPublicKey> canary_keys{};  // NOLINT(readability-redundant-member-init)
};

// Thread rule: handlers run on I/O threads, so nothing there may block; what blocks goes to one of the three queues.
struct Context {
  seal::Chamber& chamber;
  keys::KeyService& keys;
  keys::KeyRing& ring;
  signing::Pipeline& pipeline;
  const access::Policies& policies;
  const ethereum::Network& network;
  metrics::Registry& metrics;
  CeremonyQueue& ceremonies;  // Argon2id, KEKs, short reads of a store; open to callers without a token
  CeremonyQueue& key_work;    // changes of keys: minutes for thousands of keystores
  CeremonyQueue& sealing;     // nothing but sealing, so that it never waits
  // Why no key may sign, the chamber apart (slashing_store_mismatch, store_unavailable); nothing when all is well. Read
  // on every health check; must not block.
  std::function<Result<void>()> stores_ready;
  // Told on a queue's thread after init, init-reset, the last registration and resume: a new setup token may have to be
  // logged, and the KMS step may have something to do.
  std::function<void()> chamber_changed;
  ApiOptions options;
  // Of the API's server, for a scrape; may be empty.
  std::function<http::ServerCounters()> server_counters = nullptr;
  KeyReload* key_files = nullptr;  // keys from files; null where there are none
  // For history that comes with keys and goes with them, and how it is kept.
  guard::SlashingStore* slashing = nullptr;
  guard::Strategy strategy = guard::Strategy::complete;
  const Clock* clock = nullptr;  // for notes of origin
  // Reads large bodies of many sign requests; null: they are read on the I/O thread.
  CeremonyQueue* many_keys = nullptr;
  // The audit log, and what says in an entry where chamber and seal record stand; may be null (api/witness.h).
  audit::Journal* journal = nullptr;
  std::function<void(audit::Draft&)> describe = nullptr;

  // Whether keys have to wait for a chamber: there is one, or a seal is in force before the first.
  bool chamber_exists() const {
    const seal::Status status = chamber.status();
    return status.state != seal::VisibleState::uninitialized || status.sealed_by_command;
  }
};

}  // namespace cc::api
