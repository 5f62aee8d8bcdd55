#include "adapters/dynamodb/slashing_store.h"

#include <algorithm>
#include <exception>

namespace cc::dynamodb {
namespace {

constexpr int kRuns = 5;  // of work that another signer overtook

Item item_at(const Key& key) { return {{"pk", key.pk}, {"sk", key.sk}}; }

Result<void> run_guarded(const guard::SlashingStore::Work& work, guard::SlashingTransaction& tx) {
  try {
    return work(tx);
  } catch (const std::exception& error) {
    return fail(ErrorKind::internal, std::string("the work in the slashing store broke off: ") + error.what());
  } catch (...) {
    return fail(ErrorKind::internal, "the work in the slashing store broke off");
  }
}

}  // namespace

Result<std::unique_ptr<DynamoSlashingStore>> DynamoSlashingStore::open(std::shared_ptr<Table> table, OpenMode mode,
                                                                       const std::optional<ChamberId>& chamber,
                                                                       SlashingOptions options) {
  const auto described = table->describe();
  if (!described) {
    Error error = described.error();
    const bool make = error.kind == ErrorKind::not_found && mode == OpenMode::open_or_create;
    error.kind = make ? ErrorKind::store_unavailable : error.kind;
    return fail(std::move(error));
  }
  std::unique_ptr<DynamoSlashingStore> out(new DynamoSlashingStore(std::move(table), options));
  out->chamber_ = chamber;
  if (mode == OpenMode::open_or_create) {
    Write write;
    const auto id = out->table_->random().array<16>();
    write.item = item_at(kStoreKey);
    write.item["id"] = Bytes(id.begin(), id.end());
    write.item["kind"] = std::string(kSlashingKind);
    write.item["run"] = std::uint64_t{0};
    write.condition.expression = "attribute_not_exists(#pk)";
    CC_TRY(out->table_->write(write));
  }
  CC_ASSIGN(const StoreItem store, out->read_store());
  CC_TRY(out->recognise(store));
  return out;
}

tl::unexpected<Error> DynamoSlashingStore::mismatch(const std::string& what) const {
  return fail(ErrorKind::slashing_store_mismatch,
              table_->place() + " " + what +
                  ". Nothing is signed. Put the right table back, or stop every signer and run `containment-chamber "
                  "slashing adopt` with watermarks above everything that may have been signed");
}

Result<void> DynamoSlashingStore::recognise(const StoreItem& found) {
  const std::lock_guard lock(mutex_);
  if (!id_) {
    id_ = found.id;
  }
  if (*id_ != found.id) {
    return mismatch("is another store than the one this signer signs with");
  }
  if (found.run < run_seen_) {
    return mismatch("has lost an opening that this signer has seen (a restored backup)");
  }
  run_seen_ = found.run;
  return {};
}

Result<void> DynamoSlashingStore::recognise_row(const BlsPublicKey& key, const StoredRow& row) {
  const std::lock_guard lock(mutex_);
  const auto seen = versions_seen_.find(key);
  if (seen != versions_seen_.end() && row.version < seen->second) {
    return mismatch("has lost what this signer recorded of " + to_0x(key) + " (a restored backup)");
  }
  if (row.version > 0) {
    versions_seen_[key] = row.version;
  }
  return {};
}

DynamoSlashingTransaction::Watch DynamoSlashingStore::watch() {
  return {[this](const StoreItem& found) { return recognise(found); },
          [this](const BlsPublicKey& key, const StoredRow& row) { return recognise_row(key, row); }};
}

Result<void> DynamoSlashingStore::run(DynamoSlashingTransaction& tx, std::span<const guard::LookAhead> ahead,
                                      const Work& work) {
  CC_TRY(tx.begin(ahead));
  return run_guarded(work, tx);
}

// What was committed must be there from now on. A row that was lost may have been written: its version is not known.
void DynamoSlashingStore::remember(const DynamoSlashingTransaction& tx, const CommitOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  for (const auto& subject : tx.subjects()) {
    if (subject.changed && !outcome.lost.contains(subject.key)) {
      std::uint64_t& seen = versions_seen_[subject.key];
      seen = std::max(seen, subject.stored.version + 1);
    }
  }
}

Result<void> DynamoSlashingStore::transact_in_parts(std::span<const guard::LookAhead> ahead, const Work& work,
                                                    std::map<BlsPublicKey, Error>& lost) {
  const std::shared_lock beside(alone_);
  DynamoSlashingTransaction tx(*table_, watch(), options_.parallel);
  CC_TRY(run(tx, ahead, work));
  if (!tx.changed()) {
    return {};
  }
  CC_ASSIGN(CommitOutcome outcome, commit(*table_, tx, options_.parallel));
  remember(tx, outcome);
  lost = std::move(outcome.lost);
  return {};
}

Result<void> DynamoSlashingStore::transact_ahead(std::span<const guard::LookAhead> ahead, const Work& work) {
  std::map<BlsPublicKey, Error> lost;
  CC_TRY(transact_in_parts(ahead, work, lost));
  return lost.empty() ? Result<void>() : fail(lost.begin()->second);
}

Result<void> DynamoSlashingStore::transact(const Work& work) {
  const std::unique_lock alone(alone_);
  for (int attempt = 1;; ++attempt) {
    DynamoSlashingTransaction tx(*table_, watch(), options_.parallel);
    CC_TRY(run(tx, {}, work));
    if (!tx.changed()) {
      return {};
    }
    CC_ASSIGN(const CommitOutcome outcome, commit(*table_, tx, options_.parallel));
    remember(tx, outcome);
    if (outcome.lost.empty()) {
      return {};
    }
    Error error = outcome.lost.begin()->second;
    const bool again = outcome.conflict && !outcome.kept_any && error.kind == ErrorKind::store_unavailable;
    if (!again || attempt == kRuns) {
      error.message += outcome.kept_any ? ". Of " + std::to_string(tx.subjects().size()) + " validators " +
                                              std::to_string(outcome.lost.size()) +
                                              " were not done, the others were: do it again, that does no harm"
                                        : "";
      return fail(std::move(error));
    }
  }
}

Result<void> DynamoSlashingStore::look(const Work& work) {
  DynamoSlashingTransaction tx(*table_, watch(), options_.parallel);
  tx.only_looks();
  return run(tx, {}, work);
}

Result<StoreItem> DynamoSlashingStore::read_store() {
  CC_ASSIGN(const std::optional<Item> item, table_->get(kStoreKey));
  if (!item) {
    return fail(id_ ? ErrorKind::slashing_store_mismatch : ErrorKind::not_found,
                table_->place() + " holds no slashing store" +
                    (id_ ? " any more: it was emptied or made anew. Nothing is signed. Put the right table back" : ""));
  }
  return store_from(*item);
}

Result<std::uint64_t> DynamoSlashingStore::read_commits() {
  QueryRange range;
  range.pk = kCommitsPartition;
  std::uint64_t out = 0;
  CC_TRY(table_->query(range, [&out](const Item& item) -> Result<void> {
    out += number_of(item, "commits").value_or(0);
    return {};
  }));
  return out;
}

Result<guard::StoreIdentity> DynamoSlashingStore::identity() {
  std::optional<ChamberId> chamber;
  std::uint64_t seen = 0;
  {
    const std::lock_guard lock(mutex_);
    chamber = chamber_;
    seen = commits_seen_;
  }
  CC_ASSIGN(const StoreItem store, read_store());
  CC_TRY(recognise(store));
  guard::StoreIdentity out;
  out.id = store.id;
  out.run = store.run;
  CC_ASSIGN(out.commits, read_commits());
  if (out.commits < seen) {
    return mismatch("has lost commits that this signer has seen (a restored backup)");
  }
  if (chamber) {
    CC_ASSIGN(const std::optional<Item> item, table_->get({kChambersPartition, to_hex(*chamber)}));
    if (item) {
      const auto epoch = number_of(*item, "highest_epoch");
      const auto digest = bytes_of(*item, "core_digest");
      if (!epoch || !digest || digest->size() != 32) {
        return fail(ErrorKind::store_unavailable,
                    table_->place() + " holds a malformed item of this chamber: it was altered; restore a backup");
      }
      out.chamber = chamber;
      out.highest_epoch = *epoch;
      out.core_digest = to_array<32>(*digest);
    }
  }
  const std::lock_guard lock(mutex_);
  commits_seen_ = std::max(commits_seen_, out.commits);
  return out;
}

Result<guard::StoreIdentity> DynamoSlashingStore::begin_run() {
  CC_ASSIGN(const StoreItem store, read_store());
  CC_TRY(recognise(store));
  Write write;
  write.kind = Write::Kind::update;
  write.item = item_at(kStoreKey);
  write.update = "ADD #run :one";
  write.condition = {"#id = :id", {{":one", std::uint64_t{1}}, {":id", Bytes(store.id.begin(), store.id.end())}}};
  CC_ASSIGN(const Written written, table_->write(write));
  if (!written.done) {
    return mismatch("is another store than the one this signer signs with");
  }
  CC_TRY(table_->write(count_commit(table_->random())));
  return identity();
}

Result<void> DynamoSlashingStore::name_chamber(const ChamberId& chamber, std::uint64_t epoch, const Root& core_digest) {
  Write write;
  write.kind = Write::Kind::update;
  write.item = item_at({kChambersPartition, to_hex(chamber)});
  write.update = "SET #highest_epoch = :epoch, #core_digest = :digest";
  write.condition = {"attribute_not_exists(#highest_epoch) OR #highest_epoch <= :epoch",
                     {{":epoch", epoch}, {":digest", Bytes(core_digest.begin(), core_digest.end())}}};
  CC_ASSIGN(const std::optional<Item> before, table_->get({kChambersPartition, to_hex(chamber)}));
  const bool same = before && number_of(*before, "highest_epoch") == epoch &&
                    bytes_of(*before, "core_digest") == Bytes(core_digest.begin(), core_digest.end());
  if (!same) {
    CC_ASSIGN(const Written written, table_->write(write));
    if (!written.done) {
      const std::uint64_t highest = written.item ? number_of(*written.item, "highest_epoch").value_or(0)
                                    : before     ? number_of(*before, "highest_epoch").value_or(0)
                                                 : 0;
      return fail(ErrorKind::record_older, "the slashing store has seen epoch " + std::to_string(highest) +
                                               " of this chamber, and the seal record is at epoch " +
                                               std::to_string(epoch) + ": restore the newer seal record");
    }
    CC_TRY(table_->write(count_commit(table_->random())));
  }
  const std::lock_guard lock(mutex_);
  chamber_ = chamber;
  return {};
}

}  // namespace cc::dynamodb
