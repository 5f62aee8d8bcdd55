// Registration: an operator takes over the share that waits for them.
#include <algorithm>

#include "seal/machine.h"
#include "seal/names.h"

namespace cc::seal {
namespace {

constexpr int kWriteAttempts = 8;

}  // namespace

std::optional<unsigned> Chamber::Machine::member_index(const std::string& operator_name, OperatorSet set) const {
  const Lock* lock = record_ ? record_->core.operators(set) : nullptr;
  if (lock == nullptr) {
    return std::nullopt;
  }
  const auto& names = lock->header.members;
  const auto found = std::ranges::find(names, operator_name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<unsigned>(found - names.begin()) + 1U);
}

MemberName Chamber::Machine::member_name(unsigned index, OperatorSet set) const {
  const LockHeader& header = record_->core.operators(set)->header;
  return {record_->core.chamber, header.id, index, header.members[index - 1]};
}

Result<void> Chamber::Machine::allow_register() const {
  CC_TRY(allow(record_phase(), RecordEvent::register_share));
  CC_TRY(allow(process(), ProcessEvent::register_share));
  if (!kms_) {
    return fail(ErrorKind::kms_pending, "the KMS lock is being opened again; try again in a moment");
  }
  if (record_phase() != RecordPhase::rotating) {
    return {};
  }
  CC_TRY(allow(process(), ProcessEvent::change_locks));
  return record_->core.operators(OperatorSet::staged) != nullptr ? Result<void>() : fail(registration_token_error());
}

// Opens the waiting share with its token and checks that it is the one that was dealt.
Result<SecretBytes> Chamber::Machine::take_pending(OperatorSet set, unsigned index,
                                                   const SecretBytes& token_text) const {
  CC_ASSIGN(const Secret<32> token, read_token(kRegistrationTokenPrefix, token_text, registration_token_error()));
  const MemberEntry& entry = record_->members_of(set)->entries[index - 1];
  if (!entry.pending) {
    return fail(registration_token_error());
  }
  const Lock& lock = *record_->core.operators(set);
  const MemberName member = member_name(index, set);
  CC_ASSIGN(SecretBytes rtss, open_pending(kms_->pepper, member, token, *entry.pending));
  CC_ASSIGN(const crypto::Share share, read_share(rtss, lock.header, index, record_->core.retired_locks));
  if (!equal_constant_time(share_verifier(share, member.chamber, member.lock), lock.members[index - 1].verifier)) {
    return fail(ErrorKind::record_tampered,
                "the waiting share of operator " + member.operator_name +
                    " is not the one that was dealt; cancel and start over (init-reset, or rotate unseal-cancel)");
  }
  return rtss;
}

// Another operator may register on another replica at the same time. The last one of a rotation puts the staged lock in
// force with the same write, when nobody has to approve it.
Result<void> Chamber::Machine::store_credential(OperatorSet set, unsigned index, const StoredCredential& credential) {
  const LockId lock = record_->core.operators(set)->header.id;
  const std::optional<Bytes> pending = record_->members_of(set)->entries[index - 1].pending;
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    SealRecord next = *record_;
    // Who registers shows that the credential opens; from here on it has to be shown again now and then.
    next.members_of(set)->entries[index - 1] = {std::nullopt, {credential}, ports_.clock.unix_seconds()};
    ++next.members.changes;
    next.members_mac = members_mac(kms_->pepper, next.core, next.members);
    const bool last = set == OperatorSet::staged && waiting_shares(*next.members_of(set)) == 0;
    Result<void> stored = last && approved(next.core) ? put_in_force(std::move(next)) : commit(next);
    if (stored || stored.error().kind != ErrorKind::record_conflict) {
      return stored;
    }
    CC_TRY(refresh());
    CC_TRY(allow_register());
    const Lock* now = registering_set() == set ? record_->core.operators(set) : nullptr;
    if (now == nullptr || now->header.id != lock || record_->members_of(set)->entries[index - 1].pending != pending) {
      return fail(registration_token_error());
    }
  }
  return fail(ErrorKind::record_conflict, "the seal record keeps changing; register again");
}

Result<RegisterReply> Chamber::Machine::register_operator(const std::string& operator_name,
                                                          const SecretBytes& token_text,
                                                          const std::string& credential_id,
                                                          const CredentialSecret& credential) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_register());
  const OperatorSet set = registering_set();
  const std::optional<unsigned> index = member_index(operator_name, set);
  if (!index) {
    return fail(registration_token_error());
  }
  CC_ASSIGN(const SecretBytes rtss, take_pending(set, *index, token_text));
  CC_TRY(check_credential_id(credential_id));
  CC_ASSIGN(const PreparedSecret secret, prepare_new_secret(credential));
  CC_ASSIGN(Bytes box, make_credential(kms_->pepper, member_name(*index, set), credential_id, secret, options_.argon2,
                                       rtss, ports_.random));
  CC_TRY(store_credential(set, *index, {credential_id, std::move(box)}));

  RegisterReply reply;
  // Once the staged lock is in force its list is the active one.
  const MemberList* list = record_->members_of(set);
  const MemberList& now = list == nullptr ? *record_->active_members() : *list;
  reply.remaining = waiting_shares(now);
  reply.registered = static_cast<unsigned>(now.entries.size()) - reply.remaining;
  if (reply.remaining == 0) {
    reply.state = status().state;
  }
  return reply;
}

}  // namespace cc::seal
