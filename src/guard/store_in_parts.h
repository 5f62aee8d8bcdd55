// A slashing store that cannot keep a large batch in one transaction: it keeps or loses validators apart from each
// other.
//
// A caller that knows this (signing/pipeline) releases what was kept, and refuses only what was not; all other callers
// see an error as soon as anything was lost. Implemented beside guard::SlashingStore.
#pragma once

#include <map>
#include <span>

#include "guard/slashing_store.h"

namespace cc::guard {

class StoreInParts {
 public:
  virtual ~StoreInParts() = default;
  // As SlashingStore::transact_ahead, but for what went wrong while it was written: `lost` names those validators of
  // which nothing may be released, each with its error (store_unavailable, store_in_doubt). `work` runs once.
  virtual Result<void> transact_in_parts(std::span<const LookAhead> ahead, const SlashingStore::Work& work,
                                         std::map<BlsPublicKey, Error>& lost) = 0;
};

}  // namespace cc::guard
