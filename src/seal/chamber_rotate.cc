// Rotation while signing: a new lock is staged beside the one in force, and put in force by one conditional write. The
// lock in force opens until that write; nothing here stops a signature.
#include <algorithm>

#include "base/log.h"
#include "seal/lock_kms.h"
#include "seal/machine.h"

namespace cc::seal {
namespace {

constexpr int kWriteAttempts = 8;
// Older ones are forgotten; the record's codec allows no more.
constexpr std::size_t kMostRetired = 10'000;

template <class Value>
void remember(std::vector<Value>& list, const Value& value) {
  if (std::ranges::find(list, value) != list.end()) {
    return;
  }
  if (list.size() >= kMostRetired) {
    list.erase(list.begin());
  }
  list.push_back(value);
}

// Who left the set is remembered, who is back is not.
void retire_operators(Core& core, const std::vector<std::string>& before) {
  const std::vector<std::string> none;
  const auto& now = core.operators() == nullptr ? none : core.operators()->header.members;
  for (const std::string& name : before) {
    remember(core.retired_operators, name);
  }
  std::erase_if(core.retired_operators, [&](const auto& name) { return std::ranges::find(now, name) != now.end(); });
}

tl::unexpected<Error> conflict() {
  return fail(
      ErrorKind::record_conflict,
      "another process changed the seal record first; this rotation changed nothing: look at `operator status`, "
      "then decide again");
}

tl::unexpected<Error> does_not_open(const char* what) {
  return fail(ErrorKind::internal, std::string(what) + "; nothing was stored");
}

}  // namespace

Result<void> Chamber::Machine::allow_rotation(RecordEvent event) const {
  CC_TRY(allow(record_phase(), event));
  CC_TRY(allow(process(), ProcessEvent::change_locks));
  return kms_ && master_ ? Result<void>()
                         : fail(ErrorKind::kms_pending, "the KMS lock is being opened again; try again in a moment");
}

unsigned Chamber::Machine::approvals_required(const Core& core) const {
  if (core.operators() == nullptr || !core.staged) {
    return 0;
  }
  const StagedKind kind = core.staged->kind();
  // Who loses their say is asked; and only their shares give the key that seals a new master key behind their lock.
  const bool always = kind == StagedKind::kms_only || kind == StagedKind::master;
  return always || options_.rotation_approval == RotationApproval::quorum ? core.operators()->header.m : 0;
}

void Chamber::Machine::authenticate(SealRecord& record, const Secret<32>& pepper, const MasterKeys& master) {
  record.record_mac = record_mac(master.keys.at(master.current), record.core);
  record.members_mac = members_mac(pepper, record.core, record.members);
}

// Reads back what would be stored, opens it with the keys it is for, and compares.
Result<void> Chamber::Machine::prove_record(const SealRecord& record, const KmsSecrets& kms, const MasterKeys& master) {
  CC_ASSIGN(const StoredRecord stored, decode(encode(record)));
  const auto& back = std::get<SealRecord>(stored);
  if (!(back == record)) {
    return does_not_open("the new seal record does not read back");
  }
  const Core& core = back.core;
  CC_ASSIGN(const SecretBytes bytes, open_content(kms.lock_key, core.chamber, core.kms().header, core.content));
  CC_ASSIGN(const KmsContent content, decode_kms_content(bytes));
  if (!(content.inner == kms.inner) || !(content.pepper == kms.pepper)) {
    return does_not_open("the new lock does not hold what it should");
  }
  CC_TRY(check_members(content.pepper, back));
  CC_TRY(check_core(master, back));
  if (core.operators() == nullptr) {
    CC_ASSIGN(const MasterKeys keys, decode_master_keys(content.inner));
    CC_TRY(check_core(keys, back));
  }
  return {};
}

// Every new KEK wraps its share and gives it back before anything is stored.
Result<StagedLock> Chamber::Machine::build_kms_lock(const KmsSetRequest& request) {
  CC_TRY(check_keks(ports_.keks, request.keks, request.threshold));
  const Core& core = record_->core;
  const Secret<32> lock_key = ports_.random.secret<32>();
  LockHeader header{LockKind::kms, 0, ports_.random.array<16>(), request.threshold, request.keks};
  CC_ASSIGN(DealtLock dealt, deal(lock_key, core.chamber, std::move(header), ports_.random));
  CC_TRY(wrap_shares(ports_.keks, core.chamber, dealt, core.kms().header.members));
  const SecretBytes content = encode_kms_content({kms_->inner.clone(), kms_->pepper.clone()});
  Bytes sealed = seal_content(lock_key, core.chamber, dealt.lock.header, expose_secret_bytes(content), ports_.random);
  return StagedLock{std::move(dealt.lock), std::move(sealed), std::nullopt};
}

// Through the KEKs, as a restart would, and compared with what is in force.
Result<Chamber::Machine::KmsSecrets> Chamber::Machine::open_staged_kms(const StagedLock& staged) {
  const Core& core = record_->core;
  CC_ASSIGN(Secret<32> lock_key, open_kms_lock(ports_.keks, core.chamber, staged.lock, core.retired_locks));
  CC_ASSIGN(const SecretBytes bytes, open_content(lock_key, core.chamber, staged.lock.header, staged.content));
  CC_ASSIGN(KmsContent content, decode_kms_content(bytes));
  if (!(content.inner == kms_->inner) || !(content.pepper == kms_->pepper)) {
    return does_not_open("the new KEKs do not give back what is in force");
  }
  return KmsSecrets{std::move(lock_key), std::move(content.pepper), std::move(content.inner), staged.lock.header.id};
}

Result<void> Chamber::Machine::stage(StagedLock staged, std::optional<MemberList> list) {
  SealRecord next = *record_;
  next.core.staged = std::move(staged);
  if (list) {
    next.members.lists.push_back(*std::move(list));
    ++next.members.changes;
  }
  authenticate(next, kms_->pepper, *master_);
  CC_TRY(prove_record(next, *kms_, *master_));
  Result<void> stored = commit(next);
  if (!stored && stored.error().kind == ErrorKind::record_conflict) {
    CC_TRY(refresh());
    return conflict();
  }
  if (stored) {
    log::warn("rotation staged", {{"kind", name(record_->core.staged->kind())}, {"epoch", record_->core.epoch}});
  }
  return stored;
}

// The record as it is once the staged lock is in force, and what this process then keeps.
Result<Chamber::Machine::InForce> Chamber::Machine::in_force(SealRecord next) {
  Core& core = next.core;
  StagedLock staged = *std::move(core.staged);
  const StagedKind kind = staged.kind();
  if (kind == StagedKind::master) {
    return master_in_force(std::move(next));
  }
  core.staged.reset();
  core.cancelled_locks.clear();
  core.parent = epoch_digest(core);
  ++core.epoch;
  if (kind == StagedKind::kms) {
    CC_ASSIGN(KmsSecrets after, open_staged_kms(staged));
    remember(core.retired_locks, core.kms().header.id);
    core.locks.front() = std::move(staged.lock);
    core.content = std::move(staged.content);
    authenticate(next, after.pepper, *master_);
    CC_TRY(prove_record(next, after, *master_));
    return InForce{std::move(next), std::move(after), {}, {}};
  }
  KmsSecrets after{kms_->lock_key.clone(), kms_->pepper.clone(), {}, kms_->lock};
  std::vector<std::string> before;
  if (const Lock* operators = core.operators()) {
    remember(core.retired_locks, operators->header.id);
    before = operators->header.members;
    next.members.lists.erase(next.members.lists.begin());
  }
  core.locks.resize(1);
  if (kind == StagedKind::operators) {
    after.inner = SecretBytes::copy_of(staged.content);
    core.locks.push_back(std::move(staged.lock));
  } else {
    after.inner = encode_master_keys(*master_);
  }
  retire_operators(core, before);
  ++next.members.changes;
  const SecretBytes content = encode_kms_content({after.inner.clone(), after.pepper.clone()});
  core.content =
      seal_content(after.lock_key, core.chamber, core.kms().header, expose_secret_bytes(content), ports_.random);
  authenticate(next, after.pepper, *master_);
  CC_TRY(prove_record(next, after, *master_));
  return InForce{std::move(next), std::move(after), {}, {}};
}

Result<void> Chamber::Machine::put_in_force(SealRecord next) {
  CC_ASSIGN(InForce made, in_force(std::move(next)));
  drawn_ = std::move(made.master);
  drawn_operators_key_ = std::move(made.operators_key);
  if (const Result<void> stored = commit(made.record); !stored) {
    if (stored.error().kind != ErrorKind::store_in_doubt) {
      drawn_.reset();
      drawn_operators_key_.reset();
    }
    return stored;
  }
  if (process() == ProcessPhase::open) {
    kms_ = std::move(made.kms);
    take_drawn();
  }
  log::warn("rotation in force", {{"epoch", record_->core.epoch}});
  // A failure is told by the next KMS step, which tries again.
  (void)settle_trace();
  publish();
  return {};
}

// The slashing store learns of a new epoch after it is stored: the other way round a write that failed would leave a
// record that counts as older than one seen.
Result<void> Chamber::Machine::settle_trace() {
  if (process() != ProcessPhase::open || !record_ || traced_epoch_ == record_->core.epoch) {
    return {};
  }
  CC_TRY(remember_trace(record_->core));
  traced_epoch_ = record_->core.epoch;
  return {};
}

// With every share taken over and every approval given. False when something is still missing.
Result<bool> Chamber::Machine::finish_rotation() {
  const bool master = record_ && record_->core.staged && record_->core.staged->kind() == StagedKind::master;
  if (!allow_rotation(master ? RecordEvent::commit_master : RecordEvent::commit_rotation)) {
    return false;
  }
  const MemberList* list = record_->members_of(OperatorSet::staged);
  if ((list != nullptr && waiting_shares(*list) > 0) || !approved(record_->core)) {
    return false;
  }
  CC_TRY(put_in_force(*record_));
  return true;
}

RotationReply Chamber::Machine::waiting_reply() const {
  RotationReply reply;
  reply.state = status().state;
  if (const unsigned required = approvals_required(record_->core); required > 0) {
    reply.rotation = to_hex(rotation_digest(record_->core));
    reply.approvals_required = required;
    reply.approvals_received = approvals_ ? approvals_->counted() : 0;
  }
  return reply;
}

// KEKs that no lock in force needs any more. Empty unless the stored record, read back, is the new one.
std::vector<std::string> Chamber::Machine::safe_to_disable(const std::vector<std::string>& before) const {
  const auto document = ports_.store.read(kSealRecordDocument);
  const bool stored = document && *document && (*document)->revision == seen_.revision &&
                      crypto::sha256((*document)->content) == seen_.content;
  if (!stored) {
    return {};
  }
  std::vector<std::string> needed;
  for (const std::string& kek : record_->core.kms().header.members) {
    needed.push_back(ports_.keks.canonical_name(kek).value_or(kek));
  }
  std::vector<std::string> out;
  std::ranges::copy_if(before, std::back_inserter(out), [&](const std::string& kek) {
    return std::ranges::find(needed, ports_.keks.canonical_name(kek).value_or(kek)) == needed.end();
  });
  return out;
}

Result<RotationReply> Chamber::Machine::rotate_kms(const KmsSetRequest& request) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_rotation(RecordEvent::rotate_kms));
  CC_ASSIGN(StagedLock staged, build_kms_lock(request));
  SealRecord next = *record_;
  next.core.staged = staged;
  if (approvals_required(next.core) > 0) {
    CC_TRY(stage(std::move(staged), std::nullopt));
    return waiting_reply();
  }
  const std::vector<std::string> before = record_->core.kms().header.members;
  if (const auto done = put_in_force(std::move(next)); !done) {
    if (done.error().kind != ErrorKind::record_conflict) {
      return fail(done.error());
    }
    CC_TRY(refresh());
    return conflict();
  }
  return kms_reply(before);
}

RotationReply Chamber::Machine::kms_reply(const std::vector<std::string>& before) const {
  RotationReply reply;
  reply.state = status().state;
  reply.shares = record_->core.kms().header.n();
  reply.threshold = record_->core.kms().header.m;
  reply.safe_to_disable = safe_to_disable(before);
  return reply;
}

Result<RotationReply> Chamber::Machine::stage_operators(const OperatorSetRequest& request) {
  CC_TRY(check_operators(request));
  CC_ASSIGN(DealtOperators dealt,
            deal_operators(record_->core.chamber, kms_->pepper, request, encode_master_keys(*master_)));
  CC_TRY(stage({std::move(dealt.lock), std::move(dealt.content), std::nullopt}, std::move(dealt.list)));
  RotationReply reply = waiting_reply();
  reply.operator_tokens = std::move(dealt.tokens);
  return reply;
}

Result<RotationReply> Chamber::Machine::rotate_unseal(const OperatorSetRequest& request) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_rotation(RecordEvent::stage_lock));
  if (record_->core.operators() == nullptr) {
    return fail(ErrorKind::wrong_state,
                "this chamber opens by its KEKs alone; `operator rotate mode --mode unseal` gives it operators");
  }
  return stage_operators(request);
}

Result<RotationReply> Chamber::Machine::rotate_to_unseal(const OperatorSetRequest& request) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_rotation(RecordEvent::stage_lock));
  if (record_->core.operators() != nullptr) {
    return fail(ErrorKind::wrong_state, "the mode is unseal already; `operator rotate unseal` replaces its operators");
  }
  return stage_operators(request);
}

Result<RotationReply> Chamber::Machine::rotate_to_kms_only() {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_rotation(RecordEvent::stage_lock));
  if (record_->core.operators() == nullptr) {
    return fail(ErrorKind::wrong_state, "the mode is kms_only already");
  }
  StagedLock staged;
  staged.lock.header = {LockKind::operators, 1, ports_.random.array<16>(), 0, {}};
  CC_TRY(stage(std::move(staged), std::nullopt));
  return waiting_reply();
}

Result<void> Chamber::Machine::rotate_cancel() {
  const Turn turn(*this);
  CC_TRY(refresh());
  std::optional<LockId> id;
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    CC_TRY(allow_rotation(RecordEvent::cancel_staged));
    SealRecord next = *record_;
    const LockId staged = next.core.staged->lock.header.id;
    if (id && *id != staged) {
      return conflict();
    }
    id = staged;
    if (std::erase_if(next.members.lists, [&](const auto& list) { return list.lock == staged; }) > 0) {
      ++next.members.changes;
    }
    next.core.staged.reset();
    remember(next.core.cancelled_locks, staged);
    authenticate(next, kms_->pepper, *master_);
    CC_TRY(prove_record(next, *kms_, *master_));
    Result<void> stored = commit(next);
    if (stored) {
      log::warn("rotation cancelled", {{"epoch", record_->core.epoch}});
    }
    if (stored || stored.error().kind != ErrorKind::record_conflict) {
      return stored;
    }
    CC_TRY(refresh());
  }
  return conflict();
}

}  // namespace cc::seal
