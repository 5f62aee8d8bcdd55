// A new master key. Two conditional writes: the first puts it in force beside the old one, the second drops the old one
// when no key record needs it. In between the key records are moved, one by one, by whichever process is open; a
// restart goes on by itself. A copy of the seal record from before gives the old master key, which then opens nothing.
#include "base/log.h"
#include "seal/lock_kms.h"
#include "seal/machine.h"

namespace cc::seal {
namespace {

// A seal waits for the ceremony lock for 2 s: a batch has to be shorter also where a flush takes long.
constexpr std::size_t kBatch = 16;

MasterKeys current_alone(const MasterKeys& keys) {
  MasterKeys out;
  out.current = keys.current;
  out.keys.emplace(keys.current, keys.keys.at(keys.current).clone());
  return out;
}

tl::unexpected<Error> needs_operators() {
  return fail(
      ErrorKind::wrong_state,
      "this process does not hold the key of the operators lock, which seals the master key anew: run `operator "
      "seal` and `operator resume`, and let the operators unseal once more");
}

tl::unexpected<Error> cannot_follow() {
  return fail(ErrorKind::wrong_master_key,
              "another process put a new master key in force. This one signs on with the keys it holds but cannot "
              "follow: run `operator seal` and `operator resume` on it, and unseal it again");
}

}  // namespace

Result<Chamber::Machine::InForce> Chamber::Machine::seal_master_keys(SealRecord next, MasterKeys keys,
                                                                     const OperatorsKey* operators_key) {
  Core& core = next.core;
  core.parent = epoch_digest(record_->core);
  core.epoch = record_->core.epoch + 1;
  core.staged.reset();
  core.cancelled_locks.clear();
  core.master_key = keys.current;
  core.kcv = key_check_value(keys.keys.at(keys.current), core.chamber);
  KmsSecrets after{kms_->lock_key.clone(), kms_->pepper.clone(), encode_master_keys(keys), kms_->lock};
  if (const Lock* operators = core.operators()) {
    if (operators_key == nullptr || operators_key->lock != operators->header.id) {
      return needs_operators();
    }
    const Bytes box = seal_content(operators_key->key, core.chamber, operators->header,
                                   expose_secret_bytes(after.inner), ports_.random);
    CC_ASSIGN(const SecretBytes back, open_content(operators_key->key, core.chamber, operators->header, box));
    if (!(back == after.inner)) {
      return fail(ErrorKind::internal, "the operators lock does not give the new master key back; nothing was stored");
    }
    after.inner = SecretBytes::copy_of(box);
  }
  const SecretBytes content = encode_kms_content({after.inner.clone(), after.pepper.clone()});
  core.content =
      seal_content(after.lock_key, core.chamber, core.kms().header, expose_secret_bytes(content), ports_.random);
  authenticate(next, after.pepper, keys);
  CC_TRY(prove_record(next, after, keys));
  return InForce{std::move(next), std::move(after), std::move(keys), {}};
}

Result<Chamber::Machine::InForce> Chamber::Machine::master_in_force(SealRecord next) {
  std::optional<OperatorsKey> operators_key;
  if (const Lock* operators = next.core.operators(); operators != nullptr && approvals_ && approvals_->lock_key) {
    operators_key = OperatorsKey{operators->header.id, approvals_->lock_key->clone()};
  }
  MasterKeys both = current_alone(*master_);
  next.core.retiring = both.current;
  do {
    both.current = ports_.random.array<8>();
  } while (both.keys.contains(both.current));
  both.keys.emplace(both.current, ports_.random.secret<32>());
  CC_ASSIGN(InForce made,
            seal_master_keys(std::move(next), std::move(both), operators_key ? &*operators_key : nullptr));
  made.operators_key = std::move(operators_key);
  return made;
}

void Chamber::Machine::take_drawn() {
  if (drawn_) {
    master_ = std::exchange(drawn_, std::nullopt);
    operators_key_ = std::exchange(drawn_operators_key_, std::nullopt);
    resealed_.reset();
  }
}

void Chamber::Machine::keep_operators_key(const Secret<32>& lock_key) {
  if (record_->core.retiring && process() == ProcessPhase::open) {
    operators_key_ = OperatorsKey{record_->core.operators()->header.id, lock_key.clone()};
  }
}

Result<void> Chamber::Machine::learn_master(const SealRecord& record) {
  if (drawn_ && drawn_->current == record.core.master_key) {
    CC_TRY(check_core(*drawn_, record));
    take_drawn();
    return {};
  }
  if (record.core.operators() != nullptr) {
    return cannot_follow();
  }
  CC_ASSIGN(MasterKeys keys, master_behind(record));
  CC_TRY(check_core(keys, record));
  master_ = std::move(keys);
  resealed_.reset();
  return {};
}

Result<MasterKeys> Chamber::Machine::master_behind(const SealRecord& record) {
  const Core& core = record.core;
  const bool held = kms_ && kms_->lock == core.kms().header.id;
  std::optional<Secret<32>> opened;
  if (!held) {
    CC_ASSIGN(opened, open_kms_lock(ports_.keks, core.chamber, core.kms(), core.retired_locks));
  }
  CC_ASSIGN(const SecretBytes bytes,
            open_content(held ? kms_->lock_key : *opened, core.chamber, core.kms().header, core.content));
  CC_ASSIGN(const KmsContent content, decode_kms_content(bytes));
  CC_ASSIGN(MasterKeys keys, decode_master_keys(content.inner));
  const auto ours = keys.keys.find(master_->current);
  const bool known = ours != keys.keys.end();
  if (known && !(ours->second == master_->keys.at(master_->current))) {
    return fail(ErrorKind::record_tampered,
                "the locks hold another master key under the name of ours; find out who wrote the seal record");
  }
  return held || known ? Result<MasterKeys>(std::move(keys)) : Result<MasterKeys>(cannot_follow());
}

Result<void> Chamber::Machine::tell_master() {
  if (process() != ProcessPhase::open || !master_ ||
      told_master_ == std::pair(master_->current, master_->keys.size())) {
    return {};
  }
  CC_TRY(ports_.listener.reseal(record_->core.chamber, *master_, 0));
  told_master_.emplace(master_->current, master_->keys.size());
  return {};
}

Result<RotationReply> Chamber::Machine::rotate_master() {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_rotation(RecordEvent::rotate_master));
  StagedLock staged;
  staged.lock.header = {LockKind::operators, 1, ports_.random.array<16>(), 0, {}};
  staged.replaced = record_->core.master_key;
  if (record_->core.operators() != nullptr) {
    CC_TRY(stage(std::move(staged), std::nullopt));
    return waiting_reply();
  }
  SealRecord next = *record_;
  next.core.staged = std::move(staged);
  if (const auto done = put_in_force(std::move(next)); !done) {
    if (done.error().kind != ErrorKind::record_conflict) {
      return fail(done.error());
    }
    CC_TRY(refresh());
    return fail(ErrorKind::record_conflict,
                "another process changed the seal record first; this rotation changed nothing: look at `operator "
                "status`, then decide again");
  }
  RotationReply reply;
  reply.state = status().state;
  return reply;
}

Result<bool> Chamber::Machine::work_on_master_key() {
  const Turn turn(*this);
  if (record_phase() != RecordPhase::resealing || process() != ProcessPhase::open) {
    return false;
  }
  CC_TRY(refresh());
  if (!allow_rotation(RecordEvent::drop_master)) {
    return false;
  }
  if (!resealing_since_) {
    resealing_since_ = ports_.clock.monotonic();
  }
  const bool overlapped = ports_.clock.monotonic() - *resealing_since_ >= options_.master_key_overlap;
  if (!overlapped && resealed_ && resealed_->left == 0) {
    return false;
  }
  CC_ASSIGN(const Resealed moved, ports_.listener.reseal(record_->core.chamber, *master_, kBatch));
  told_master_.emplace(master_->current, master_->keys.size());
  resealed_ = Resealed{(resealed_ ? resealed_->done : 0) + moved.done, moved.left};
  publish();
  if (moved.left > 0) {
    return true;
  }
  if (!overlapped) {
    return false;
  }
  const auto dropped = drop_retiring();
  if (!dropped && dropped.error().kind == ErrorKind::record_conflict) {
    // Another process was first, with this or with something else.
    CC_TRY(refresh());
    return record_phase() == RecordPhase::resealing;
  }
  CC_TRY(dropped);
  return false;
}

Result<void> Chamber::Machine::drop_retiring() {
  SealRecord next = *record_;
  next.core.retiring.reset();
  CC_ASSIGN(InForce made,
            seal_master_keys(std::move(next), current_alone(*master_), operators_key_ ? &*operators_key_ : nullptr));
  CC_TRY(commit(made.record));
  const std::uint64_t moved = resealed_ ? resealed_->done : 0;
  if (process() == ProcessPhase::open) {
    kms_ = std::move(made.kms);
    master_ = std::move(made.master);
    operators_key_.reset();
    // The key room forgets the old one too. Were this to fail, it would keep a key that opens nothing any more; the
    // next KMS step tells it again.
    (void)tell_master();
  }
  resealed_.reset();
  resealing_since_.reset();
  log::warn("the master key was replaced, no key record needs the old one",
            {{"epoch", record_->core.epoch}, {"moved_here", moved}});
  (void)settle_trace();
  publish();
  return {};
}

std::optional<RotationStatus> Chamber::Machine::resealing_status() const {
  if (!record_->core.retiring) {
    return std::nullopt;
  }
  RotationStatus out;
  out.kind = name(StagedKind::master);
  out.resealing = true;
  if (resealed_) {
    out.resealed = resealed_->done;
    out.left = resealed_->left;
  }
  return out;
}

}  // namespace cc::seal
