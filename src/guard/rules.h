// The EIP-3076 rules and the network guard, as pure code over a transaction (docs/spec/slashing-store.md).
//
// Invariant: whatever was allowed and committed, and whatever was imported, no later message that is slashable with it
// is allowed, under either strategy and after a change between them. Thread rule: that of the transaction. No secret
// passes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "guard/slashing_store.h"

namespace cc::guard {

enum class Strategy {
  complete,  // history with roots plus low watermarks: the identical root again is allowed
  minimal,   // EIP-3076's minimal database: watermarks only
};

struct Policy {
  Strategy strategy = Strategy::complete;
  bool require_history = false;
};

struct BlockCheck {
  Slot slot;
};
struct AttestationCheck {
  Epoch source;
  Epoch target;
};

// One thing about to be signed.
struct Check {
  BlsPublicKey key{};
  std::variant<std::monostate, BlockCheck, AttestationCheck>
      duty;  // monostate: permit and network are checked, nothing recorded
  Root signing_root{};
  std::optional<Root> genesis_validators_root;
};

// What was decided: nothing (allowed and recorded), or why not (slashable, no_history, key_retired, network_mismatch).
using Verdict = std::optional<Error>;

// What is worth a metric or a warning beside the verdict.
struct Notes {
  bool without_history = false;  // allowed and recorded although nothing was known of this validator
  bool repeated = false;         // the identical message again: allowed, nothing written
};

// Checks and records one. The outer Result fails only for the store. On a refusal nothing is written for this check.
// Order: network, permit, history, watermarks, double vote, surround votes.
Result<Verdict> check_and_record(SlashingTransaction& tx, const Policy& policy, const Check& check,
                                 Notes* notes = nullptr);

// What the store will be asked for by this check.
LookAhead look_ahead(const Check& check);

// Gives or withdraws a key's permit; raises the generation. `fresh`: the key was generated here, its history is known
// and empty.
Result<void> permit(SlashingTransaction& tx, const BlsPublicKey& key, bool fresh);
Result<void> withdraw(SlashingTransaction& tx, const BlsPublicKey& key);
// Fixes the chain this store serves. Errors: network_mismatch when it already serves another.
Result<void> set_network(SlashingTransaction& tx, const Root& genesis_validators_root);
// Raises one validator's watermarks (never lowers them). Whoever raises them knows of messages that this store may not:
// a record that stands at the new mark is no longer allowed again. History that was unknown stays unknown.
Result<void> raise_watermarks(SlashingTransaction& tx, const BlsPublicKey& key, const Watermarks& floor);
// The same over a row at hand, which is stored.
Result<void> raise_row(SlashingTransaction& tx, ValidatorRow& row, const Watermarks& marks);

// What holds for a validator: the higher of its own watermarks and the store's floor.
Watermarks higher(const Watermarks& a, const Watermarks& b);

}  // namespace cc::guard
