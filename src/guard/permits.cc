// What is set from outside the sign path: permits, the network, watermarks.
#include "guard/rules.h"

namespace cc::guard {
namespace {

// The validator's row, made when it is missing.
Result<ValidatorRow> row_of(SlashingTransaction& tx, const BlsPublicKey& key) {
  CC_ASSIGN(const std::optional<ValidatorRow> row, tx.validator(key, true));
  if (!row) {
    return fail(ErrorKind::internal, "the slashing store made no row for a validator");
  }
  return *row;
}

}  // namespace

Result<void> permit(SlashingTransaction& tx, const BlsPublicKey& key, bool fresh) {
  CC_ASSIGN(ValidatorRow row, row_of(tx, key));
  row.permit = Permit::permitted;
  row.generation += 1;
  row.history_known = row.history_known || fresh;
  return tx.update_validator(row);
}

Result<void> withdraw(SlashingTransaction& tx, const BlsPublicKey& key) {
  CC_ASSIGN(ValidatorRow row, row_of(tx, key));
  row.permit = Permit::retired;
  row.generation += 1;
  return tx.update_validator(row);
}

Result<void> set_network(SlashingTransaction& tx, const Root& genesis_validators_root) {
  CC_ASSIGN(const std::optional<Root> known, tx.genesis_validators_root());
  if (!known) {
    return tx.set_genesis_validators_root(genesis_validators_root);
  }
  if (*known != genesis_validators_root) {
    return fail(ErrorKind::network_mismatch, "the slashing store serves the network with genesis validators root " +
                                                 to_0x(*known) + ", not " + to_0x(genesis_validators_root) +
                                                 ": each network needs a store of its own");
  }
  return {};
}

Result<void> raise_row(SlashingTransaction& tx, ValidatorRow& row, const Watermarks& marks) {
  row.low = higher(row.low, marks);
  if (marks.block_slot && marks.block_slot == row.low.block_slot) {
    CC_ASSIGN(const auto there, tx.blocks_at(row.id, *marks.block_slot));
    if (!there.empty()) {
      CC_TRY(tx.add_block(row.id, {*marks.block_slot, std::nullopt}));
    }
  }
  if (marks.target_epoch && marks.target_epoch == row.low.target_epoch) {
    CC_ASSIGN(const auto there, tx.attestations_at(row.id, *marks.target_epoch));
    if (!there.empty()) {
      CC_TRY(tx.add_attestation(row.id, {there.front().source, *marks.target_epoch, std::nullopt}));
    }
  }
  return tx.update_validator(row);
}

Result<void> raise_watermarks(SlashingTransaction& tx, const BlsPublicKey& key, const Watermarks& floor) {
  CC_ASSIGN(ValidatorRow row, row_of(tx, key));
  return raise_row(tx, row, floor);
}

}  // namespace cc::guard
