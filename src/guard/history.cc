#include "guard/history.h"

#include <algorithm>

#include "guard/rules.h"

namespace cc::guard {
namespace {

// The lowest number that stays: one that is recorded, in the newest `width` numbers or among the newest `count`
// records. `numbers` is sorted. Nothing when every record stays.
std::optional<std::uint64_t> cut_of(const std::vector<std::uint64_t>& numbers, std::uint64_t width,
                                    std::uint64_t count) {
  if (numbers.size() <= count) {
    return std::nullopt;
  }
  const std::uint64_t newest = numbers.back();
  const std::uint64_t by_width = newest < width ? 0 : newest - width + 1;
  const std::uint64_t by_count = numbers[numbers.size() - static_cast<std::size_t>(count)];
  const std::uint64_t bound = std::min(by_width, by_count);
  const auto kept = std::lower_bound(numbers.begin(), numbers.end(), bound);
  return kept == numbers.begin() ? std::nullopt : std::optional(*kept);
}

std::uint64_t slots_of(const Keep& keep) {
  const bool fits = keep.slots_per_epoch == 0 || keep.epochs <= UINT64_MAX / keep.slots_per_epoch;
  return fits ? keep.epochs * keep.slots_per_epoch : UINT64_MAX;
}

std::optional<Slot> block_cut(const std::vector<SignedBlock>& blocks, const Keep& keep) {
  std::vector<std::uint64_t> slots;
  slots.reserve(blocks.size());
  for (const SignedBlock& block : blocks) {
    slots.push_back(block.slot.value);
  }
  const auto cut = cut_of(slots, slots_of(keep), keep.epochs);
  return cut ? std::optional(Slot{*cut}) : std::nullopt;
}

// A forgotten vote (s, t) was below the new target mark T, so every later vote reaches beyond it: what it could still
// refuse is a source below s. The source mark takes that over, exactly.
Watermarks vote_cut(const std::vector<SignedAttestation>& votes, const Keep& keep) {
  std::vector<std::uint64_t> targets;
  targets.reserve(votes.size());
  for (const SignedAttestation& vote : votes) {
    targets.push_back(vote.target.value);
  }
  const auto cut = cut_of(targets, keep.epochs, keep.epochs);
  if (!cut) {
    return {};
  }
  Watermarks out;
  out.target_epoch = Epoch{*cut};
  for (const SignedAttestation& vote : votes) {
    if (vote.target.value < *cut) {
      out.source_epoch = std::max(out.source_epoch, std::optional(vote.source));
    }
  }
  return out;
}

}  // namespace

Result<Pruned> prune_validator(SlashingTransaction& tx, const BlsPublicKey& key, const Keep& keep) {
  CC_ASSIGN(std::optional<ValidatorRow> row, tx.validator(key, false));
  if (!row || keep.epochs == 0) {
    return Pruned();
  }
  CC_ASSIGN(const auto blocks, tx.all_blocks(row->id));
  CC_ASSIGN(const auto votes, tx.all_attestations(row->id));
  Watermarks cut = vote_cut(votes, keep);
  cut.block_slot = block_cut(blocks, keep);
  if (!cut.block_slot && !cut.target_epoch) {
    return Pruned();
  }
  // Nobody signed elsewhere, so a record at the new mark goes on answering its identical message.
  const Watermarks before = row->low;
  row->low = higher(row->low, cut);
  if (row->low != before) {
    CC_TRY(tx.update_validator(*row));
  }
  CC_ASSIGN(const std::uint64_t records, tx.forget_below(row->id, cut));
  return Pruned{records > 0 ? 1U : 0U, records};
}

Result<void> allow_empty_history(SlashingTransaction& tx, const std::vector<BlsPublicKey>& keys,
                                 const std::string& source, std::uint64_t now) {
  std::uint64_t changed = 0;
  for (const BlsPublicKey& key : keys) {
    CC_ASSIGN(std::optional<ValidatorRow> row, tx.validator(key, true));
    if (!row) {
      return fail(ErrorKind::internal, "the slashing store made no row for a validator");
    }
    if (row->history_known) {
      continue;
    }
    row->history_known = true;
    CC_TRY(tx.update_validator(*row));
    ++changed;
  }
  if (changed == 0) {
    return {};
  }
  return tx.add_origin({OriginKind::empty_history, source, std::nullopt, now, changed, 0, 0});
}

std::string_view name(OriginKind kind) {
  switch (kind) {
    case OriginKind::import:
      return "import";
    case OriginKind::keymanager:
      return "keymanager";
    case OriginKind::empty_history:
      return "empty_history";
  }
  return "?";
}

OriginKind origin_kind(std::string_view word) {
  for (const OriginKind kind : {OriginKind::import, OriginKind::keymanager, OriginKind::empty_history}) {
    if (name(kind) == word) {
      return kind;
    }
  }
  return OriginKind::import;
}

}  // namespace cc::guard
