// What is done to whole histories: pruning what can no longer decide anything, and declaring that there is none.
//
// Pruning is by epochs, never by time, and changes no verdict but one: a message at a forgotten slot or target is
// refused even when it is the identical one again. In the transaction that forgets records, the validator's watermarks
// rise above all of them first. Pure code; thread rule: that of the transaction. No secret passes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guard/slashing_store.h"

namespace cc::guard {

inline constexpr std::uint64_t kKeepEpochs = 250;

// What stays of each validator: everything in its newest `epochs` epochs, and never fewer than its newest `epochs`
// blocks and votes, so that one record far in the future cannot push out the rest.
struct Keep {
  std::uint64_t epochs = kKeepEpochs;  // at least 1
  std::uint64_t slots_per_epoch = 32;
};
struct Pruned {
  std::uint64_t validators = 0, records = 0;  // those that lost something, and how much
};
// Errors: those of the store.
Result<Pruned> prune_validator(SlashingTransaction& tx, const BlsPublicKey& key, const Keep& keep);

// Somebody declares that these validators never signed before, so that `require_history` lets them sign. Watermarks
// and records stay as they are; nothing that was refused as slashable becomes allowed. Leaves a note of origin.
Result<void> allow_empty_history(SlashingTransaction& tx, const std::vector<BlsPublicKey>& keys,
                                 const std::string& source, std::uint64_t now);

// The word of a kind, as it is stored and shown, and the kind of a word (import when it is none of ours).
std::string_view name(OriginKind kind);
OriginKind origin_kind(std::string_view word);

}  // namespace cc::guard
