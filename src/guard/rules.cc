#include "guard/rules.h"

#include <algorithm>

namespace cc::guard {
namespace {

Verdict slashable(std::string message) { return Error{ErrorKind::slashable, std::move(message)}; }

std::string text(Slot slot) { return std::to_string(slot.value); }
std::string text(Epoch epoch) { return std::to_string(epoch.value); }
std::string text(const SignedAttestation& vote) {
  return "the signed vote with source " + text(vote.source) + " and target " + text(vote.target);
}

// The root of a recorded message, for the operator: an imported one may have none.
std::string root_text(const std::optional<Root>& root) {
  return root ? "with signing root " + to_0x(*root) : "of unknown signing root (imported)";
}

// One validator as the rules see it: its row if there is one, and the watermarks that hold for it.
struct Subject {
  std::optional<ValidatorRow> row;
  Watermarks floor;  // of the whole store
  Watermarks low;    // the higher of the floor and the validator's own
};

Result<Verdict> judge_network(SlashingTransaction& tx, const Check& check) {
  if (!check.genesis_validators_root) {
    return Verdict();
  }
  CC_ASSIGN(const std::optional<Root> known, tx.genesis_validators_root());
  if (known && *known != *check.genesis_validators_root) {
    return Verdict(Error{ErrorKind::network_mismatch, "the message is for the network with genesis validators root " +
                                                          to_0x(*check.genesis_validators_root) +
                                                          ", and this signer serves the one with " + to_0x(*known)});
  }
  return Verdict();
}

Verdict judge_key(const Policy& policy, const Check& check, const std::optional<ValidatorRow>& row) {
  if (row && row->permit == Permit::retired) {
    return Error{ErrorKind::key_retired, "the key " + to_0x(check.key) +
                                             " was deactivated or deleted here: activate or import it again, once it "
                                             "is certain that no other signer uses it"};
  }
  const bool guarded = !std::holds_alternative<std::monostate>(check.duty);
  if (guarded && policy.require_history && !(row && row->history_known)) {
    return Error{ErrorKind::no_history, "no slashing history is known for the key " + to_0x(check.key) +
                                            ": import its interchange file, or allow an empty history"};
  }
  return {};
}

// At the mark itself the minimal strategy has no roots to compare, and a floor speaks of messages nobody recorded here.
template <class Number>
Verdict judge_mark(const Policy& policy, const char* what, Number value, const std::optional<Number>& low,
                   const std::optional<Number>& floor) {
  if (low && value < *low) {
    return slashable(std::string(what) + " " + text(value) + " is below the low watermark " + text(*low));
  }
  if (low == value && policy.strategy == Strategy::minimal) {
    return slashable(std::string(what) + " " + text(value) + " is not above the watermark of the minimal strategy");
  }
  if (floor == value) {
    return slashable(std::string(what) + " " + text(value) + " is not above the floor of the store");
  }
  return {};
}

Verdict judge_marks(const Policy& policy, const Subject& subject, const AttestationCheck& vote) {
  if (vote.source > vote.target) {
    return slashable("source epoch " + text(vote.source) + " is after target epoch " + text(vote.target));
  }
  if (subject.low.source_epoch && vote.source < *subject.low.source_epoch) {
    return slashable("source epoch " + text(vote.source) + " is below the low watermark " +
                     text(*subject.low.source_epoch));
  }
  return judge_mark(policy, "target epoch", vote.target, subject.low.target_epoch, subject.floor.target_epoch);
}

Result<Verdict> judge_block(SlashingTransaction& tx, const Policy& policy, const Subject& subject, Slot slot,
                            const Root& root, bool& repeated) {
  if (Verdict refused = judge_mark(policy, "block slot", slot, subject.low.block_slot, subject.floor.block_slot)) {
    return refused;
  }
  std::vector<SignedBlock> there;
  if (subject.row) {
    CC_ASSIGN(there, tx.blocks_at(subject.row->id, slot));
  }
  for (const SignedBlock& block : there) {
    if (block.signing_root != root) {
      return slashable("double proposal: a block " + root_text(block.signing_root) + " was already signed at slot " +
                       text(slot));
    }
  }
  repeated = !there.empty();
  if (!repeated && subject.low.block_slot == slot) {
    return slashable("block slot " + text(slot) + " is at the low watermark, and what was signed there is not known");
  }
  return Verdict();
}

Verdict judge_votes(const VotesNear& near, const AttestationCheck& vote, const Root& root) {
  for (const SignedAttestation& other : near.at_target) {
    if (other.signing_root != root || other.source != vote.source) {
      return slashable("double vote: an attestation " + root_text(other.signing_root) + " with source " +
                       text(other.source) + " was already signed for target " + text(vote.target));
    }
  }
  if (near.surrounding) {
    return slashable("surround vote: source " + text(vote.source) + " and target " + text(vote.target) +
                     " lie inside " + text(*near.surrounding));
  }
  if (near.surrounded) {
    return slashable("surround vote: source " + text(vote.source) + " and target " + text(vote.target) +
                     " lie around " + text(*near.surrounded));
  }
  return {};
}

Result<Verdict> judge_attestation(SlashingTransaction& tx, const Policy& policy, const Subject& subject,
                                  const AttestationCheck& vote, const Root& root, bool& repeated) {
  if (Verdict refused = judge_marks(policy, subject, vote)) {
    return refused;
  }
  VotesNear near;
  if (subject.row) {
    CC_ASSIGN(near, tx.votes_near(subject.row->id, vote.source, vote.target));
  }
  if (Verdict refused = judge_votes(near, vote, root)) {
    return refused;
  }
  repeated = !near.at_target.empty();
  if (!repeated && subject.low.target_epoch == vote.target) {
    return slashable("target epoch " + text(vote.target) +
                     " is at the low watermark, and what was signed there is not known");
  }
  return Verdict();
}

// Complete: the message joins the history, and the first one of its kind becomes the low watermark, since what lies
// before it is unknown. Minimal: the message is the watermark.
void mark(const Policy& policy, Watermarks& low, Slot slot) {
  if (!low.block_slot || policy.strategy == Strategy::minimal) {
    low.block_slot = slot;
  }
}
void mark(const Policy& policy, Watermarks& low, const AttestationCheck& vote) {
  if (!low.source_epoch || policy.strategy == Strategy::minimal) {
    low.source_epoch = std::max(low.source_epoch, std::optional<Epoch>(vote.source));
  }
  if (!low.target_epoch || policy.strategy == Strategy::minimal) {
    low.target_epoch = vote.target;
  }
}

Result<void> remember(SlashingTransaction& tx, std::int64_t validator, Slot slot, const Root& root) {
  return tx.add_block(validator, {slot, root});
}
Result<void> remember(SlashingTransaction& tx, std::int64_t validator, const AttestationCheck& vote, const Root& root) {
  return tx.add_attestation(validator, {vote.source, vote.target, root});
}

template <class Duty>
Result<void> record(SlashingTransaction& tx, const Policy& policy, const Check& check, const Duty& duty,
                    std::optional<ValidatorRow> row) {
  if (check.genesis_validators_root) {
    CC_TRY(set_network(tx, *check.genesis_validators_root));
  }
  if (!row) {
    CC_ASSIGN(row, tx.validator(check.key, true));
  }
  if (!row) {
    return fail(ErrorKind::internal, "the slashing store made no row for a validator");
  }
  if (policy.strategy == Strategy::complete) {
    CC_TRY(remember(tx, row->id, duty, check.signing_root));
  }
  const Watermarks before = row->low;
  mark(policy, row->low, duty);
  if (row->history_known && row->low == before) {
    return {};
  }
  row->history_known = true;
  return tx.update_validator(*row);
}

}  // namespace

Watermarks higher(const Watermarks& a, const Watermarks& b) {
  return {std::max(a.block_slot, b.block_slot), std::max(a.source_epoch, b.source_epoch),
          std::max(a.target_epoch, b.target_epoch)};
}

LookAhead look_ahead(const Check& check) {
  LookAhead out;
  out.key = check.key;
  if (const auto* block = std::get_if<BlockCheck>(&check.duty)) {
    out.slot = block->slot;
  } else if (const auto* vote = std::get_if<AttestationCheck>(&check.duty)) {
    out.source = vote->source;
    out.target = vote->target;
  }
  return out;
}

Result<Verdict> check_and_record(SlashingTransaction& tx, const Policy& policy, const Check& check, Notes* notes) {
  CC_ASSIGN(Verdict network, judge_network(tx, check));
  if (network) {
    return network;
  }
  Subject subject;
  CC_ASSIGN(subject.row, tx.validator(check.key, false));
  if (Verdict refused = judge_key(policy, check, subject.row)) {
    return refused;
  }
  const auto* block = std::get_if<BlockCheck>(&check.duty);
  const auto* vote = std::get_if<AttestationCheck>(&check.duty);
  if (block == nullptr && vote == nullptr) {
    return Verdict();
  }
  CC_ASSIGN(subject.floor, tx.floor());
  subject.low = subject.row ? higher(subject.row->low, subject.floor) : subject.floor;
  bool repeated = false;
  CC_ASSIGN(Verdict verdict, block != nullptr
                                 ? judge_block(tx, policy, subject, block->slot, check.signing_root, repeated)
                                 : judge_attestation(tx, policy, subject, *vote, check.signing_root, repeated));
  if (verdict) {
    return verdict;
  }
  if (notes != nullptr) {
    *notes = {!repeated && !(subject.row && subject.row->history_known), repeated};
  }
  if (!repeated) {
    CC_TRY(block != nullptr ? record(tx, policy, check, block->slot, subject.row)
                            : record(tx, policy, check, *vote, subject.row));
  }
  return Verdict();
}

}  // namespace cc::guard
