#include "adapters/dynamodb/slashing_transaction.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "base/parallel.h"
#include "guard/rules.h"

namespace cc::dynamodb {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

bool same(const guard::SignedBlock& a, const guard::SignedBlock& b) {
  return a.slot == b.slot && a.signing_root == b.signing_root;
}
bool same(const guard::SignedAttestation& a, const guard::SignedAttestation& b) {
  return a.source == b.source && a.target == b.target && a.signing_root == b.signing_root;
}

template <class Record>
void add_once(std::vector<Record>& to, const Record& record) {
  if (std::ranges::none_of(to, [&](const Record& other) { return same(other, record); })) {
    to.push_back(record);
  }
}

template <class Record>
void drop_forgotten(std::vector<Record>& records, const DynamoSlashingTransaction::Subject& subject) {
  if (!subject.forgotten.empty()) {
    std::erase_if(records, [&](const Record& record) {
      return std::ranges::find(subject.forgotten, record_key(subject.key, record)) != subject.forgotten.end();
    });
  }
}

// The questions that the row alone answers: nothing recorded can lie there.
bool no_block_at(const StoredRow& row, std::uint64_t slot) {
  return !row.high.block_slot || *row.high.block_slot < Slot{slot};
}
bool no_vote_from(const StoredRow& row, std::uint64_t target) {
  return !row.high.target_epoch || *row.high.target_epoch < Epoch{target};
}
bool no_source_above(const StoredRow& row, Epoch source) {
  return !row.high.source_epoch || *row.high.source_epoch <= source;
}

}  // namespace

Result<void> DynamoSlashingTransaction::begin(std::span<const guard::LookAhead> ahead) {
  std::vector<BlsPublicKey> keys;
  std::set<BlsPublicKey> seen;
  for (const guard::LookAhead& one : ahead) {
    if (seen.insert(one.key).second) {
      keys.push_back(one.key);
    }
  }
  CC_TRY(read_rows(keys));
  return read_records(ahead);
}

// In batches, side by side; the store's own item comes with the first of them.
Result<void> DynamoSlashingTransaction::read_rows(const std::vector<BlsPublicKey>& keys) {
  std::vector<std::vector<Key>> batches(1, {kStoreKey});
  for (const BlsPublicKey& key : keys) {
    if (batches.back().size() == kMostInBatch) {
      batches.emplace_back();
    }
    batches.back().push_back(row_key(key));
  }
  std::vector<Result<std::vector<Item>>> answers(batches.size());
  run_side_by_side(batches.size(), parallel_, [&](std::size_t i) {
    answers[i] = table_.get_many(batches[i]);
    return true;
  });
  bool found = false;
  for (const auto& answer : answers) {
    if (!answer) {
      return fail(answer.error());
    }
    for (const Item& item : *answer) {
      if (dynamodb::key_of(item) == kStoreKey) {
        CC_ASSIGN(before_, store_from(item));
        found = true;
        continue;
      }
      CC_ASSIGN(const BlsPublicKey key, public_key_of(item));
      CC_TRY(take_row(place_for(key), item));
    }
  }
  if (!found) {
    return fail(ErrorKind::slashing_store_mismatch,
                table_.place() +
                    " has lost its identity: it was emptied or made anew. Nothing is signed. Put the right "
                    "table back");
  }
  CC_TRY(watch_.store(before_));
  now_ = before_;
  for (const BlsPublicKey& key : keys) {
    place_for(key);
  }
  for (const Subject& subject : subjects_) {
    CC_TRY(watch_.row(subject.key, subject.stored));
  }
  return {};
}

DynamoSlashingTransaction::Subject& DynamoSlashingTransaction::place_for(const BlsPublicKey& key) {
  const auto [at, fresh] = places_.emplace(key, subjects_.size());
  if (fresh) {
    subjects_.emplace_back();
    subjects_.back().key = key;
    subjects_.back().now.row.id = static_cast<std::int64_t>(subjects_.size());
  }
  return subjects_[at->second];
}

Result<void> DynamoSlashingTransaction::take_row(Subject& subject, const Item& item) {
  const std::int64_t id = subject.now.row.id;
  CC_ASSIGN(subject.stored, row_from(item));
  subject.now = subject.stored;
  subject.now.row.id = id;
  subject.exists = true;
  return {};
}

// Only what the rows leave open: as a rule, the next message is above all that was signed, and nothing is read here.
Result<void> DynamoSlashingTransaction::read_records(std::span<const guard::LookAhead> ahead) {
  std::set<std::pair<std::size_t, std::uint64_t>> slots;  // place, slot
  std::map<std::size_t, std::uint64_t> targets;           // place → lowest target
  for (const guard::LookAhead& one : ahead) {
    const std::size_t place = places_.at(one.key);
    const StoredRow& row = subjects_[place].now;
    if (one.slot && !no_block_at(row, one.slot->value)) {
      slots.emplace(place, one.slot->value);
    }
    const Epoch source = one.source.value_or(Epoch{});
    if (one.target && !(no_vote_from(row, one.target->value) && no_source_above(row, source))) {
      const std::uint64_t from = row.inverted ? 0 : std::min(source.value, one.target->value);
      const auto [at, fresh] = targets.emplace(place, from);
      at->second = std::min(at->second, from);
    }
  }
  const std::vector<std::pair<std::size_t, std::uint64_t>> block_reads(slots.begin(), slots.end());
  const std::vector<std::pair<std::size_t, std::uint64_t>> vote_reads(targets.begin(), targets.end());
  std::vector<Result<std::vector<guard::SignedBlock>>> found_blocks(block_reads.size());
  std::vector<Result<std::vector<Vote>>> found_votes(vote_reads.size());
  run_side_by_side(block_reads.size() + vote_reads.size(), parallel_, [&](std::size_t i) {
    if (i < block_reads.size()) {
      const auto [place, slot] = block_reads[i];
      found_blocks[i] = blocks(subjects_[place], slot, slot);
    } else {
      const auto [place, from] = vote_reads[i - block_reads.size()];
      found_votes[i - block_reads.size()] = votes(subjects_[place], from, kTop);
    }
    return true;
  });
  for (std::size_t i = 0; i < block_reads.size(); ++i) {
    CC_ASSIGN(subjects_[block_reads[i].first].ahead_blocks[block_reads[i].second], std::move(found_blocks[i]));
  }
  for (std::size_t i = 0; i < vote_reads.size(); ++i) {
    CC_ASSIGN(subjects_[vote_reads[i].first].ahead_votes, std::move(found_votes[i]));
    subjects_[vote_reads[i].first].votes_from = vote_reads[i].second;
  }
  return {};
}

bool DynamoSlashingTransaction::changed() const {
  const bool common = now_.genesis_validators_root != before_.genesis_validators_root || now_.floor != before_.floor;
  return common || !origins_.empty() ||
         std::ranges::any_of(subjects_, [](const Subject& subject) { return subject.changed; });
}

Result<DynamoSlashingTransaction::Subject*> DynamoSlashingTransaction::subject(std::int64_t id) {
  if (id < 1 || id > static_cast<std::int64_t>(subjects_.size())) {
    return fail(ErrorKind::internal, "the slashing transaction was asked about a validator it never named");
  }
  return &subjects_[static_cast<std::size_t>(id - 1)];
}

Result<std::optional<guard::ValidatorRow>> DynamoSlashingTransaction::validator(const BlsPublicKey& key, bool create) {
  const bool known = places_.contains(key);
  Subject& subject = place_for(key);
  if (!known) {
    CC_ASSIGN(const std::optional<Item> item, table_.get(row_key(key)));
    if (item) {
      CC_TRY(take_row(subject, *item));
    }
    CC_TRY(watch_.row(key, subject.stored));
  }
  if (!subject.exists && create) {
    subject.exists = true;
    subject.changed = true;
  }
  return subject.exists ? std::optional(subject.now.row) : std::nullopt;
}

Result<void> DynamoSlashingTransaction::update_validator(const guard::ValidatorRow& row) {
  CC_ASSIGN(Subject* const subject, this->subject(row.id));
  const guard::Watermarks& low = subject->now.row.low;
  if (guard::higher(low, row.low) != row.low || row.generation < subject->now.row.generation) {
    return fail(ErrorKind::store_unavailable, "watermarks only rise, and so do generations: nothing was written");
  }
  subject->now.row = row;
  subject->changed = true;
  return {};
}

Result<std::vector<guard::SignedBlock>> DynamoSlashingTransaction::blocks(const Subject& subject, std::uint64_t from,
                                                                          std::uint64_t to) {
  std::vector<guard::SignedBlock> out;
  if (const auto ahead = subject.ahead_blocks.find(from); from == to && ahead != subject.ahead_blocks.end()) {
    out = ahead->second;
  } else if (!no_block_at(subject.stored, from)) {
    CC_TRY(table_.query(blocks_between(subject.key, from, to), [&out](const Item& item) -> Result<void> {
      CC_ASSIGN(guard::SignedBlock block, block_from(item));
      out.push_back(block);
      return {};
    }));
  }
  for (const guard::SignedBlock& block : subject.blocks) {
    if (block.slot.value >= from && block.slot.value <= to) {
      add_once(out, block);
    }
  }
  drop_forgotten(out, subject);
  return out;
}

Result<std::vector<DynamoSlashingTransaction::Vote>> DynamoSlashingTransaction::votes(const Subject& subject,
                                                                                      std::uint64_t from,
                                                                                      std::uint64_t to) {
  std::vector<Vote> out;
  const auto inside = [&](const Vote& vote) { return vote.target.value >= from && vote.target.value <= to; };
  if (subject.votes_from && *subject.votes_from <= from) {
    std::ranges::copy_if(subject.ahead_votes, std::back_inserter(out), inside);
  } else if (!no_vote_from(subject.stored, from)) {
    CC_TRY(table_.query(votes_between(subject.key, from, to), [&out](const Item& item) -> Result<void> {
      CC_ASSIGN(Vote vote, vote_from(item));
      out.push_back(vote);
      return {};
    }));
  }
  for (const Vote& vote : subject.votes) {
    if (inside(vote)) {
      add_once(out, vote);
    }
  }
  drop_forgotten(out, subject);
  return out;
}

Result<std::vector<guard::SignedBlock>> DynamoSlashingTransaction::blocks_at(std::int64_t validator, Slot slot) {
  CC_ASSIGN(const Subject* const subject, this->subject(validator));
  return blocks(*subject, slot.value, slot.value);
}

Result<std::vector<guard::SignedAttestation>> DynamoSlashingTransaction::attestations_at(std::int64_t validator,
                                                                                         Epoch target) {
  CC_ASSIGN(const Subject* const subject, this->subject(validator));
  return votes(*subject, target.value, target.value);
}

Result<std::optional<DynamoSlashingTransaction::Vote>> DynamoSlashingTransaction::surrounding(const Subject& subject,
                                                                                              Epoch source,
                                                                                              Epoch target) {
  if (target.value == kTop) {
    return std::nullopt;
  }
  CC_ASSIGN(const std::vector<Vote> above, votes(subject, target.value + 1, kTop));
  const auto found = std::ranges::find_if(above, [&](const Vote& vote) { return vote.source < source; });
  return found == above.end() ? std::nullopt : std::optional(*found);
}

// A vote inside has its target above our source, unless its own source is above its target (only imports have those).
Result<std::optional<DynamoSlashingTransaction::Vote>> DynamoSlashingTransaction::surrounded(const Subject& subject,
                                                                                             Epoch source,
                                                                                             Epoch target) {
  const bool none = target.value == 0 || no_source_above(subject.now, source);
  const std::uint64_t from = subject.now.inverted ? 0 : source.value;
  if (none || from > target.value - 1) {
    return std::nullopt;
  }
  CC_ASSIGN(const std::vector<Vote> below, votes(subject, from, target.value - 1));
  const auto found = std::ranges::find_if(below, [&](const Vote& vote) { return vote.source > source; });
  return found == below.end() ? std::nullopt : std::optional(*found);
}

Result<guard::VotesNear> DynamoSlashingTransaction::votes_near(std::int64_t validator, Epoch source, Epoch target) {
  CC_ASSIGN(const Subject* const subject, this->subject(validator));
  guard::VotesNear out;
  CC_ASSIGN(out.at_target, votes(*subject, target.value, target.value));
  CC_ASSIGN(out.surrounding, surrounding(*subject, source, target));
  CC_ASSIGN(out.surrounded, surrounded(*subject, source, target));
  return out;
}

Result<void> DynamoSlashingTransaction::add_block(std::int64_t validator, const guard::SignedBlock& block) {
  CC_ASSIGN(Subject* const subject, this->subject(validator));
  add_once(subject->blocks, block);
  subject->now.high.block_slot = std::max(subject->now.high.block_slot, std::optional(block.slot));
  subject->changed = true;
  return {};
}

Result<void> DynamoSlashingTransaction::add_attestation(std::int64_t validator,
                                                        const guard::SignedAttestation& attestation) {
  CC_ASSIGN(Subject* const subject, this->subject(validator));
  add_once(subject->votes, attestation);
  StoredRow& now = subject->now;
  now.high.source_epoch = std::max(now.high.source_epoch, std::optional(attestation.source));
  now.high.target_epoch = std::max(now.high.target_epoch, std::optional(attestation.target));
  now.inverted = now.inverted || attestation.source > attestation.target;
  subject->changed = true;
  return {};
}

Result<std::uint64_t> DynamoSlashingTransaction::forget_below(std::int64_t validator, const guard::Watermarks& low) {
  CC_ASSIGN(Subject* const subject, this->subject(validator));
  std::vector<Key> gone;
  if (low.block_slot && low.block_slot->value > 0) {
    CC_ASSIGN(const auto old, blocks(*subject, 0, low.block_slot->value - 1));
    for (const guard::SignedBlock& block : old) {
      gone.push_back(record_key(subject->key, block));
    }
  }
  if (low.target_epoch && low.source_epoch && low.target_epoch->value > 0) {
    CC_ASSIGN(const auto old, votes(*subject, 0, low.target_epoch->value - 1));
    for (const Vote& vote : old) {
      if (vote.source <= *low.source_epoch) {
        gone.push_back(record_key(subject->key, vote));
      }
    }
  }
  subject->changed = subject->changed || !gone.empty();
  subject->forgotten.insert(subject->forgotten.end(), gone.begin(), gone.end());
  return gone.size();
}

Result<void> DynamoSlashingTransaction::set_genesis_validators_root(const Root& root) {
  if (now_.genesis_validators_root && *now_.genesis_validators_root != root) {
    return fail(ErrorKind::store_unavailable, "the genesis validators root of a slashing store never changes");
  }
  now_.genesis_validators_root = root;
  return {};
}

Result<void> DynamoSlashingTransaction::raise_floor(const guard::Watermarks& floor) {
  now_.floor = guard::higher(now_.floor, floor);
  return {};
}

Result<std::vector<BlsPublicKey>> DynamoSlashingTransaction::validators() {
  std::vector<Result<std::vector<Item>>> shards(kRowShards);
  run_side_by_side(kRowShards, parallel_, [&](std::size_t i) {
    QueryRange range;
    range.pk = row_partition(i);
    range.keys_only = true;
    shards[i] = table_.query(range);
    return true;
  });
  std::set<BlsPublicKey> out;
  for (const auto& shard : shards) {
    if (!shard) {
      return fail(shard.error());
    }
    for (const Item& item : *shard) {
      CC_ASSIGN(const BlsPublicKey key, public_key_of(item));
      out.insert(key);
    }
  }
  for (const Subject& subject : subjects_) {
    if (subject.exists) {
      out.insert(subject.key);
    }
  }
  return std::vector<BlsPublicKey>(out.begin(), out.end());
}

// Records and row are read one after the other. Were something pruned in between, low marks and records would not fit
// together, and a history exported from them would leave a gap open.
Result<void> DynamoSlashingTransaction::still_the_same(const Subject& subject) {
  if (!only_looks_ || subject.stored.version == 0) {
    return {};
  }
  CC_ASSIGN(const std::optional<Item> item, table_.get(row_key(subject.key)));
  if (item) {
    CC_ASSIGN(const StoredRow row, row_from(*item));
    if (row.row.low == subject.stored.row.low) {
      return {};
    }
  }
  return fail(ErrorKind::store_unavailable,
              "the history of " + to_0x(subject.key) + " was pruned or raised while it was read: ask again");
}

Result<std::vector<guard::SignedBlock>> DynamoSlashingTransaction::all_blocks(std::int64_t validator) {
  CC_ASSIGN(const Subject* const subject, this->subject(validator));
  CC_ASSIGN(auto out, blocks(*subject, 0, kTop));
  CC_TRY(still_the_same(*subject));
  std::ranges::sort(out, [](const auto& a, const auto& b) {
    return std::tie(a.slot, a.signing_root) < std::tie(b.slot, b.signing_root);
  });
  return out;
}

Result<std::vector<guard::SignedAttestation>> DynamoSlashingTransaction::all_attestations(std::int64_t validator) {
  CC_ASSIGN(const Subject* const subject, this->subject(validator));
  CC_ASSIGN(auto out, votes(*subject, 0, kTop));
  CC_TRY(still_the_same(*subject));
  std::ranges::sort(out, [](const auto& a, const auto& b) {
    return std::tie(a.target, a.source, a.signing_root) < std::tie(b.target, b.source, b.signing_root);
  });
  return out;
}

Result<void> DynamoSlashingTransaction::add_origin(const guard::Origin& origin) {
  origins_.push_back(origin);
  return {};
}

Result<std::vector<guard::Origin>> DynamoSlashingTransaction::origins(std::size_t limit) {
  std::vector<guard::Origin> out(origins_.rbegin(), origins_.rend());
  QueryRange range;
  range.pk = kOriginsPartition;
  range.limit = limit;
  range.backwards = true;
  CC_ASSIGN(const std::vector<Item> items, table_.query(range));
  std::ranges::transform(items, std::back_inserter(out), origin_from);
  out.resize(std::min(limit, out.size()));
  return out;
}

}  // namespace cc::dynamodb
