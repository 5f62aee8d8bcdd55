// What operators do together without unsealing: approving a rotation, rehearsing an unseal; and each alone, a drill.
// An approval is a share: with m of them the lock's key is rebuilt and has to open the lock, so that a quorum is proven
// and not merely counted. The shares stay in this process and are wiped with it.
#include <algorithm>

#include "base/log.h"
#include "seal/machine.h"

namespace cc::seal {

bool Chamber::Machine::approved(const Core& core) const {
  return approvals_required(core) == 0 ||
         (approvals_ && approvals_->proven && approvals_->purpose == rotation_digest(core));
}

// Rebuilds the operators lock's key, opens the lock with it, and checks what lies inside against the record.
Result<Secret<32>> Chamber::Machine::prove_quorum(const ShareCollection& shares) const {
  const Core& core = record_->core;
  CC_ASSIGN(Secret<32> lock_key, shares.combine());
  const ByteView inner = expose_secret_bytes(std::as_const(kms_->inner));
  CC_ASSIGN(const SecretBytes content, open_content(lock_key, core.chamber, core.operators()->header, inner));
  CC_ASSIGN(const MasterKeys keys, decode_master_keys(content));
  CC_TRY(check_core(keys, *record_));
  return lock_key;
}

Result<void> Chamber::Machine::count_towards(std::optional<Quorum>& quorum, const crypto::Digest& purpose,
                                             const Opened& opened) {
  const Core& core = record_->core;
  const Lock& lock = *core.operators();
  if (opened.retired) {
    return fail(ErrorKind::share_older_set, "this credential holds a share of a set that was replaced");
  }
  CC_ASSIGN(crypto::Share share, read_share(opened.rtss, lock.header, opened.index, core.retired_locks));
  if (!quorum || quorum->purpose != purpose) {
    quorum.emplace(
        Quorum{purpose, ShareCollection(core.chamber, lock), ports_.clock.monotonic(), false, lock.header.m, {}});
  }
  if (quorum->proven) {
    return {};
  }
  const auto verdict = quorum->shares.add(std::move(share));
  if (quorum->shares.may_combine()) {
    Result<Secret<32>> proven = prove_quorum(quorum->shares);
    if (proven) {
      quorum->proven = true;
      const bool needed = core.staged && core.staged->kind() == StagedKind::master && purpose != crypto::Digest{};
      quorum->lock_key = needed ? std::optional(std::move(*proven)) : std::nullopt;
      quorum->shares = ShareCollection(core.chamber, lock);
      return {};
    }
    if (quorum->shares.counted() >= lock.header.m) {
      quorum.reset();
      return fail(proven.error());
    }
  }
  if (verdict == ShareCollection::Verdict::repeated) {
    return fail(purpose == crypto::Digest{} ? ErrorKind::share_repeated : ErrorKind::approval_repeated,
                "this operator is counted already; another operator is needed");
  }
  if (verdict == ShareCollection::Verdict::set_aside) {
    return fail(ErrorKind::share_mismatch,
                "the share does not match its verifier in the record: it was set aside; compare the record with its "
                "backup");
  }
  return {};
}

Result<ApproveReply> Chamber::Machine::approve(const std::string& operator_name, const CredentialSecret& credential,
                                               const std::string& rotation, const std::string& source) {
  const Turn turn(*this);
  drop_expired_round();
  CC_TRY(refresh());
  CC_TRY(allow_rotation(RecordEvent::approve_rotation));
  const crypto::Digest digest = rotation_digest(record_->core);
  if (rotation != to_hex(digest)) {
    return fail(ErrorKind::rotation_changed,
                "the rotation that waits is another one than you were told of; ask the coordinator, and approve only "
                "what you know");
  }
  if (record_->core.operators() == nullptr) {
    return fail(ErrorKind::wrong_state, "this chamber has no operators yet; nobody has to approve");
  }
  CC_ASSIGN(const PreparedSecret secret, prepare_secret(credential));
  CC_ASSIGN(const Opened opened, prove_any(operator_name, secret, source));
  CC_TRY(count_towards(approvals_, digest, opened));
  log::warn("rotation approved", {{"operator", operator_name}, {"rotation", rotation}});
  ApproveReply reply;
  reply.approvals_received = approvals_->counted();
  reply.approvals_required = record_->core.operators()->header.m;
  const std::vector<std::string> before = record_->core.kms().header.members;
  const bool kms = record_->core.staged->kind() == StagedKind::kms;
  auto finished = finish_rotation();
  for (int attempt = 0; !finished && finished.error().kind == ErrorKind::record_conflict && attempt < 4; ++attempt) {
    CC_TRY(refresh());
    finished = finish_rotation();
  }
  CC_ASSIGN(const bool done, std::move(finished));
  if (done || (approvals_ && approvals_->proven)) {
    reply.state = status().state;
  }
  if (done && kms) {
    reply.safe_to_disable = safe_to_disable(before);
  }
  publish();
  return reply;
}

// The same path as an unseal up to the check of the record; then everything is wiped.
Result<UnsealReply> Chamber::Machine::rehearse(const std::string& operator_name, const CredentialSecret& credential,
                                               const std::string& source) {
  const Turn turn(*this);
  drop_expired_round();
  CC_TRY(refresh());
  CC_TRY(allow_credentials());
  CC_TRY(need_operators());
  CC_ASSIGN(const PreparedSecret secret, prepare_secret(credential));
  CC_ASSIGN(const Opened opened, prove_any(operator_name, secret, source));
  CC_TRY(count_towards(rehearsal_, {}, opened));
  UnsealReply reply;
  reply.shares_required = record_->core.operators()->header.m;
  reply.shares_received = rehearsal_->counted();
  reply.would_open = rehearsal_->proven;
  if (rehearsal_->proven) {
    rehearsal_.reset();
  }
  return reply;
}

Result<DrillReply> Chamber::Machine::drill(const std::string& operator_name, const CredentialSecret& credential,
                                           const std::string& source) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_credentials());
  CC_TRY(need_operators());
  CC_ASSIGN(const PreparedSecret secret, prepare_secret(credential));
  CC_ASSIGN(const Opened opened, prove_any(operator_name, secret, source));
  if (opened.retired) {
    return fail(ErrorKind::share_older_set, "this credential holds a share of a set that was replaced");
  }
  const Lock& lock = *record_->core.operators();
  CC_ASSIGN(const crypto::Share share, read_share(opened.rtss, lock.header, opened.index, record_->core.retired_locks));
  if (!equal_constant_time(share_verifier(share, record_->core.chamber, lock.header.id),
                           lock.members[opened.index - 1].verifier)) {
    return fail(ErrorKind::share_mismatch,
                "the credential opens, but its share does not match the record; compare the record with its backup");
  }
  std::vector<Proven> proven;
  proven.push_back({OperatorSet::active, opened.index, opened.stored, opened.rtss.clone()});
  const std::uint64_t now = ports_.clock.unix_seconds();
  CC_TRY(edit_entries(proven, [now](std::size_t, MemberEntry& entry) -> Result<void> {
    entry.drilled = now;
    return {};
  }));
  publish();
  return DrillReply{opened.stored.id, now};
}

Result<void> Chamber::Machine::need_operators() const {
  return record_->core.operators() != nullptr
             ? Result<void>()
             : fail(ErrorKind::wrong_state, "this chamber opens by its KEKs alone (kms_only); there are no shares");
}

}  // namespace cc::seal
