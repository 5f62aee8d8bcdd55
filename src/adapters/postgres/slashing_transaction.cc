#include "adapters/postgres/slashing_transaction.h"

#include <algorithm>
#include <set>

#include "guard/history.h"
#include "guard/rules.h"

namespace cc::postgres {
namespace {

constexpr std::size_t kFlushAt = 4096;  // records kept in memory during an import

std::string_view word(guard::Permit permit) { return permit == guard::Permit::permitted ? "permitted" : "retired"; }

std::optional<Root> root_at(const Rows& rows, int row, int column) {
  const Bytes bytes = rows.bytes(row, column);
  return bytes.empty() ? std::nullopt : std::optional<Root>(to_array<32>(bytes));
}
template <class Number>
std::optional<Number> number_at(const Rows& rows, int row, int column) {
  return rows.is_null(row, column) ? std::nullopt
                                   : std::optional<Number>(Number{number_from(rows.integer(row, column))});
}
guard::SignedAttestation vote_at(const Rows& rows, int row, int column) {
  return {Epoch{number_from(rows.integer(row, column))}, Epoch{number_from(rows.integer(row, column + 1))},
          root_at(rows, row, column + 2)};
}

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

BlsPublicKey key_at(const Rows& rows, int row, int column) { return to_array<48>(rows.bytes(row, column)); }

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

template <class Record, class Predicate>
void append_matching(std::vector<Record>& to, const std::unordered_map<std::int64_t, std::vector<Record>>& added,
                     std::int64_t validator, Predicate wanted) {
  if (const auto found = added.find(validator); found != added.end()) {
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(to), wanted);
  }
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

Result<std::optional<guard::SignedAttestation>> PostgresSlashingTransaction::surrounding(std::int64_t validator,
                                                                                         Epoch source, Epoch target) {
  if (const auto ahead = ahead_votes_.find({validator, {source.value, target.value}}); ahead != ahead_votes_.end()) {
    std::vector<Vote> out;
    append_matching(out, added_votes_, validator,
                    [&](const Vote& vote) { return vote.source < source && vote.target > target; });
    return out.empty() ? ahead->second.outer : out.front();
  }
  CC_ASSIGN(const Rows rows,
            ask({"cc_surrounding", CC_VOTE "AND target_epoch > $3::bigint AND source_epoch < $2::bigint"
                                           " ORDER BY target_epoch LIMIT 1"},
                {text_of(validator), text_of(stored_number(source.value)), text_of(stored_number(target.value))}));
  return rows.size() == 0 ? std::nullopt : std::optional<Vote>(vote_at(rows, 0, 0));
}

// A proper vote inside (source, target) has its target there too, which bounds the search by the new vote's own length.
// Imported votes whose source lies above their target are few and have an index of their own.
Result<std::optional<guard::SignedAttestation>> PostgresSlashingTransaction::surrounded(std::int64_t validator,
                                                                                        Epoch source, Epoch target) {
  if (const auto ahead = ahead_votes_.find({validator, {source.value, target.value}}); ahead != ahead_votes_.end()) {
    std::vector<Vote> out;
    append_matching(out, added_votes_, validator,
                    [&](const Vote& vote) { return vote.source > source && vote.target < target; });
    return out.empty() ? ahead->second.inner : out.front();
  }
  CC_ASSIGN(const Rows rows,
            ask({"cc_surrounded", "(" CC_VOTE "AND target_epoch > $2::bigint AND target_epoch < $3::bigint"
                                  " AND source_epoch > $2::bigint ORDER BY target_epoch LIMIT 1) UNION ALL (" CC_VOTE
                                  "AND source_epoch > target_epoch AND target_epoch < $3::bigint"
                                  " AND source_epoch > $2::bigint LIMIT 1)"},
                {text_of(validator), text_of(stored_number(source.value)), text_of(stored_number(target.value))}));
  return rows.size() == 0 ? std::nullopt : std::optional<Vote>(vote_at(rows, 0, 0));
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
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({Slot{number_from(rows.integer(i, 0))}, root_at(rows, i, 1)});
  }
  return out;
}

Result<std::vector<guard::SignedAttestation>> PostgresSlashingTransaction::all_attestations(std::int64_t validator) {
  CC_ASSIGN(const Rows rows,
            ask({"cc_all_votes", CC_VOTE "ORDER BY target_epoch, source_epoch"}, {text_of(validator)}));
  std::vector<Vote> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back(vote_at(rows, i, 0));
  }
  return out;
}
#undef CC_VOTE

}  // namespace cc::postgres
