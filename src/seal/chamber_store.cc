// The stored record: reading it without going back, following other replicas, and writing it.
#include "seal/machine.h"

namespace cc::seal {
namespace {

constexpr int kHintAttempts = 5;

tl::unexpected<Error> older(const std::string& what) {
  return fail(ErrorKind::record_older, what + "; the store was rolled back: restore the newest seal record");
}

}  // namespace

Result<void> Chamber::Machine::refresh() {
  const auto document = ports_.store.read(kSealRecordDocument);
  Result<void> outcome = document ? take_in(*document) : Result<void>(fail(document.error()));
  record_trouble_ = outcome ? std::nullopt : std::optional<Error>(outcome.error());
  publish();
  return outcome;
}

Result<void> Chamber::Machine::take_in(const std::optional<Document>& document) {
  if (!document) {
    CC_TRY(check_nothing_lost(false));
    adopt({}, Tombstone{});
    return {};
  }
  if (document->revision < seen_.revision) {
    return older("revision " + std::to_string(document->revision) + " of the seal record came after revision " +
                 std::to_string(seen_.revision));
  }
  if (document->revision == seen_.revision && crypto::sha256(document->content) != seen_.content) {
    return fail(ErrorKind::record_tampered, "the seal record changed without a new revision; find out by whom");
  }
  CC_ASSIGN(const StoredRecord stored, decode(document->content));
  if (const auto* record = std::get_if<SealRecord>(&stored)) {
    CC_TRY(check_not_older(*document, *record));
    if (auto proven = check_macs(*record); !proven) {
      obey_seal(*record);
      return proven;
    }
  } else {
    CC_TRY(check_nothing_lost(true));
  }
  adopt(*document, stored);
  return {};
}

// A chamber under registration leaves no traces outside the record, so neither absence nor a tombstone explains any.
Result<void> Chamber::Machine::check_nothing_lost(bool tombstone) {
  const std::string found = tombstone ? "a tombstone stands in place of the seal record" : "there is no seal record";
  if (seen_.was_set || (!tombstone && seen_.revision > 0)) {
    return fail(ErrorKind::record_missing, found + ", but this process saw one; restore it from a backup");
  }
  CC_ASSIGN(const Traces traces, ports_.traces.traces());
  if (traces.key_records || traces.named_chamber) {
    return fail(ErrorKind::record_missing,
                found + ", but " +
                    (traces.key_records ? "the key store holds sealed keys" : "the slashing store names a chamber") +
                    "; restore the seal record from a backup, or point signer_state at the right store");
  }
  return {};
}

Result<void> Chamber::Machine::check_not_older(const Document& document, const SealRecord& record) const {
  const Core& core = record.core;
  if (seen_.was_set && seen_.chamber != core.chamber) {
    return fail(ErrorKind::record_tampered,
                "the seal record is suddenly one of another chamber; restore this chamber's");
  }
  if (seen_.chamber == core.chamber) {
    const bool registering_again = seen_.was_set && phase_of(record) == RecordPhase::registering;
    if (core.epoch < seen_.epoch || record.members.changes < seen_.member_changes || registering_again) {
      return older("revision " + std::to_string(document.revision) +
                   " of the seal record holds an older state than seen");
    }
    if (core.epoch == seen_.epoch && epoch_digest(core) != seen_.epoch_digest) {
      return fail(ErrorKind::record_tampered,
                  "the locks in the seal record changed without a new epoch; find out by whom");
    }
  }
  if (process() == ProcessPhase::open) {
    return {};
  }
  CC_ASSIGN(const Traces traces, ports_.traces.traces());
  // A chamber is named to the slashing store when it first opens, which no registering chamber ever did.
  if (traces.named_chamber == core.chamber && phase_of(record) == RecordPhase::registering) {
    return older(
        "the seal record is one from before the operators had registered, and this chamber has been open since");
  }
  if (traces.named_chamber == core.chamber && core.epoch < traces.highest_epoch) {
    return older("the seal record is of epoch " + std::to_string(core.epoch) + ", the slashing store saw epoch " +
                 std::to_string(traces.highest_epoch));
  }
  return {};
}

Result<void> Chamber::Machine::check_macs(const SealRecord& record) {
  if (kms_ && kms_->lock == record.core.kms().header.id) {
    CC_TRY(check_members(kms_->pepper, record));
  }
  if (master_ && !master_->keys.contains(record.core.master_key)) {
    CC_TRY(learn_master(record));
  }
  return master_ ? check_core(*master_, record) : Result<void>();
}

void Chamber::Machine::adopt(const Document& document, const StoredRecord& stored) {
  const auto* record = std::get_if<SealRecord>(&stored);
  if (record != nullptr) {
    follow(*record);
  } else if (record_) {
    fire(ProcessEvent::record_gone);
    wipe_secrets();
  }
  record_ = record == nullptr ? std::nullopt : std::optional<SealRecord>(*record);
  revision_ = document.revision;
  record_trouble_.reset();
  remember_seen(document, record);
  tell_listener(record != nullptr);
  settle_setup_token(false);
  publish();
}

// What a new state of the record means for this process; `record_` is still the one before.
void Chamber::Machine::follow(const SealRecord& next) {
  if (record_ && record_->core.chamber != next.core.chamber) {
    fire(ProcessEvent::record_gone);
    wipe_secrets();
  } else if (record_ && next.core.epoch > record_->core.epoch) {
    round_was_dropped_ = round_ && round_->shares.counted() > 0;
    round_.reset();
    approvals_.reset();
    rehearsal_.reset();
    kms_.reset();
    if (fire(ProcessEvent::epoch_changed).effect == ProcessEffect::wipe) {
      wipe_secrets();
    }
  } else if (record_ && phase_of(*record_) == RecordPhase::registering && phase_of(next) == RecordPhase::set) {
    fire(ProcessEvent::registration_complete);
    wipe_secrets();
  }
  if (master_ && !next.core.retiring && master_->keys.size() > 1) {
    std::erase_if(master_->keys, [this](const auto& one) { return one.first != master_->current; });
    operators_key_.reset();
  }
  // An approval is for what was staged when it was given.
  if (approvals_ && approvals_->purpose != rotation_digest(next.core)) {
    approvals_.reset();
  }
  obey_seal(next);
  // A hold keeps sealed what is sealed; who is open already goes on until it restarts.
  if (next.hints.hold && process() == ProcessPhase::closed) {
    fire(ProcessEvent::seal);
  }
}

void Chamber::Machine::obey_seal(const SealRecord& next) {
  if (record_ && next.hints.seal_generation > seen_.seal_generation) {
    seen_.seal_generation = next.hints.seal_generation;
    fire(ProcessEvent::seal);
    ports_.listener.closing();
    wipe_secrets();
  }
}

void Chamber::Machine::remember_seen(const Document& document, const SealRecord* record) {
  if (document.revision == 0) {
    return;
  }
  seen_.revision = document.revision;
  seen_.content = crypto::sha256(document.content);
  if (record != nullptr) {
    seen_.chamber = record->core.chamber;
    seen_.was_set = seen_.was_set || phase_of(*record) != RecordPhase::registering;
    seen_.epoch = record->core.epoch;
    seen_.epoch_digest = epoch_digest(record->core);
    seen_.member_changes = record->members.changes;
    seen_.seal_generation = record->hints.seal_generation;
  } else {
    seen_.chamber.reset();
  }
}

Result<void> Chamber::Machine::commit(const StoredRecord& record) {
  const Bytes content = encode(record);
  CC_ASSIGN(const std::uint64_t revision, write_and_settle(revision_, content));
  adopt({revision, content}, record);
  return {};
}

Result<std::uint64_t> Chamber::Machine::write_and_settle(std::uint64_t expected, const Bytes& content) {
  auto written = ports_.store.write(kSealRecordDocument, expected, content);
  if (written || written.error().kind != ErrorKind::store_in_doubt) {
    return written;
  }
  const auto now = ports_.store.read(kSealRecordDocument);
  if (!now) {
    return fail(ErrorKind::store_in_doubt,
                "it is unknown whether the seal record was written, and the store cannot be read: " +
                    now.error().message + "; look at `operator status` before trying again");
  }
  const std::uint64_t revision = *now ? (*now)->revision : 0;
  if (revision == expected + 1 && (*now)->content == content) {
    return revision;
  }
  if (revision == expected) {
    return fail(ErrorKind::store_unavailable, "the seal record was not written, nothing changed; try again");
  }
  return fail(ErrorKind::record_conflict, "another process changed the seal record first");
}

// Without the ceremony lock, on the stored record alone: a seal never waits for a ceremony. The next refresh takes it
// in.
Result<void> Chamber::Machine::store_hints(bool hold, bool all) {
  Result<std::uint64_t> written = fail(ErrorKind::record_conflict, "the seal record keeps changing; try again");
  for (int attempt = 0; attempt < kHintAttempts; ++attempt) {
    CC_ASSIGN(const auto document, ports_.store.read(kSealRecordDocument));
    CC_ASSIGN(StoredRecord stored, document ? decode(document->content) : Result<StoredRecord>(Tombstone{}));
    auto* record = std::get_if<SealRecord>(&stored);
    if (record == nullptr) {
      return fail(ErrorKind::not_initialized, "there is no seal record to keep this in; only this process is sealed");
    }
    record->hints.hold = record->hints.hold || hold;
    record->hints.seal_generation += all ? 1 : 0;
    written = write_and_settle(document->revision, encode(stored));
    if (written || written.error().kind != ErrorKind::record_conflict) {
      break;
    }
  }
  return written ? Result<void>() : Result<void>(fail(written.error()));
}

}  // namespace cc::seal
