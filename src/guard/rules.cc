#include "guard/rules.h"

#include <algorithm>
#include <limits>

namespace cc::guard {
namespace {

// Stores hold signed 64-bit numbers; nothing real is beyond them.
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::string number(std::uint64_t value) { return std::to_string(value); }

Verdict refuse(ErrorKind kind, std::string message) { return Error{kind, std::move(message)}; }

template <class Unit>
void raise(std::optional<Unit>& mark, Unit value) {
  mark = mark ? std::max(*mark, value) : value;
}

// The network guard: the first guarded message decides, unless it was configured. Duties without a record never decide.
Result<Verdict> check_network(SlashingTransaction& tx, const Check& check) {
  if (!check.genesis_validators_root) {
    return Verdict();
  }
  CC_ASSIGN(const auto known, tx.genesis_validators_root());
  if (known && *known != *check.genesis_validators_root) {
    return refuse(ErrorKind::network_mismatch, "the message is for the chain with genesis validators root " +
                                                   to_0x(*check.genesis_validators_root) + ", this signer serves " +
                                                   to_0x(*known));
  }
  if (!known && !std::holds_alternative<std::monostate>(check.duty)) {
    CC_TRY(tx.set_genesis_validators_root(*check.genesis_validators_root));
  }
  return Verdict();
}

// Keeps the messages readable and the database honest: an identical entry stands once.
template <class Entries>
bool same_root(const Entries& entries, const Root& root) {
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.signing_root == root; });
}

// The minimal strategy's marks: the floor, or the highest that was ever recorded. A store that ran under the complete
// strategy before is thus read correctly.
Result<Watermarks> high_marks(SlashingTransaction& tx, const ValidatorRow& row) {
  CC_ASSIGN(Watermarks marks, tx.highest(row.id));
  if (row.low.block_slot) {
    raise(marks.block_slot, *row.low.block_slot);
  }
  if (row.low.source_epoch) {
    raise(marks.source_epoch, *row.low.source_epoch);
  }
  if (row.low.target_epoch) {
    raise(marks.target_epoch, *row.low.target_epoch);
  }
  return marks;
}

Verdict block_above(const Watermarks& marks, Slot slot) {
  if (marks.block_slot && slot <= *marks.block_slot) {
    return refuse(ErrorKind::slashable, "block slot " + number(slot.value) + " is not above the watermark " +
                                            number(marks.block_slot->value));
  }
  return {};
}

Result<Verdict> block_complete(SlashingTransaction& tx, const ValidatorRow& row, Slot slot, const Root& root,
                               bool& repeated) {
  CC_ASSIGN(const auto there, tx.blocks_at(row.id, slot));
  if (there.size() == 1 && same_root(there, root)) {
    repeated = true;
    return Verdict();
  }
  if (!there.empty()) {
    return refuse(ErrorKind::slashable, "another block was already signed at slot " + number(slot.value));
  }
  return block_above(row.low, slot);
}

Verdict attestation_above(const Watermarks& marks, const AttestationCheck& vote) {
  if (marks.source_epoch && vote.source < *marks.source_epoch) {
    return refuse(ErrorKind::slashable, "source epoch " + number(vote.source.value) + " is below the watermark " +
                                            number(marks.source_epoch->value));
  }
  if (marks.target_epoch && vote.target <= *marks.target_epoch) {
    return refuse(ErrorKind::slashable, "target epoch " + number(vote.target.value) + " is not above the watermark " +
                                            number(marks.target_epoch->value));
  }
  return {};
}

std::string vote_text(const SignedAttestation& vote) {
  return number(vote.source.value) + "→" + number(vote.target.value);
}

Result<Verdict> attestation_complete(SlashingTransaction& tx, const ValidatorRow& row, const AttestationCheck& vote,
                                     const Root& root, bool& repeated) {
  CC_ASSIGN(const auto there, tx.attestations_at(row.id, vote.target));
  if (there.size() == 1 && same_root(there, root)) {
    repeated = true;
    return Verdict();
  }
  if (!there.empty()) {
    return refuse(ErrorKind::slashable, "double vote: another attestation with target epoch " +
                                            number(vote.target.value) + " was already signed");
  }
  CC_ASSIGN(const auto outer, tx.surrounding(row.id, vote.source, vote.target));
  if (outer) {
    return refuse(ErrorKind::slashable, "the vote is surrounded by the signed vote " + vote_text(*outer));
  }
  CC_ASSIGN(const auto inner, tx.surrounded(row.id, vote.source, vote.target));
  if (inner) {
    return refuse(ErrorKind::slashable, "the vote surrounds the signed vote " + vote_text(*inner));
  }
  return attestation_above(row.low, vote);
}

Result<Verdict> judge_block(SlashingTransaction& tx, const Policy& policy, const ValidatorRow& row, Slot slot,
                            const Root& root, bool& repeated) {
  if (policy.strategy == Strategy::complete) {
    return block_complete(tx, row, slot, root, repeated);
  }
  CC_ASSIGN(const Watermarks marks, high_marks(tx, row));
  return block_above(marks, slot);
}

Result<Verdict> judge_attestation(SlashingTransaction& tx, const Policy& policy, const ValidatorRow& row,
                                  const AttestationCheck& vote, const Root& root, bool& repeated) {
  if (policy.strategy == Strategy::complete) {
    return attestation_complete(tx, row, vote, root, repeated);
  }
  CC_ASSIGN(const Watermarks marks, high_marks(tx, row));
  return attestation_above(marks, vote);
}

Result<Verdict> check_block(SlashingTransaction& tx, const Policy& policy, ValidatorRow row, Slot slot,
                            const Root& root) {
  if (slot.value > kLargest) {
    return refuse(ErrorKind::malformed_request, "slot " + number(slot.value) + " is beyond any real slot");
  }
  bool repeated = false;
  CC_ASSIGN(Verdict verdict, judge_block(tx, policy, row, slot, root, repeated));
  if (verdict || repeated) {
    return verdict;
  }
  CC_TRY(tx.add_block(row.id, {slot, root}));
  if (!row.low.block_slot || !row.history_known) {
    // What lies before the first signature is unknown: nothing below it is ever signed.
    row.low.block_slot = row.low.block_slot.value_or(slot);
    row.history_known = true;
    CC_TRY(tx.update_validator(row));
  }
  return verdict;
}

Result<Verdict> check_attestation(SlashingTransaction& tx, const Policy& policy, ValidatorRow row,
                                  const AttestationCheck& vote, const Root& root) {
  if (vote.source > vote.target) {
    return refuse(ErrorKind::slashable,
                  "source epoch " + number(vote.source.value) + " is after target epoch " + number(vote.target.value));
  }
  if (vote.target.value > kLargest) {
    return refuse(ErrorKind::malformed_request,
                  "target epoch " + number(vote.target.value) + " is beyond any real epoch");
  }
  bool repeated = false;
  CC_ASSIGN(Verdict verdict, judge_attestation(tx, policy, row, vote, root, repeated));
  if (verdict || repeated) {
    return verdict;
  }
  CC_TRY(tx.add_attestation(row.id, {vote.source, vote.target, root}));
  if (!row.low.target_epoch || !row.history_known) {
    row.low.source_epoch = row.low.source_epoch.value_or(vote.source);
    row.low.target_epoch = row.low.target_epoch.value_or(vote.target);
    row.history_known = true;
    CC_TRY(tx.update_validator(row));
  }
  return verdict;
}

}  // namespace

Result<Watermarks> SlashingTransaction::highest(std::int64_t validator) {
  Watermarks out;
  CC_ASSIGN(const auto blocks, all_blocks(validator));
  for (const SignedBlock& block : blocks) {
    raise(out.block_slot, block.slot);
  }
  CC_ASSIGN(const auto votes, all_attestations(validator));
  for (const SignedAttestation& vote : votes) {
    raise(out.source_epoch, vote.source);
    raise(out.target_epoch, vote.target);
  }
  return out;
}

Result<Verdict> check_and_record(SlashingTransaction& tx, const Policy& policy, const Check& check) {
  const bool recorded = !std::holds_alternative<std::monostate>(check.duty);
  CC_ASSIGN(const auto found, tx.validator(check.key, false));
  if (found && found->permit == Permit::retired) {
    return refuse(
        ErrorKind::key_retired,
        "the key was deactivated or deleted here; activate or import it again if it is no longer used elsewhere");
  }
  if (recorded && policy.require_history && !(found && found->history_known)) {
    return refuse(ErrorKind::no_history,
                  "no slashing history is known for this validator: import it first (slashing import)");
  }
  CC_ASSIGN(Verdict foreign, check_network(tx, check));
  if (foreign || !recorded) {
    return foreign;
  }
  ValidatorRow row;
  if (found) {
    row = *found;
  } else {
    CC_ASSIGN(const auto made, tx.validator(check.key, true));
    row = made.value_or(ValidatorRow{});
  }
  if (const auto* block = std::get_if<BlockCheck>(&check.duty)) {
    return check_block(tx, policy, row, block->slot, check.signing_root);
  }
  return check_attestation(tx, policy, row, std::get<AttestationCheck>(check.duty), check.signing_root);
}

Result<void> permit(SlashingTransaction& tx, const BlsPublicKey& key, bool fresh) {
  CC_ASSIGN(auto row, tx.validator(key, true));
  row->permit = Permit::permitted;
  row->generation += 1;
  row->history_known = row->history_known || fresh;
  return tx.update_validator(*row);
}

Result<void> withdraw(SlashingTransaction& tx, const BlsPublicKey& key) {
  CC_ASSIGN(auto row, tx.validator(key, true));
  row->permit = Permit::retired;
  row->generation += 1;
  return tx.update_validator(*row);
}

Result<void> raise_watermarks(SlashingTransaction& tx, const BlsPublicKey& key, const Watermarks& floor) {
  CC_ASSIGN(auto row, tx.validator(key, true));
  if (floor.block_slot) {
    raise(row->low.block_slot, *floor.block_slot);
  }
  if (floor.source_epoch) {
    raise(row->low.source_epoch, *floor.source_epoch);
  }
  if (floor.target_epoch) {
    raise(row->low.target_epoch, *floor.target_epoch);
  }
  row->history_known = true;
  return tx.update_validator(*row);
}

Result<void> set_network(SlashingTransaction& tx, const Root& genesis_validators_root) {
  CC_ASSIGN(const auto known, tx.genesis_validators_root());
  if (known && *known != genesis_validators_root) {
    return fail(ErrorKind::network_mismatch, "the slashing store serves the chain with genesis validators root " +
                                                 to_0x(*known) + ", not " + to_0x(genesis_validators_root));
  }
  return known ? Result<void>() : tx.set_genesis_validators_root(genesis_validators_root);
}

}  // namespace cc::guard
