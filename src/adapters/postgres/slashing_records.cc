// The records of a transaction: what it reads beyond what was read ahead, and what it adds. Its beginning and its end
// are in slashing_transaction.cc.
#include <algorithm>

#include "adapters/postgres/slashing_rows.h"
#include "adapters/postgres/slashing_transaction.h"
#include "guard/history.h"
#include "guard/rules.h"

namespace cc::postgres {
namespace {

constexpr std::size_t kFlushAt = 4096;  // records kept in memory during an import

template <class Record, class Predicate>
void append_matching(std::vector<Record>& to, const std::unordered_map<std::int64_t, std::vector<Record>>& added,
                     std::int64_t validator, Predicate wanted) {
  if (const auto found = added.find(validator); found != added.end()) {
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(to), wanted);
  }
}

}  // namespace

Result<std::vector<guard::SignedBlock>> PostgresSlashingTransaction::blocks_at(std::int64_t validator, Slot slot) {
  std::vector<guard::SignedBlock> out;
  if (const auto ahead = ahead_blocks_.find({validator, slot.value}); ahead != ahead_blocks_.end()) {
    out = ahead->second;
    append_matching(out, added_blocks_, validator, [&](const auto& block) { return block.slot == slot; });
    return out;
  }
  CC_ASSIGN(
      const Rows rows,
      ask({"cc_blocks_at", "SELECT slot, signing_root FROM blocks WHERE validator = $1::bigint AND slot = $2::bigint"},
          {text_of(validator), text_of(stored_number(slot.value))}));
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({Slot{number_from(rows.integer(i, 0))}, root_at(rows, i, 1)});
  }
  return out;
}

#define CC_VOTE "SELECT source_epoch, target_epoch, signing_root FROM attestations WHERE validator = $1::bigint "

Result<std::vector<guard::SignedAttestation>> PostgresSlashingTransaction::attestations_at(std::int64_t validator,
                                                                                           Epoch target) {
  std::vector<Vote> out;
  const auto same = [&](const Vote& vote) { return vote.target == target; };
  const auto ahead = std::find_if(
      ahead_votes_.lower_bound({validator, {0, 0}}), ahead_votes_.end(),
      [&](const auto& one) { return one.first.first != validator || one.first.second.second == target.value; });
  if (ahead != ahead_votes_.end() && ahead->first.first == validator) {
    out = ahead->second.same_target;
    append_matching(out, added_votes_, validator, same);
    return out;
  }
  CC_ASSIGN(const Rows rows, ask({"cc_votes_at", CC_VOTE "AND target_epoch = $2::bigint"},
                                 {text_of(validator), text_of(stored_number(target.value))}));
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back(vote_at(rows, i, 0));
  }
  return out;
}

// A proper vote inside (source, target) has its target there too, which bounds the search by the new vote's own length.
// Imported votes whose source lies above their target are few and have an index of their own.
Result<guard::VotesNear> PostgresSlashingTransaction::votes_near(std::int64_t validator, Epoch source, Epoch target) {
  guard::VotesNear out;
  CC_ASSIGN(out.at_target, attestations_at(validator, target));
  if (const auto ahead = ahead_votes_.find({validator, {source.value, target.value}}); ahead != ahead_votes_.end()) {
    const auto added_or = [&](const std::optional<Vote>& on_server, auto wanted) {
      std::vector<Vote> added;
      append_matching(added, added_votes_, validator, wanted);
      return added.empty() ? on_server : added.front();
    };
    out.surrounding =
        added_or(ahead->second.outer, [&](const Vote& vote) { return vote.source < source && vote.target > target; });
    out.surrounded =
        added_or(ahead->second.inner, [&](const Vote& vote) { return vote.source > source && vote.target < target; });
    return out;
  }
  const auto one = [&](Statement statement) -> Result<std::optional<Vote>> {
    CC_ASSIGN(const Rows rows, ask(statement, {text_of(validator), text_of(stored_number(source.value)),
                                               text_of(stored_number(target.value))}));
    return rows.size() == 0 ? std::nullopt : std::optional<Vote>(vote_at(rows, 0, 0));
  };
  CC_ASSIGN(out.surrounding,
            one({"cc_surrounding", CC_VOTE "AND target_epoch > $3::bigint AND source_epoch < $2::bigint"
                                           " ORDER BY target_epoch LIMIT 1"}));
  CC_ASSIGN(out.surrounded,
            one({"cc_surrounded", "(" CC_VOTE "AND target_epoch > $2::bigint AND target_epoch < $3::bigint"
                                  " AND source_epoch > $2::bigint ORDER BY target_epoch LIMIT 1) UNION ALL (" CC_VOTE
                                  "AND source_epoch > target_epoch AND target_epoch < $3::bigint"
                                  " AND source_epoch > $2::bigint LIMIT 1)"}));
  return out;
}

Result<void> PostgresSlashingTransaction::add_block(std::int64_t validator, const guard::SignedBlock& block) {
  added_blocks_[validator].push_back(block);
  pending_blocks_.emplace_back(validator, block);
  changed_ = true;
  return pending_blocks_.size() < kFlushAt ? Result<void>() : flush();
}

Result<void> PostgresSlashingTransaction::add_attestation(std::int64_t validator, const Vote& attestation) {
  added_votes_[validator].push_back(attestation);
  pending_votes_.emplace_back(validator, attestation);
  changed_ = true;
  return pending_votes_.size() < kFlushAt ? Result<void>() : flush();
}

// What was read ahead still names the records that go; that only refuses more.
Result<std::uint64_t> PostgresSlashingTransaction::forget_below(std::int64_t validator, const guard::Watermarks& low) {
  std::int64_t gone = 0;
  if (low.block_slot) {
    CC_ASSIGN(const Rows blocks,
              ask({"cc_forget_blocks", "DELETE FROM blocks WHERE validator = $1::bigint AND slot < $2::bigint"},
                  {text_of(validator), text_of(low.block_slot)}));
    gone += blocks.affected();
  }
  if (low.target_epoch && low.source_epoch) {
    CC_ASSIGN(const Rows votes, ask({"cc_forget_votes",
                                     "DELETE FROM attestations WHERE validator = $1::bigint AND target_epoch < "
                                     "$2::bigint AND source_epoch <= $3::bigint"},
                                    {text_of(validator), text_of(low.target_epoch), text_of(low.source_epoch)}));
    gone += votes.affected();
  }
  changed_ = changed_ || gone > 0;
  return static_cast<std::uint64_t>(gone);
}

Result<void> PostgresSlashingTransaction::add_origin(const guard::Origin& origin) {
  const auto number = [](std::uint64_t value) { return text_of(static_cast<std::int64_t>(value)); };
  CC_TRY(ask({"cc_add_origin",
              "INSERT INTO origins (kind, source, digest, at, validators, blocks, attestations) VALUES ($1, $2, "
              "$3::bytea, $4::bigint, $5::bigint, $6::bigint, $7::bigint)"},
             {std::string(guard::name(origin.kind)), origin.source, text_of(origin.digest), number(origin.at),
              number(origin.validators), number(origin.blocks), number(origin.attestations)}));
  changed_ = true;
  return {};
}

Result<std::vector<guard::Origin>> PostgresSlashingTransaction::origins(std::size_t limit) {
  CC_ASSIGN(const Rows rows, ask({"cc_origins",
                                  "SELECT kind, source, digest, at, validators, blocks, attestations FROM origins"
                                  " ORDER BY id DESC LIMIT $1::bigint"},
                                 {text_of(static_cast<std::int64_t>(limit))}));
  std::vector<guard::Origin> out;
  for (int i = 0; i < rows.size(); ++i) {
    const auto number = [&](int column) { return static_cast<std::uint64_t>(rows.integer(i, column)); };
    out.push_back({guard::origin_kind(rows.text(i, 0)), std::string(rows.text(i, 1)), root_at(rows, i, 2), number(3),
                   number(4), number(5), number(6)});
  }
  return out;
}

Result<std::optional<Root>> PostgresSlashingTransaction::genesis_validators_root() {
  return common_->genesis_validators_root;
}

Result<void> PostgresSlashingTransaction::set_genesis_validators_root(const Root& root) {
  common_->genesis_validators_root = root;
  common_changed_ = changed_ = true;
  return {};
}

Result<guard::Watermarks> PostgresSlashingTransaction::floor() { return common_->floor; }

Result<void> PostgresSlashingTransaction::raise_floor(const guard::Watermarks& floor) {
  common_->floor = guard::higher(common_->floor, floor);
  common_changed_ = changed_ = true;
  return {};
}

Result<std::vector<BlsPublicKey>> PostgresSlashingTransaction::validators() {
  CC_ASSIGN(const Rows rows, ask({"", "SELECT public_key FROM validators ORDER BY public_key"}, {}));
  std::vector<BlsPublicKey> out;
  out.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back(key_at(rows, i, 0));
  }
  return out;
}

Result<std::vector<guard::SignedBlock>> PostgresSlashingTransaction::all_blocks(std::int64_t validator) {
  CC_ASSIGN(const Rows rows,
            ask({"cc_all_blocks", "SELECT slot, signing_root FROM blocks WHERE validator = $1::bigint ORDER BY slot"},
                {text_of(validator)}));
  std::vector<guard::SignedBlock> out;
  out.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({Slot{number_from(rows.integer(i, 0))}, root_at(rows, i, 1)});
  }
  return out;
}

Result<std::vector<guard::SignedAttestation>> PostgresSlashingTransaction::all_attestations(std::int64_t validator) {
  CC_ASSIGN(const Rows rows,
            ask({"cc_all_votes", CC_VOTE "ORDER BY target_epoch, source_epoch"}, {text_of(validator)}));
  std::vector<Vote> out;
  out.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back(vote_at(rows, i, 0));
  }
  return out;
}
#undef CC_VOTE

}  // namespace cc::postgres
