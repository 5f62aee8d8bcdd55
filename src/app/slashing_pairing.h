// Opens the slashing store and holds it against what the signer state remembers of it (guard/pairing.h): the first
// set-up makes and flushes it before the state names it; missing, empty, foreign or older means that nothing is signed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/slashing_backend.h"
#include "guard/pairing.h"
#include "guard/rules.h"
#include "seal/ports.h"

namespace cc::app {

struct SlashingOpening {
  guard::Pairing pairing = guard::Pairing::missing;
  // The store found; null when there is none. Usable for signing only when `pairing` says so.
  std::unique_ptr<guard::SlashingStore> store;
  std::optional<guard::StoreIdentity> identity;  // of the store found
  std::optional<guard::Checkpoint> remembered;   // what the state remembers of its store
};

// What the signer state remembers of the slashing store. Thread-safe as the state store is; one writer at a time.
class CheckpointWriter {
 public:
  CheckpointWriter(seal::StateStore& state, guard::SlashingStore& slashing) : state_(state), slashing_(slashing) {}
  // Writes when the store moved on since the last time. Of signers that share the state, the highest checkpoint of one
  // store stays; an adopted store may lower it. Errors: those of the stores.
  Result<void> write(bool may_lower = false);

 private:
  seal::StateStore& state_;
  guard::SlashingStore& slashing_;
  std::optional<guard::Checkpoint> written_;
};

// anti_slashing.strategy.
inline guard::Strategy strategy_of(const Config& config) {
  return config.anti_slashing.strategy == "minimal" ? guard::Strategy::minimal : guard::Strategy::complete;
}

// Looks only; makes no store (an empty file gets an identity of its own, and counts as foreign). `traces`: a seal
// record or sealed keys exist. Errors: store_locked, store_unavailable.
Result<SlashingOpening> find_slashing_store(seal::StateStore& state, const SlashingBackend& backend, bool traces);
// Looks, and finishes a first set-up. For a store that may be used, counts the opening and remembers it.
Result<SlashingOpening> open_slashing_store(seal::StateStore& state, const SlashingBackend& backend, bool traces);

}  // namespace cc::app
