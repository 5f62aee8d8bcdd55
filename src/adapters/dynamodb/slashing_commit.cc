#include "adapters/dynamodb/slashing_commit.h"

#include <algorithm>

#include "base/parallel.h"
#include "guard/rules.h"

namespace cc::dynamodb {
namespace {

using Subject = DynamoSlashingTransaction::Subject;
constexpr std::size_t kMostWrites = kMostInTransaction - 1;  // one counts the commit

Item item_at(const Key& key) { return {{"pk", key.pk}, {"sk", key.sk}}; }

std::string fresh_token(Random& random) { return to_hex(random.array<16>()); }

// The row of a validator, in the place of version `over`.
Write row_write(const BlsPublicKey& key, StoredRow row, std::uint64_t over, const std::string& token) {
  row.version = over + 1;
  row.writer = token;
  Write out;
  out.item = row_item(key, row);
  if (over == 0) {
    out.condition.expression = "attribute_not_exists(#pk)";
  } else {
    out.condition.expression = "#version = :version";
    out.condition.values = {{":version", over}};
  }
  return out;
}

std::vector<Write> record_writes(const Subject& subject) {
  std::vector<Write> out;
  out.reserve(subject.blocks.size() + subject.votes.size());
  for (const guard::SignedBlock& block : subject.blocks) {
    out.push_back({Write::Kind::put, item_at(record_key(subject.key, block)), "", {}});
  }
  for (const guard::SignedAttestation& vote : subject.votes) {
    out.push_back({Write::Kind::put, item_at(record_key(subject.key, vote)), "", {}});
  }
  return out;
}

std::size_t size_of(const Subject& subject) {
  return 1 + subject.blocks.size() + subject.votes.size() + subject.forgotten.size();
}

Error overtaken(const BlsPublicKey& key) {
  return {ErrorKind::store_unavailable, "another signer changed the slashing protection of " + to_0x(key) +
                                            " at the same moment, so nothing was released: ask again"};
}

class Committing {
 public:
  Committing(Table& table, const DynamoSlashingTransaction& tx) : table_(table), tx_(tx) {}

  Result<void> common();
  Result<void> notes();
  // Validators that fit into one transaction of DynamoDB together.
  CommitOutcome together(std::vector<const Subject*> subjects);
  // One validator with too much for one transaction.
  CommitOutcome by_itself(const Subject& subject);

 private:
  bool recorded_alike(const Subject& subject, const std::optional<Item>& there);
  Result<Transacted> send(std::vector<Write> writes, const std::string& token);
  Result<bool> set(const std::string& name, const Value& value, const std::string& unless);

  Table& table_;
  const DynamoSlashingTransaction& tx_;
};

// False when the condition did not hold.
Result<bool> Committing::set(const std::string& name, const Value& value, const std::string& unless) {
  Write write;
  write.kind = Write::Kind::update;
  write.item = item_at(kStoreKey);
  write.update = "SET #" + name + " = :value";
  const StoreItem& store = tx_.store_before();
  write.condition.expression = "#id = :id AND (attribute_not_exists(#" + name + ") OR #" + name + unless + ":value)";
  write.condition.values = {{":value", value}, {":id", Bytes(store.id.begin(), store.id.end())}};
  CC_ASSIGN(const Written written, table_.write(write));
  return written.done;
}

Result<void> Committing::common() {
  const StoreItem& before = tx_.store_before();
  const StoreItem& now = tx_.store_now();
  if (now.genesis_validators_root && now.genesis_validators_root != before.genesis_validators_root) {
    const Root& root = *now.genesis_validators_root;
    CC_ASSIGN(const bool done, set("genesis_validators_root", Bytes(root.begin(), root.end()), " = "));
    if (!done) {
      return fail(ErrorKind::network_mismatch,
                  "another signer has just made this slashing store serve another network than " + to_0x(root));
    }
  }
  // A mark that is higher there already is as good.
  Item marks;
  put_marks(marks, "floor", now.floor);
  Item old;
  put_marks(old, "floor", before.floor);
  for (const auto& [name, value] : marks) {
    if (!old.contains(name) || old.at(name) != value) {
      CC_TRY(set(name, value, " < "));
    }
  }
  return {};
}

// Once all else is kept, so that work that runs again leaves one note.
Result<void> Committing::notes() {
  for (const guard::Origin& origin : tx_.origins_added()) {
    Write note;
    note.item = origin_item(origin, fresh_token(table_.random()));
    CC_TRY(table_.write(note));
  }
  return {};
}

Result<Transacted> Committing::send(std::vector<Write> writes, const std::string& token) {
  writes.push_back(count_commit(table_.random()));
  CC_ASSIGN(Transacted done, table_.transact(writes, token));
  // A table that forgot the token judges our own write as another's: the row names us.
  if (!done.done && done.repeated) {
    for (const std::optional<Item>& item : done.items) {
      done.done = done.done || (item && text_of(*item, "writer") == token);
    }
  }
  return done;
}

// Another signer was faster, with exactly this message: it is recorded, and may be released here too.
bool Committing::recorded_alike(const Subject& subject, const std::optional<Item>& there) {
  const std::size_t records = subject.blocks.size() + subject.votes.size();
  const bool plain =
      records == 1 && subject.forgotten.empty() && subject.now.row.generation == subject.stored.row.generation;
  if (!plain || !there) {
    return false;
  }
  const auto row = row_from(*there);
  if (!row || row->row.permit != guard::Permit::permitted) {
    return false;
  }
  const guard::Watermarks& low = row->row.low;
  const bool block = !subject.blocks.empty();
  const bool above = block ? !low.block_slot || subject.blocks[0].slot >= *low.block_slot
                           : (!low.source_epoch || subject.votes[0].source >= *low.source_epoch) &&
                                 (!low.target_epoch || subject.votes[0].target >= *low.target_epoch);
  if (!above) {
    return false;
  }
  const Key key = block ? record_key(subject.key, subject.blocks[0]) : record_key(subject.key, subject.votes[0]);
  const auto record = table_.get(key);
  return record && record->has_value();
}

CommitOutcome Committing::together(std::vector<const Subject*> subjects) {
  CommitOutcome out;
  while (!subjects.empty()) {
    const std::string token = fresh_token(table_.random());
    std::vector<Write> writes;
    std::vector<std::size_t> rows;  // where each validator's row stands in `writes`
    for (const Subject* subject : subjects) {
      rows.push_back(writes.size());
      writes.push_back(row_write(subject->key, subject->now, subject->stored.version, token));
      std::ranges::move(record_writes(*subject), std::back_inserter(writes));
      for (const Key& key : subject->forgotten) {
        writes.push_back({Write::Kind::remove, item_at(key), "", {}});
      }
    }
    const Result<Transacted> done = send(std::move(writes), token);
    if (!done) {
      for (const Subject* subject : subjects) {
        out.lost.emplace(subject->key, done.error());
      }
      return out;
    }
    if (done->done) {
      out.kept_any = true;
      return out;
    }
    // Those whose row is no longer the one that was read drop out; the others are sent again.
    std::vector<const Subject*> left;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      if (done->reasons[rows[i]] != Reason::condition) {
        left.push_back(subjects[i]);
      } else if (!recorded_alike(*subjects[i], done->items[rows[i]])) {
        out.lost.emplace(subjects[i]->key, overtaken(subjects[i]->key));
        out.conflict = true;
      }
    }
    if (left.size() == subjects.size()) {
      for (const Subject* subject : subjects) {
        out.lost.emplace(subject->key, Error{ErrorKind::store_unavailable,
                                             table_.place() + " refuses a write for a reason it does not name"});
      }
      return out;
    }
    subjects = std::move(left);
  }
  return out;
}

CommitOutcome Committing::by_itself(const Subject& subject) {
  CommitOutcome out;
  std::vector<std::pair<StoredRow, std::vector<Write>>> steps;
  const std::vector<Write> records = record_writes(subject);
  std::vector<Write> gone;
  gone.reserve(subject.forgotten.size());
  for (const Key& key : subject.forgotten) {
    gone.push_back({Write::Kind::remove, item_at(key), "", {}});
  }
  StoredRow raised = subject.stored;  // as it was, but for the high marks
  raised.high = guard::higher(raised.high, subject.now.high);
  raised.inverted = raised.inverted || subject.now.inverted;
  const auto cut = [&](const std::vector<Write>& all, const StoredRow& row) {
    for (std::size_t from = 0; from < all.size(); from += kMostWrites - 1) {
      const std::size_t end = std::min(all.size(), from + kMostWrites - 1);
      steps.emplace_back(row, std::vector<Write>(all.begin() + static_cast<std::ptrdiff_t>(from),
                                                 all.begin() + static_cast<std::ptrdiff_t>(end)));
    }
  };
  cut(records, raised);
  if (!steps.empty()) {
    steps.back().first = subject.now;
  }
  cut(gone, subject.now);
  std::uint64_t version = subject.stored.version;
  for (auto& [row, writes] : steps) {
    const std::string token = fresh_token(table_.random());
    writes.insert(writes.begin(), row_write(subject.key, row, version, token));
    const Result<Transacted> done = send(std::move(writes), token);
    if (!done || !done->done) {
      out.conflict = done.has_value();
      out.lost.emplace(subject.key, done ? overtaken(subject.key) : done.error());
      return out;
    }
    out.kept_any = true;
    ++version;
  }
  return out;
}

void join(CommitOutcome& to, CommitOutcome from) {
  to.lost.merge(from.lost);
  to.kept_any = to.kept_any || from.kept_any;
  to.conflict = to.conflict || from.conflict;
}

}  // namespace

Write count_commit(Random& random) {
  Write out;
  out.kind = Write::Kind::update;
  const auto draw = random.array<1>();
  out.item = item_at({kCommitsPartition, to_hex(draw)});
  out.update = "ADD #commits :one";
  out.condition.values = {{":one", std::uint64_t{1}}};
  return out;
}

Result<CommitOutcome> commit(Table& table, const DynamoSlashingTransaction& tx, std::size_t parallel) {
  Committing committing(table, tx);
  CC_TRY(committing.common());
  std::vector<std::vector<const Subject*>> groups;
  std::vector<const Subject*> large;
  std::size_t room = 0;
  for (const Subject& subject : tx.subjects()) {
    const std::size_t size = size_of(subject);
    if (!subject.changed) {
      continue;
    }
    if (size > kMostWrites) {
      large.push_back(&subject);
      continue;
    }
    if (size > room) {
      groups.emplace_back();
      room = kMostWrites;
    }
    groups.back().push_back(&subject);
    room -= size;
  }
  CommitOutcome out;
  if (groups.empty() && large.empty()) {
    CC_TRY(committing.notes());
    CC_TRY(table.write(count_commit(table.random())));
    out.kept_any = true;
    return out;
  }
  std::vector<CommitOutcome> parts(groups.size() + large.size());
  run_side_by_side(parts.size(), parallel, [&](std::size_t i) {
    parts[i] = i < groups.size() ? committing.together(groups[i]) : committing.by_itself(*large[i - groups.size()]);
    return true;
  });
  for (CommitOutcome& part : parts) {
    join(out, std::move(part));
  }
  if (out.lost.empty()) {
    CC_TRY(committing.notes());
  }
  return out;
}

}  // namespace cc::dynamodb
