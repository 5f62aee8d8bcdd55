#include <algorithm>
#include <map>

#include "guard/interchange.h"

namespace cc::guard {
namespace {

// All records of one validator, whatever number of entries they came in.
using Merged = std::map<BlsPublicKey, std::vector<const InterchangeEntry*>>;

template <class Number>
void include(std::optional<Number>& lowest, std::optional<Number>& highest, Number value) {
  lowest = lowest ? std::min(*lowest, value) : value;
  highest = highest ? std::max(*highest, value) : value;
}

struct Range {
  Watermarks lowest;
  Watermarks highest;
};

Range range_of(const std::vector<const InterchangeEntry*>& entries) {
  Range range;
  for (const InterchangeEntry* entry : entries) {
    for (const SignedBlock& block : entry->blocks) {
      include(range.lowest.block_slot, range.highest.block_slot, block.slot);
    }
    for (const SignedAttestation& vote : entry->attestations) {
      include(range.lowest.source_epoch, range.highest.source_epoch, vote.source);
      include(range.lowest.target_epoch, range.highest.target_epoch, vote.target);
    }
  }
  return range;
}

Result<void> add_records(SlashingTransaction& tx, std::int64_t validator, const InterchangeEntry& entry) {
  for (const SignedBlock& block : entry.blocks) {
    CC_TRY(tx.add_block(validator, block));
  }
  for (const SignedAttestation& vote : entry.attestations) {
    CC_TRY(tx.add_attestation(validator, vote));
  }
  return {};
}

Result<void> import_validator(SlashingTransaction& tx, const BlsPublicKey& key,
                              const std::vector<const InterchangeEntry*>& entries, Strategy strategy, Gap gap) {
  CC_ASSIGN(std::optional<ValidatorRow> row, tx.validator(key, true));
  if (!row) {
    return fail(ErrorKind::internal, "the slashing store made no row for a validator");
  }
  const Range range = range_of(entries);
  row->history_known = true;
  if (strategy == Strategy::minimal) {
    return raise_row(tx, *row, range.highest);
  }
  for (const InterchangeEntry* entry : entries) {
    CC_TRY(add_records(tx, row->id, *entry));
  }
  const Watermarks known = row->low;
  row->low = higher(known, range.lowest);
  if (gap == Gap::open) {
    row->low.block_slot = known.block_slot ? known.block_slot : row->low.block_slot;
    row->low.source_epoch = known.source_epoch ? known.source_epoch : row->low.source_epoch;
    row->low.target_epoch = known.target_epoch ? known.target_epoch : row->low.target_epoch;
  }
  return tx.update_validator(*row);
}

}  // namespace

Result<ImportCounts> import_interchange(SlashingTransaction& tx, const Interchange& interchange, Strategy strategy,
                                        Gap gap) {
  CC_TRY(set_network(tx, interchange.genesis_validators_root));
  ImportCounts counts;
  Merged merged;
  for (const InterchangeEntry& entry : interchange.data) {
    merged[entry.key].push_back(&entry);
    counts.blocks += entry.blocks.size();
    counts.attestations += entry.attestations.size();
  }
  for (const auto& [key, entries] : merged) {
    CC_TRY(import_validator(tx, key, entries, strategy, gap));
  }
  counts.validators = merged.size();
  return counts;
}

}  // namespace cc::guard
