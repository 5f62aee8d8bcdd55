#include "adapters/dynamodb/key_store.h"

#include <algorithm>

#include "adapters/dynamodb/table_kind.h"
#include "base/parallel.h"

namespace cc::dynamodb {
namespace {

using keys::KeyStatus;
using keys::StoredKey;

// The first byte of a compressed public key is 0x80 to 0xbf.
constexpr std::size_t kFirstPartition = 0x80;
constexpr std::size_t kPartitions = 0x40;
constexpr std::size_t kMostAdded = kMostInTransaction - 2;
constexpr int kTries = 10;
const Key kChangesKey{"store", "changes"};
const Key kSentinelKey{"store", "sentinel"};

Item item_at(const Key& key) { return {{"pk", key.pk}, {"sk", key.sk}}; }

std::size_t partition_of(const BlsPublicKey& key) {
  return std::clamp<std::size_t>(key.front(), kFirstPartition, kFirstPartition + kPartitions - 1) - kFirstPartition;
}
std::string partition_name(std::size_t partition) {
  const std::uint8_t byte[] = {static_cast<std::uint8_t>(kFirstPartition + partition)};
  return "keys#" + to_hex(byte);
}
Key place_of(const BlsPublicKey& key) { return {partition_name(partition_of(key)), to_0x(key)}; }

std::string word(KeyStatus status) { return std::string(keys::name(status)); }

Item item_of(const StoredKey& key) {
  Item out = item_at(place_of(key.public_key));
  out["status"] = word(key.status);
  out["record"] = key.record;
  return out;
}

Result<StoredKey> key_from(const Item& item) {
  StoredKey out;
  const Key place = dynamodb::key_of(item);
  const auto status = text_of(item, "status");
  auto record = bytes_of(item, "record");
  const bool named = from_hex_exact(place.sk, out.public_key) && place_of(out.public_key) == place;
  if (!named || !record || (status != word(KeyStatus::active) && status != word(KeyStatus::inactive))) {
    return fail(ErrorKind::record_malformed, "the item " + place.pk.substr(0, 40) + " / " + place.sk.substr(0, 120) +
                                                 " of the key table is damaged: it was altered; restore it from a "
                                                 "backup");
  }
  out.status = status == word(KeyStatus::active) ? KeyStatus::active : KeyStatus::inactive;
  out.record = *std::move(record);
  return out;
}

// One change more; with so many keys more (or less) of a status.
Write count(const std::map<KeyStatus, std::int64_t>& differences) {
  Write out;
  out.kind = Write::Kind::update;
  out.item = item_at(kChangesKey);
  std::string set;
  out.update = "ADD #changes :one";
  out.condition.values = {{":one", std::uint64_t{1}}};
  for (const auto& [status, difference] : differences) {
    const std::string name = word(status);
    if (difference > 0) {
      out.update.append(", #").append(name).append(" :").append(name);
    } else if (difference < 0) {
      set.append(set.empty() ? "SET #" : ", #").append(name).append(" = #").append(name).append(" - :").append(name);
    }
    if (difference != 0) {
      out.condition.values.emplace(":" + name, static_cast<std::uint64_t>(std::abs(difference)));
    }
  }
  out.update += set.empty() ? "" : " " + set;
  return out;
}

tl::unexpected<Error> unknown(const BlsPublicKey& key) {
  return fail(ErrorKind::unknown_key, "the key store has no key " + to_0x(key));
}

std::string fresh_token(Random& random) { return to_hex(random.array<16>()); }

// The last reason is that of the counter, where the sentinel held to is asked for.
bool overtaken(const Transacted& done) { return !done.reasons.empty() && done.reasons.back() == Reason::condition; }
tl::unexpected<Error> overtaken_error() {
  return fail(
      ErrorKind::record_conflict,
      "another signer put a new master key in force: nothing was changed here. This one follows within seconds, "
      "then repeat the request; if it cannot, `operator status` says why");
}

Condition unchanged(const StoredKey& before) {
  return {"#record = :record AND #status = :status", {{":record", before.record}, {":status", word(before.status)}}};
}

}  // namespace

Result<std::unique_ptr<DynamoKeyStore>> DynamoKeyStore::open(std::shared_ptr<Table> table, std::size_t parallel) {
  CC_TRY(claim(*table, kKeysKind));
  return std::unique_ptr<DynamoKeyStore>(new DynamoKeyStore(std::move(table), parallel));
}

Result<std::vector<StoredKey>> DynamoKeyStore::read_partition(std::size_t partition,
                                                              const std::optional<BlsPublicKey>& after,
                                                              std::size_t limit) {
  QueryRange range;
  range.pk = partition_name(partition);
  range.limit = limit;
  if (after) {
    // Nothing sorts between a text and the same with one more lowest character.
    range.from = to_0x(*after) + "!";
    range.to = "0x~";
  }
  std::vector<StoredKey> out;
  CC_TRY(table_->query(range, [&out](const Item& item) -> Result<void> {
    CC_ASSIGN(StoredKey key, key_from(item));
    out.push_back(std::move(key));
    return {};
  }));
  return out;
}

// As many partitions at once as may be read side by side; then they are shown, in order.
Result<void> DynamoKeyStore::for_each(std::optional<KeyStatus> only,
                                      const std::function<Result<void>(const StoredKey&)>& visit) {
  const std::size_t width = std::max<std::size_t>(1, parallel_);
  for (std::size_t from = 0; from < kPartitions; from += width) {
    std::vector<Result<std::vector<StoredKey>>> parts(std::min(width, kPartitions - from));
    run_side_by_side(parts.size(), width, [&](std::size_t i) {
      parts[i] = read_partition(from + i, std::nullopt, 0);
      return true;
    });
    for (const auto& part : parts) {
      if (!part) {
        return fail(part.error());
      }
      for (const StoredKey& key : *part) {
        if (!only || key.status == *only) {
          CC_TRY(visit(key));
        }
      }
    }
  }
  return {};
}

Result<std::uint64_t> DynamoKeyStore::count(std::optional<KeyStatus> only) {
  CC_ASSIGN(const std::optional<Item> item, table_->get(kChangesKey));
  std::uint64_t out = 0;
  for (const KeyStatus status : {KeyStatus::active, KeyStatus::inactive}) {
    const bool wanted = !only || *only == status;
    out += wanted && item ? number_of(*item, word(status)).value_or(0) : 0;
  }
  return out;
}

Result<std::uint64_t> DynamoKeyStore::changes() {
  CC_ASSIGN(const std::optional<Item> item, table_->get(kChangesKey));
  return item ? number_of(*item, "changes").value_or(0) : 0;
}

Result<std::vector<StoredKey>> DynamoKeyStore::page(const std::optional<BlsPublicKey>& after, std::size_t limit) {
  std::vector<StoredKey> out;
  const std::size_t first = after ? partition_of(*after) : 0;
  const std::size_t width = std::max<std::size_t>(1, parallel_);
  // A page mostly ends in the partition it begins in.
  for (std::size_t from = first, next = 0; from < kPartitions && out.size() < limit; from = next) {
    next = std::min(from + (from == first ? 1 : width), kPartitions);
    std::vector<Result<std::vector<StoredKey>>> parts(next - from);
    const std::size_t left = limit - out.size();
    run_side_by_side(parts.size(), width, [&](std::size_t i) {
      parts[i] = read_partition(from + i, from + i == first ? after : std::nullopt, left);
      return true;
    });
    for (auto& part : parts) {
      if (!part) {
        return fail(part.error());
      }
      std::ranges::move(*part, std::back_inserter(out));
    }
  }
  out.resize(std::min(out.size(), limit));
  return out;
}

Result<std::optional<StoredKey>> DynamoKeyStore::find(const BlsPublicKey& key) {
  CC_ASSIGN(const std::optional<Item> item, table_->get(place_of(key)));
  if (!item) {
    return std::nullopt;
  }
  CC_ASSIGN(StoredKey found, key_from(*item));
  return std::optional<StoredKey>(std::move(found));
}

Result<std::vector<bool>> DynamoKeyStore::add(const std::vector<StoredKey>& records) {
  std::map<BlsPublicKey, std::size_t> places;  // of the first with each public key
  std::vector<const StoredKey*> fresh;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (places.emplace(records[i].public_key, i).second) {
      fresh.push_back(&records[i]);
    }
  }
  std::vector<bool> out(records.size());
  for (std::size_t from = 0; from < fresh.size(); from += kMostAdded) {
    const std::size_t end = std::min(fresh.size(), from + kMostAdded);
    const std::vector<const StoredKey*> some(fresh.begin() + static_cast<std::ptrdiff_t>(from),
                                             fresh.begin() + static_cast<std::ptrdiff_t>(end));
    std::vector<bool> added(some.size());
    CC_TRY(add_some(some, added));
    for (std::size_t i = 0; i < some.size(); ++i) {
      out[places.at(some[i]->public_key)] = added[i];
    }
  }
  return out;
}

Result<void> DynamoKeyStore::add_some(const std::vector<const StoredKey*>& records, std::vector<bool>& added) {
  std::vector<std::size_t> left(records.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    left[i] = i;
  }
  while (!left.empty()) {
    std::vector<Write> writes;
    std::map<KeyStatus, std::int64_t> differences;
    const std::string token = fresh_token(table_->random());
    for (const std::size_t i : left) {
      Write write;
      write.item = item_of(*records[i]);
      write.item["writer"] = token;
      write.condition.expression = "attribute_not_exists(#pk)";
      writes.push_back(std::move(write));
      ++differences[records[i]->status];
    }
    writes.push_back(held_count(differences));
    CC_ASSIGN(const Transacted done, table_->transact(writes, token));
    const bool ours = !done.done && done.repeated && !done.items.empty() && done.items.front() &&
                      text_of(*done.items.front(), "writer") == token;
    if (!done.done && !ours && overtaken(done)) {
      return overtaken_error();
    }
    std::vector<std::size_t> again;
    for (std::size_t n = 0; n < left.size(); ++n) {
      if (done.done || ours) {
        added[left[n]] = true;
      } else if (done.reasons[n] != Reason::condition) {
        again.push_back(left[n]);
      }
    }
    if (again.size() == left.size()) {
      return fail(ErrorKind::store_unavailable, table_->place() + " refuses a write for a reason it does not name");
    }
    left = std::move(again);
  }
  return {};
}

Result<bool> DynamoKeyStore::change(const StoredKey& before, Write write, std::optional<KeyStatus> after) {
  write.condition = unchanged(before);
  std::map<KeyStatus, std::int64_t> differences;
  --differences[before.status];
  if (after) {
    ++differences[*after];
  }
  CC_ASSIGN(const Transacted done,
            table_->transact({write, dynamodb::count(differences)}, fresh_token(table_->random())));
  return done.done;
}

Result<void> DynamoKeyStore::replace_all(const std::vector<StoredKey>& records) {
  for (std::size_t from = 0; from < records.size(); from += kMostAdded) {
    CC_TRY(replace_some(std::span(records).subspan(from, std::min(kMostAdded, records.size() - from))));
  }
  return {};
}

Result<void> DynamoKeyStore::replace_some(std::span<const StoredKey> records) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::vector<Write> writes;
    std::map<KeyStatus, std::int64_t> differences;
    for (const StoredKey& record : records) {
      CC_ASSIGN(const std::optional<StoredKey> before, find(record.public_key));
      if (!before) {
        return unknown(record.public_key);
      }
      if (before->status == record.status && before->record == record.record) {
        continue;
      }
      Write write;
      write.item = item_of(record);
      write.condition = unchanged(*before);
      writes.push_back(std::move(write));
      --differences[before->status];
      ++differences[record.status];
    }
    if (writes.empty()) {
      return {};
    }
    writes.push_back(held_count(differences));
    CC_ASSIGN(const Transacted done, table_->transact(writes, fresh_token(table_->random())));
    if (done.done) {
      return {};
    }
    // A lost answer is told by the next attempt, which finds nothing left to write.
    if (overtaken(done) && !done.repeated) {
      return overtaken_error();
    }
  }
  return fail(ErrorKind::store_unavailable, "other signers keep changing the key " + to_0x(records.front().public_key) +
                                                ", or one beside it: nothing was changed; try again");
}

Result<bool> DynamoKeyStore::exchange(const StoredKey& before, const StoredKey& after) {
  Write write;
  write.item = item_of(after);
  if (before.status != after.status) {
    return change(before, std::move(write), after.status);
  }
  write.condition = unchanged(before);
  CC_ASSIGN(const Written written, table_->write(write));
  if (written.done || !written.repeated) {
    return written.done;
  }
  CC_ASSIGN(const std::optional<StoredKey> stored, find(after.public_key));
  return stored && stored->status == after.status && stored->record == after.record;
}

Result<void> DynamoKeyStore::remove(const BlsPublicKey& key) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    CC_ASSIGN(const std::optional<StoredKey> before, find(key));
    if (!before) {
      return unknown(key);
    }
    Write write;
    write.kind = Write::Kind::remove;
    write.item = item_at(place_of(key));
    CC_ASSIGN(const bool done, change(*before, std::move(write), std::nullopt));
    if (done) {
      return {};
    }
  }
  return fail(ErrorKind::store_unavailable,
              "other signers keep changing the key " + to_0x(key) + ": nothing was removed; try again");
}

Result<std::optional<Bytes>> DynamoKeyStore::sentinel() {
  CC_ASSIGN(const std::optional<Item> item, table_->get(kSentinelKey));
  if (!item) {
    return std::nullopt;
  }
  auto content = bytes_of(*item, "content");
  if (!content) {
    return fail(ErrorKind::record_malformed,
                "the sentinel of the key table is damaged: it was altered; restore it from a backup");
  }
  return content;
}

Result<bool> DynamoKeyStore::exchange_sentinel(const std::optional<Bytes>& before, ByteView after) {
  const Bytes wanted(after.begin(), after.end());
  Write sentinel;
  sentinel.item = item_at(kSentinelKey);
  sentinel.item["content"] = wanted;
  if (before) {
    sentinel.condition = {"#content = :content", {{":content", *before}}};
  } else {
    sentinel.condition.expression = "attribute_not_exists(#pk)";
  }
  Write repeat;
  repeat.kind = Write::Kind::update;
  repeat.item = item_at(kChangesKey);
  repeat.update = "SET #sentinel = :sentinel";
  repeat.condition.values = {{":sentinel", wanted}};
  CC_ASSIGN(const Transacted done, table_->transact({sentinel, repeat}, fresh_token(table_->random())));
  bool ours = done.done;
  if (!ours && done.repeated) {
    CC_ASSIGN(const std::optional<Bytes> stands, this->sentinel());
    ours = stands == wanted;
  }
  if (ours) {
    hold_to(after);
  }
  return ours;
}

void DynamoKeyStore::hold_to(ByteView sentinel) {
  const std::lock_guard lock(mutex_);
  held_ = Bytes(sentinel.begin(), sentinel.end());
}

Write DynamoKeyStore::held_count(const std::map<KeyStatus, std::int64_t>& differences) const {
  Write out = dynamodb::count(differences);
  const std::lock_guard lock(mutex_);
  if (held_) {
    out.condition.expression = "attribute_not_exists(#sentinel) OR #sentinel = :sentinel";
    out.condition.values.emplace(":sentinel", *held_);
  }
  return out;
}

}  // namespace cc::dynamodb
