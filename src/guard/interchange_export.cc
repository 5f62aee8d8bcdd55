#include <algorithm>

#include "guard/interchange.h"

namespace cc::guard {
namespace {

Watermarks highest_of(const InterchangeEntry& entry) {
  Watermarks highest;
  for (const SignedBlock& block : entry.blocks) {
    highest.block_slot = std::max(highest.block_slot, std::optional<Slot>(block.slot));
  }
  for (const SignedAttestation& vote : entry.attestations) {
    highest.source_epoch = std::max(highest.source_epoch, std::optional<Epoch>(vote.source));
    highest.target_epoch = std::max(highest.target_epoch, std::optional<Epoch>(vote.target));
  }
  return highest;
}

// Several blocks at one slot refuse every root there, as one record without root does: the file says it that way, so
// that no reader takes it for slashable data. Records come in order.
void merge(std::vector<SignedBlock>& blocks) {
  std::vector<SignedBlock> merged;
  for (const SignedBlock& block : blocks) {
    if (!merged.empty() && merged.back().slot == block.slot) {
      merged.back().signing_root.reset();
    } else {
      merged.push_back(block);
    }
  }
  blocks = std::move(merged);
}

// Same for votes with one target; their different sources stay, for the sake of surround votes.
void merge(std::vector<SignedAttestation>& votes) {
  std::vector<SignedAttestation> merged;
  for (const SignedAttestation& vote : votes) {
    const bool shared = !merged.empty() && merged.back().target == vote.target;
    if (shared) {
      merged.back().signing_root.reset();
    }
    if (!shared || merged.back().source != vote.source) {
      merged.push_back({vote.source, vote.target, shared ? std::nullopt : vote.signing_root});
    }
  }
  votes = std::move(merged);
}

// The file has no watermarks of its own: its reader takes the lowest records for them. So the low watermark becomes a
// record without root, unless one stands there, and what it covers is left out. At a floor no record counts.
void put_block_watermark(std::vector<SignedBlock>& blocks, const Watermarks& low, const Watermarks& floor) {
  if (!low.block_slot) {
    return;
  }
  std::erase_if(
      blocks, [&](const SignedBlock& block) { return block.slot < *low.block_slot || floor.block_slot == block.slot; });
  if (blocks.empty() || blocks.front().slot != *low.block_slot) {
    blocks.insert(blocks.begin(), {*low.block_slot, std::nullopt});
  }
}

// Same for votes, where source and target must go into one record (S, T): beside it no vote with a source below S and a
// target from T on passes. A vote with a target below T is left out, and S rises to its source so that nothing is lost.
void put_vote_watermark(std::vector<SignedAttestation>& votes, const Watermarks& low, const Watermarks& floor) {
  if (!low.source_epoch && !low.target_epoch) {
    return;
  }
  Epoch source = low.source_epoch.value_or(Epoch{0});
  const Epoch target = low.target_epoch.value_or(source);
  for (const SignedAttestation& vote : votes) {
    if (vote.target < target) {
      source = std::max(source, vote.source);
    }
  }
  std::erase_if(votes, [&](const SignedAttestation& vote) {
    return vote.target < target || (vote.target == target && vote.source < source);
  });
  for (SignedAttestation& vote : votes) {
    if (floor.target_epoch == vote.target) {
      vote.signing_root.reset();
    }
  }
  if (votes.empty() || votes.front().target != target) {
    votes.insert(votes.begin(), {source, target, std::nullopt});
  }
}

Result<InterchangeEntry> export_validator(SlashingTransaction& tx, const BlsPublicKey& key, const ValidatorRow& row,
                                          ExportForm form) {
  InterchangeEntry entry;
  entry.key = key;
  CC_ASSIGN(entry.blocks, tx.all_blocks(row.id));
  CC_ASSIGN(entry.attestations, tx.all_attestations(row.id));
  CC_ASSIGN(const Watermarks floor, tx.floor());
  Watermarks low = higher(row.low, floor);
  if (form == ExportForm::minimal) {
    low = higher(low, highest_of(entry));
    entry.blocks.clear();
    entry.attestations.clear();
  }
  merge(entry.blocks);
  merge(entry.attestations);
  put_block_watermark(entry.blocks, low, floor);
  put_vote_watermark(entry.attestations, low, floor);
  return entry;
}

}  // namespace

Result<Interchange> export_interchange(SlashingTransaction& tx, ExportForm form,
                                       const std::vector<BlsPublicKey>& only) {
  CC_ASSIGN(const std::optional<Root> root, tx.genesis_validators_root());
  if (!root) {
    return fail(ErrorKind::not_found,
                "the slashing store knows no genesis validators root yet, so there is nothing to "
                "export: sign or import first, or set network_genesis_root");
  }
  Interchange out;
  out.genesis_validators_root = *root;
  std::vector<BlsPublicKey> keys = only;
  if (only.empty()) {
    CC_ASSIGN(keys, tx.validators());
  }
  for (const BlsPublicKey& key : keys) {
    CC_ASSIGN(const std::optional<ValidatorRow> row, tx.validator(key, false));
    if (row) {
      CC_ASSIGN(InterchangeEntry entry, export_validator(tx, key, *row, form));
      out.data.push_back(std::move(entry));
    }
  }
  return out;
}

}  // namespace cc::guard
