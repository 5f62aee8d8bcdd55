#include "adapters/postgres/slashing_transaction.h"

#include <algorithm>
#include <set>

#include "adapters/postgres/slashing_rows.h"

namespace cc::postgres {
namespace {

std::string_view word(guard::Permit permit) { return permit == guard::Permit::permitted ? "permitted" : "retired"; }

constexpr Statement kBegin{"", "BEGIN ISOLATION LEVEL READ COMMITTED"};
constexpr Statement kBeginReading{"", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
// Checks run side by side; whatever else changes the store runs alone.
constexpr Statement kShare{"", "LOCK TABLE identity IN ROW EXCLUSIVE MODE"};
constexpr Statement kAlone{"", "LOCK TABLE identity IN EXCLUSIVE MODE"};
constexpr Statement kCommon{
    "cc_common",
    "SELECT genesis_validators_root, floor_block_slot, floor_source_epoch, floor_target_epoch FROM identity"};

#define CC_ROW                                                                                                         \
  "SELECT public_key, id, permit, generation, history_known, low_block_slot, low_source_epoch, low_target_epoch FROM " \
  "validators "
constexpr Statement kLockRows{"cc_lock_rows",
                              CC_ROW "WHERE public_key = ANY ($1::bytea[]) ORDER BY public_key FOR UPDATE"};
constexpr Statement kReadRows{"cc_read_rows", CC_ROW "WHERE public_key = ANY ($1::bytea[])"};
constexpr Statement kReadRow{"cc_read_row", CC_ROW "WHERE public_key = $1::bytea"};
constexpr Statement kLockRow{"cc_lock_row", CC_ROW "WHERE public_key = $1::bytea FOR UPDATE"};
#undef CC_ROW
constexpr Statement kMakeRows{"cc_make_rows",
                              "INSERT INTO validators (public_key, permit, generation, history_known)"
                              " SELECT k, 'permitted', 0, false FROM unnest($1::bytea[]) AS k ORDER BY k"
                              " ON CONFLICT (public_key) DO NOTHING"};
constexpr Statement kUpdateRows{
    "cc_update_rows",
    "UPDATE validators AS v SET permit = u.p, generation = u.g, history_known = u.h, low_block_slot = u.b,"
    " low_source_epoch = u.s, low_target_epoch = u.t FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::boolean[],"
    " $5::bigint[], $6::bigint[], $7::bigint[]) AS u (id, p, g, h, b, s, t) WHERE v.id = u.id"};
constexpr Statement kAheadBlocks{
    "cc_ahead_blocks",
    "SELECT h.n, b.slot, b.signing_root FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS h (key, slot, n)"
    " JOIN validators v ON v.public_key = h.key JOIN blocks b ON b.validator = v.id AND b.slot = h.slot"};
constexpr Statement kAheadVotes{
    "cc_ahead_votes",
    "SELECT h.n, r.kind, r.source_epoch, r.target_epoch, r.signing_root"
    " FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS h (key, s, t, n)"
    " JOIN validators v ON v.public_key = h.key CROSS JOIN LATERAL ("
    "(SELECT 0 AS kind, source_epoch, target_epoch, signing_root FROM attestations"
    " WHERE validator = v.id AND target_epoch = h.t)"
    " UNION ALL (SELECT 1, source_epoch, target_epoch, signing_root FROM attestations"
    " WHERE validator = v.id AND target_epoch > h.t AND source_epoch < h.s ORDER BY target_epoch LIMIT 1)"
    " UNION ALL (SELECT 2, source_epoch, target_epoch, signing_root FROM attestations"
    " WHERE validator = v.id AND target_epoch > h.s AND target_epoch < h.t AND source_epoch > h.s"
    " ORDER BY target_epoch LIMIT 1)"
    " UNION ALL (SELECT 2, source_epoch, target_epoch, signing_root FROM attestations"
    " WHERE validator = v.id AND source_epoch > target_epoch AND target_epoch < h.t AND source_epoch > h.s LIMIT 1)) "
    "r"};
constexpr Statement kAddBlocks{"cc_add_blocks",
                               "INSERT INTO blocks (validator, slot, signing_root) SELECT v, s, r"
                               " FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS u (v, s, r)"
                               " ON CONFLICT DO NOTHING"};
constexpr Statement kAddVotes{"cc_add_votes",
                              "INSERT INTO attestations (validator, target_epoch, source_epoch, signing_root)"
                              " SELECT v, t, s, r FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])"
                              " AS u (v, t, s, r) ON CONFLICT DO NOTHING"};

guard::ValidatorRow row_at(const Rows& rows, int row) {
  guard::ValidatorRow out;
  out.id = rows.integer(row, 1);
  out.permit = rows.text(row, 2) == "permitted" ? guard::Permit::permitted : guard::Permit::retired;
  out.generation = static_cast<std::uint64_t>(rows.integer(row, 3));
  out.history_known = rows.boolean(row, 4);
  out.low = {number_at<Slot>(rows, row, 5), number_at<Epoch>(rows, row, 6), number_at<Epoch>(rows, row, 7)};
  return out;
}

bool is_guarded(const guard::LookAhead& ahead) { return ahead.slot || ahead.target; }

// Each key once, in order.
Value keys_of(std::span<const guard::LookAhead> ahead, bool guarded) {
  std::set<BlsPublicKey> keys;
  for (const guard::LookAhead& one : ahead) {
    if (is_guarded(one)) {
      keys.insert(one.key);
    }
  }
  Array out;
  if (guarded) {
    for (const BlsPublicKey& key : keys) {
      out.add(ByteView(key));
    }
    return out.value();
  }
  std::set<BlsPublicKey> others;
  for (const guard::LookAhead& one : ahead) {
    if (!keys.contains(one.key) && others.insert(one.key).second) {
      out.add(ByteView(one.key));
    }
  }
  return out.value();
}

Query blocks_query(std::span<const guard::LookAhead> ahead) {
  Array keys, slots;
  for (const guard::LookAhead& one : ahead) {
    if (one.slot) {
      keys.add(ByteView(one.key));
      slots.add(stored_number(one.slot->value));
    }
  }
  return {kAheadBlocks, {keys.value(), slots.value()}};
}

Query votes_query(std::span<const guard::LookAhead> ahead) {
  Array keys, sources, targets;
  for (const guard::LookAhead& one : ahead) {
    if (one.target) {
      keys.add(ByteView(one.key));
      sources.add(stored_number(one.source.value_or(Epoch{}).value));
      targets.add(stored_number(one.target->value));
    }
  }
  return {kAheadVotes, {keys.value(), sources.value(), targets.value()}};
}

}  // namespace

Result<void> PostgresSlashingTransaction::begin_ahead(std::span<const guard::LookAhead> ahead) {
  CC_TRY(read_ahead(ahead, false, {{kBegin, {}}, {kShare, {}}, {kCommon, {}}}));
  std::vector<guard::LookAhead> missing;
  std::copy_if(ahead.begin(), ahead.end(), std::back_inserter(missing),
               [&](const guard::LookAhead& one) { return is_guarded(one) && !rows_.contains(one.key); });
  return missing.empty() ? Result<void>() : read_ahead(missing, true, {{kMakeRows, {keys_of(missing, true)}}});
}

Result<void> PostgresSlashingTransaction::read_ahead(std::span<const guard::LookAhead> ahead, bool create,
                                                     std::vector<Query> queries) {
  const std::size_t first = queries.size();
  queries.push_back({kLockRows, {keys_of(ahead, true)}});
  queries.push_back({kReadRows, {keys_of(ahead, false)}});
  queries.push_back(blocks_query(ahead));
  queries.push_back(votes_query(ahead));
  CC_ASSIGN(const std::vector<Rows> rows, connection_.run(queries, deadline_));
  if (!create) {
    take_common(rows[first - 1]);
  }
  take_validators(rows[first]);
  take_validators(rows[first + 1]);
  take_ahead(ahead, rows[first + 2], rows[first + 3]);
  return common_ ? Result<void>()
                 : fail(ErrorKind::store_unavailable,
                        connection_.place() + ": the slashing store has lost its identity row: restore a backup");
}

void PostgresSlashingTransaction::take_common(const Rows& rows) {
  if (rows.size() == 1) {
    common_ = Common{rows.is_null(0, 0) ? std::nullopt : root_at(rows, 0, 0),
                     {number_at<Slot>(rows, 0, 1), number_at<Epoch>(rows, 0, 2), number_at<Epoch>(rows, 0, 3)}};
  }
}

void PostgresSlashingTransaction::take_validators(const Rows& rows) {
  for (int i = 0; i < rows.size(); ++i) {
    const BlsPublicKey key = key_at(rows, i, 0);
    const guard::ValidatorRow row = row_at(rows, i);
    rows_.insert_or_assign(key, row);
    keys_.insert_or_assign(row.id, key);
  }
}

// Only what was read under the lock of its validator's row counts: an answer on a validator whose row came into being
// in between is not kept.
void PostgresSlashingTransaction::take_ahead(std::span<const guard::LookAhead> ahead, const Rows& blocks,
                                             const Rows& votes) {
  std::vector<std::vector<guard::SignedBlock>*> block_places;
  std::vector<AheadVote*> vote_places;
  for (const guard::LookAhead& one : ahead) {
    const auto row = rows_.find(one.key);
    const bool known = row != rows_.end();
    if (one.slot) {
      block_places.push_back(known ? &ahead_blocks_[{row->second.id, one.slot->value}] : nullptr);
    }
    if (one.target) {
      const std::uint64_t source = one.source.value_or(Epoch{}).value;
      vote_places.push_back(known ? &ahead_votes_[{row->second.id, {source, one.target->value}}] : nullptr);
    }
  }
  for (auto* place : block_places) {
    if (place != nullptr) {
      place->clear();
    }
  }
  for (AheadVote* place : vote_places) {
    if (place != nullptr) {
      *place = {};
    }
  }
  for (int i = 0; i < blocks.size(); ++i) {
    // A message announced twice has one place, and its answers come twice; that does no harm.
    if (auto* place = block_places[static_cast<std::size_t>(blocks.integer(i, 0) - 1)]; place != nullptr) {
      place->push_back({Slot{number_from(blocks.integer(i, 1))}, root_at(blocks, i, 2)});
    }
  }
  for (int i = 0; i < votes.size(); ++i) {
    AheadVote* place = vote_places[static_cast<std::size_t>(votes.integer(i, 0) - 1)];
    if (place == nullptr) {
      continue;
    }
    const Vote vote = vote_at(votes, i, 2);
    switch (votes.integer(i, 1)) {
      case 0:
        place->same_target.push_back(vote);
        break;
      case 1:
        place->outer = vote;
        break;
      default:
        place->inner = vote;
        break;
    }
  }
}

Result<void> PostgresSlashingTransaction::begin_alone() {
  const Query queries[] = {{kBegin, {}}, {kAlone, {}}, {kCommon, {}}};
  CC_ASSIGN(const std::vector<Rows> rows, connection_.run(queries, deadline_));
  take_common(rows[2]);
  return common_ ? Result<void>()
                 : fail(ErrorKind::store_unavailable,
                        connection_.place() + ": the slashing store has lost its identity row: restore a backup");
}

Result<void> PostgresSlashingTransaction::begin_reading() {
  read_only_ = true;
  const Query queries[] = {{kBeginReading, {}}, {kCommon, {}}};
  CC_ASSIGN(const std::vector<Rows> rows, connection_.run(queries, deadline_));
  take_common(rows[1]);
  return {};
}

Result<Rows> PostgresSlashingTransaction::ask(Statement statement, Values values) {
  CC_TRY(flush());
  return connection_.run({statement, std::move(values)}, deadline_);
}

std::vector<Query> PostgresSlashingTransaction::pending() const {
  std::vector<Query> out;
  if (!pending_rows_.empty()) {
    Array ids, permits, generations, histories, slots, sources, targets;
    for (const auto& [id, row] : pending_rows_) {
      ids.add(id);
      permits.add_word(word(row.permit));
      generations.add(static_cast<std::int64_t>(row.generation));
      histories.add(row.history_known);
      slots.add_number(row.low.block_slot);
      sources.add_number(row.low.source_epoch);
      targets.add_number(row.low.target_epoch);
    }
    out.push_back({kUpdateRows,
                   {ids.value(), permits.value(), generations.value(), histories.value(), slots.value(),
                    sources.value(), targets.value()}});
  }
  if (!pending_blocks_.empty()) {
    Array validators, slots, roots;
    for (const auto& [validator, block] : pending_blocks_) {
      validators.add(validator);
      slots.add(stored_number(block.slot.value));
      roots.add(block.signing_root);
    }
    out.push_back({kAddBlocks, {validators.value(), slots.value(), roots.value()}});
  }
  if (!pending_votes_.empty()) {
    Array validators, targets, sources, roots;
    for (const auto& [validator, vote] : pending_votes_) {
      validators.add(validator);
      targets.add(stored_number(vote.target.value));
      sources.add(stored_number(vote.source.value));
      roots.add(vote.signing_root);
    }
    out.push_back({kAddVotes, {validators.value(), targets.value(), sources.value(), roots.value()}});
  }
  if (common_changed_) {
    out.push_back(
        {{"cc_update_common",
          "UPDATE identity SET genesis_validators_root = $1::bytea, floor_block_slot = $2::bigint,"
          " floor_source_epoch = $3::bigint, floor_target_epoch = $4::bigint"},
         {common_->genesis_validators_root ? Value(text_of(ByteView(*common_->genesis_validators_root))) : std::nullopt,
          text_of(common_->floor.block_slot), text_of(common_->floor.source_epoch),
          text_of(common_->floor.target_epoch)}});
  }
  return out;
}

Result<void> PostgresSlashingTransaction::flush() {
  const std::vector<Query> queries = pending();
  if (queries.empty()) {
    return {};
  }
  CC_ASSIGN(const std::vector<Rows> rows, connection_.run(queries, deadline_));
  if (!pending_rows_.empty() && rows.front().affected() != static_cast<std::int64_t>(pending_rows_.size())) {
    return fail(ErrorKind::store_unavailable, connection_.place() + ": a validator's row is gone: restore a backup");
  }
  pending_rows_.clear();
  pending_blocks_.clear();
  pending_votes_.clear();
  common_changed_ = false;
  return {};
}

Result<std::uint64_t> PostgresSlashingTransaction::finish() {
  CC_TRY(flush());
  CC_ASSIGN(
      const Rows rows,
      connection_.run({{"cc_count", "UPDATE identity SET commits = commits + 1 RETURNING commits"}, {}}, deadline_));
  if (rows.size() != 1) {
    return fail(ErrorKind::store_unavailable,
                connection_.place() + ": the slashing store has lost its identity row: restore a backup");
  }
  return static_cast<std::uint64_t>(rows.integer(0, 0));
}

Result<std::optional<guard::ValidatorRow>> PostgresSlashingTransaction::validator(const BlsPublicKey& key,
                                                                                  bool create) {
  if (const auto known = rows_.find(key); known != rows_.end()) {
    return known->second;
  }
  const Values value{text_of(ByteView(key))};
  const Statement select = read_only_ ? kReadRow : kLockRow;
  CC_ASSIGN(Rows rows, ask(select, value));
  if (rows.size() == 0 && create) {
    Array one;
    one.add(ByteView(key));
    CC_TRY(ask(kMakeRows, {one.value()}));
    CC_ASSIGN(rows, ask(select, value));
    changed_ = true;
  }
  take_validators(rows);
  const auto found = rows_.find(key);
  return found == rows_.end() ? std::nullopt : std::optional<guard::ValidatorRow>(found->second);
}

Result<void> PostgresSlashingTransaction::update_validator(const guard::ValidatorRow& row) {
  const auto key = keys_.find(row.id);
  if (key == keys_.end()) {
    return fail(ErrorKind::internal, "the slashing store has no such validator row");
  }
  rows_[key->second] = row;
  pending_rows_[row.id] = row;
  changed_ = true;
  return {};
}

}  // namespace cc::postgres
