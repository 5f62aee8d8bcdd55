#include "guard/interchange.h"

#include <algorithm>

#include "guard/rules.h"

namespace cc::guard {
namespace {

bool same(const SignedBlock& a, const SignedBlock& b) { return a.slot == b.slot && a.signing_root == b.signing_root; }
bool same(const SignedAttestation& a, const SignedAttestation& b) {
  return a.source == b.source && a.target == b.target && a.signing_root == b.signing_root;
}

template <class Entries, class Entry>
bool known(const Entries& entries, const Entry& entry) {
  return std::any_of(entries.begin(), entries.end(), [&](const auto& other) { return same(other, entry); });
}

template <class Unit>
void lower(std::optional<Unit>& mark, Unit value) {
  mark = mark ? std::min(*mark, value) : value;
}

Result<void> import_entry(SlashingTransaction& tx, const InterchangeEntry& entry, ImportCounts& counts) {
  CC_ASSIGN(auto row, tx.validator(entry.key, true));
  Watermarks lowest;
  for (const SignedBlock& block : entry.blocks) {
    lower(lowest.block_slot, block.slot);
    CC_ASSIGN(const auto there, tx.blocks_at(row->id, block.slot));
    if (!known(there, block)) {
      CC_TRY(tx.add_block(row->id, block));
      ++counts.blocks;
    }
  }
  for (const SignedAttestation& vote : entry.attestations) {
    lower(lowest.source_epoch, vote.source);
    lower(lowest.target_epoch, vote.target);
    CC_ASSIGN(const auto there, tx.attestations_at(row->id, vote.target));
    if (!known(there, vote)) {
      CC_TRY(tx.add_attestation(row->id, vote));
      ++counts.attestations;
    }
  }
  // A floor that exists stays: it only ever rises, and by an explicit command.
  row->low.block_slot = row->low.block_slot ? row->low.block_slot : lowest.block_slot;
  row->low.source_epoch = row->low.source_epoch ? row->low.source_epoch : lowest.source_epoch;
  row->low.target_epoch = row->low.target_epoch ? row->low.target_epoch : lowest.target_epoch;
  row->history_known = true;
  ++counts.validators;
  return tx.update_validator(*row);
}

template <class Unit>
void raise(std::optional<Unit>& mark, const std::optional<Unit>& other) {
  if (other) {
    mark = mark ? std::max(*mark, *other) : *other;
  }
}

}  // namespace

Result<ImportCounts> import_interchange(SlashingTransaction& tx, const Interchange& interchange) {
  CC_TRY(set_network(tx, interchange.genesis_validators_root));
  ImportCounts counts;
  for (const InterchangeEntry& entry : interchange.data) {
    CC_TRY(import_entry(tx, entry, counts));
  }
  return counts;
}

Result<Interchange> export_interchange(SlashingTransaction& tx, ExportForm form,
                                       const std::vector<BlsPublicKey>& only) {
  CC_ASSIGN(const auto root, tx.genesis_validators_root());
  if (!root) {
    return fail(ErrorKind::not_found,
                "nothing was signed or imported yet: there is no genesis validators root to export");
  }
  Interchange out;
  out.genesis_validators_root = *root;
  CC_ASSIGN(const auto keys, only.empty() ? tx.validators() : Result<std::vector<BlsPublicKey>>(only));
  for (const BlsPublicKey& key : keys) {
    CC_ASSIGN(const auto row, tx.validator(key, false));
    if (!row) {
      continue;
    }
    InterchangeEntry entry;
    entry.key = key;
    if (form == ExportForm::complete) {
      CC_ASSIGN(entry.blocks, tx.all_blocks(row->id));
      CC_ASSIGN(entry.attestations, tx.all_attestations(row->id));
    }
    // The floor travels too: without it the importer would sign below what this store refuses.
    Watermarks marks = row->low;
    if (form == ExportForm::minimal) {
      CC_ASSIGN(const Watermarks highest, tx.highest(row->id));
      raise(marks.block_slot, highest.block_slot);
      raise(marks.source_epoch, highest.source_epoch);
      raise(marks.target_epoch, highest.target_epoch);
    }
    const bool block_there = std::any_of(entry.blocks.begin(), entry.blocks.end(),
                                         [&](const auto& b) { return b.slot == marks.block_slot; });
    if (marks.block_slot && !block_there) {
      entry.blocks.insert(entry.blocks.begin(), SignedBlock{*marks.block_slot, std::nullopt});
    }
    const bool vote_there = std::any_of(entry.attestations.begin(), entry.attestations.end(), [&](const auto& v) {
      return v.target == marks.target_epoch && v.source == marks.source_epoch;
    });
    if (marks.target_epoch && !vote_there) {
      entry.attestations.insert(
          entry.attestations.begin(),
          SignedAttestation{marks.source_epoch.value_or(*marks.target_epoch), *marks.target_epoch, std::nullopt});
    }
    out.data.push_back(std::move(entry));
  }
  return out;
}

}  // namespace cc::guard
