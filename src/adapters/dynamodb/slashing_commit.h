// Turns what one slashing transaction wants written into transactions of DynamoDB, each with at most 100 items.
//
// A validator's row and records go together, on the condition that the row is still the one that was read; a message is
// released only after the transaction with its record was answered. Validators of different transactions of DynamoDB
// are kept or lost apart from each other: whoever asks learns which.
//
// Order, where all cannot go into one: network and floor first, notes on origins last; of a validator with too much for
// one, first high marks and records, then its row, then what is forgotten. A crash in between leaves more refused than
// before, never less.
//
// Threads: one call at a time per transaction; requests run side by side. No secret passes.
#pragma once

#include <map>

#include "adapters/dynamodb/slashing_transaction.h"

namespace cc::dynamodb {

// What was not kept, and why: store_unavailable (another signer was faster, or no capacity) or store_in_doubt.
struct CommitOutcome {
  std::map<BlsPublicKey, Error> lost;
  bool kept_any = false;  // some transaction was carried out
  bool conflict = false;  // only other signers got in the way
};

// Errors: those of what all validators share: of network and floor, before anything of a validator was written; of the
// notes on origins, after it.
Result<CommitOutcome> commit(Table& table, const DynamoSlashingTransaction& tx, std::size_t parallel);

// One more in the count of commits, beside the transaction that counts.
Write count_commit(Random& random);

}  // namespace cc::dynamodb
