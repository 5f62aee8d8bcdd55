// The KMS step, and the last step of every opening.
#include "seal/lock_kms.h"
#include "seal/machine.h"

namespace cc::seal {
namespace {

tl::unexpected<Error> sealed_meanwhile() {
  return fail(ErrorKind::wrong_state, "the signer was sealed by command meanwhile; run `operator resume` first");
}

}  // namespace

Result<void> Chamber::Machine::run_kms_step() {
  const Turn turn(*this);
  CC_TRY(refresh());
  if (!record_) {
    return {};
  }
  const bool reopen = process() == ProcessPhase::open && !kms_;
  if (process() == ProcessPhase::open) {
    CC_TRY(note(tell_master()));
  }
  if (process() == ProcessPhase::open && !reopen) {
    CC_TRY(note(settle_trace()));
    // Another replica may have taken in the last registration of a rotation that was approved here.
    if (approvals_ && approvals_->proven) {
      CC_TRY(finish_rotation());
    }
  }
  if (!reopen && fire(ProcessEvent::kms_step).effect != ProcessEffect::try_keks) {
    return {};
  }
  return note(open_kms());
}

Result<void> Chamber::Machine::open_kms() {
  const Core& core = record_->core;
  const Lock& lock = core.kms();
  CC_ASSIGN(Secret<32> lock_key, open_kms_lock(ports_.keks, core.chamber, lock, core.retired_locks));
  CC_ASSIGN(const SecretBytes bytes, open_content(lock_key, core.chamber, lock.header, core.content));
  CC_ASSIGN(KmsContent content, decode_kms_content(bytes));
  CC_TRY(check_members(content.pepper, *record_));
  // kms_only goes from closed to open in one step, so that a ring that does not load is tried again.
  if (core.operators() == nullptr && process() != ProcessPhase::open) {
    CC_ASSIGN(MasterKeys keys, decode_master_keys(content.inner));
    CC_TRY(open_chamber(std::move(keys)));
  } else if (fire(ProcessEvent::kms_lock_opened).effect == ProcessEffect::wipe) {
    return sealed_meanwhile();
  }
  kms_ = KmsSecrets{std::move(lock_key), std::move(content.pepper), std::move(content.inner), lock.header.id};
  return {};
}

Result<void> Chamber::Machine::open_chamber(MasterKeys keys) {
  const Core& core = record_->core;
  CC_TRY(check_core(keys, *record_));
  if (keys.keys.size() != (core.retiring ? 2U : 1U) || (core.retiring && !keys.keys.contains(*core.retiring))) {
    return fail(ErrorKind::record_tampered,
                "the locks hold other master keys than the seal record names; restore it from a backup");
  }
  CC_TRY(remember_trace(core));
  CC_ASSIGN(const std::uint64_t loaded,
            ports_.listener.opened(core.chamber, keys, [this] { return process() != ProcessPhase::barred; }));
  if (fire(ProcessEvent::master_key_ready).effect == ProcessEffect::wipe) {
    ports_.listener.closing();
    return sealed_meanwhile();
  }
  master_ = std::move(keys);
  told_master_.emplace(master_->current, master_->keys.size());
  traced_epoch_ = core.epoch;
  const std::lock_guard lock(public_);
  status_.keys_loaded = loaded;
  return {};
}

Result<void> Chamber::Machine::remember_trace(const Core& core) {
  CC_ASSIGN(const Traces traces, ports_.traces.traces());
  if (traces.named_chamber && *traces.named_chamber != core.chamber) {
    return fail(ErrorKind::slashing_store_mismatch,
                "the slashing store serves another chamber; point anti_slashing at this signer's own store, or run "
                "`slashing adopt`");
  }
  const crypto::Digest digest = epoch_digest(core);
  if (traces.named_chamber && traces.highest_epoch > core.epoch) {
    return fail(ErrorKind::record_older,
                "the slashing store saw a newer epoch of this chamber; restore the newest seal record");
  }
  if (traces.named_chamber && traces.highest_epoch == core.epoch) {
    return traces.core_digest == digest
               ? Result<void>()
               : fail(ErrorKind::record_older,
                      "the slashing store saw other locks at this epoch: this record is of another line of changes; "
                      "restore the newest seal record");
  }
  return ports_.traces.remember(core.chamber, core.epoch, digest);
}

}  // namespace cc::seal
