// The unseal ceremony: operators prove a credential each, until enough shares open the operators lock.
#include <algorithm>

#include "base/log.h"
#include "seal/machine.h"

namespace cc::seal {
UnsealReply Chamber::Machine::counters() const {
  UnsealReply reply;
  const Lock* lock = record_ ? record_->core.operators() : nullptr;
  reply.shares_required = lock == nullptr ? 0 : lock->header.m;
  reply.shares_received = round_ ? round_->shares.counted() : 0;
  return reply;
}

// Every credential of the operator in turn. One of a lock that was replaced is recognised, so that it can be named.
Result<std::optional<Chamber::Machine::Opened>> Chamber::Machine::try_credentials(unsigned index,
                                                                                  const PreparedSecret& secret) {
  const MemberName active = member_name(index);
  std::vector<LockId> locks{active.lock};
  locks.insert(locks.end(), record_->core.retired_locks.begin(), record_->core.retired_locks.end());
  std::optional<Error> damaged;
  for (const StoredCredential& stored : record_->active_members()->entries[index - 1].credentials) {
    MemberName member = active;
    Result<CredentialBlob> blob = fail(ErrorKind::internal, "");
    for (auto lock = locks.begin(); !blob && lock != locks.end(); ++lock) {
      member.lock = *lock;
      blob = open_pepper_layer(kms_->pepper, member, stored.id, stored.box);
    }
    auto opened = blob ? open_credential(*blob, member, stored.id, secret) : fail(blob.error());
    if (!opened) {
      damaged = damaged ? damaged : opened.error();
    } else if (*opened) {
      return std::optional(
          Opened{index, **std::move(opened), member.lock != active.lock, stored, blob->params, blob->device});
    }
  }
  return damaged ? Result<std::optional<Opened>>(fail(*damaged)) : std::optional<Opened>();
}

// A refusal takes the same work whoever was named: as many runs as the operator with the most credentials needs.
Result<void> Chamber::Machine::catch_up_work(unsigned spent, const PreparedSecret& secret) {
  std::size_t most = 1;
  for (const MemberEntry& entry : record_->active_members()->entries) {
    most = std::max(most, entry.credentials.size());
  }
  for (std::size_t run = spent; run < most; ++run) {
    CC_TRY(spend_the_same_work(secret, options_.argon2));
  }
  return {};
}

Result<Chamber::Machine::Opened> Chamber::Machine::prove(const std::string& operator_name, const PreparedSecret& secret,
                                                         const std::string& source) {
  CC_TRY(allow(record_phase(), RecordEvent::unseal_share));
  if (record_->core.operators() == nullptr) {
    return fail(ErrorKind::wrong_state, "this chamber opens by its KEKs alone (kms_only); no operator share is needed");
  }
  CC_TRY(allow(process(), ProcessEvent::unseal_share));
  return prove_any(operator_name, secret, source);
}

Result<Chamber::Machine::Opened> Chamber::Machine::prove_any(const std::string& operator_name,
                                                             const PreparedSecret& secret, const std::string& source) {
  CC_TRY(backoff_.check(operator_name, source));
  const std::optional<unsigned> index = member_index(operator_name);
  std::size_t spent = 0;
  if (index) {
    CC_ASSIGN(std::optional<Opened> opened, try_credentials(*index, secret));
    if (opened) {
      backoff_.succeeded(operator_name, source);
      return *std::move(opened);
    }
    spent = record_->active_members()->entries[*index - 1].credentials.size();
  }
  CC_TRY(catch_up_work(static_cast<unsigned>(spent), secret));
  backoff_.failed(operator_name, source);
  return fail(wrong_passphrase_error());
}

Result<UnsealReply> Chamber::Machine::unseal(const std::string& operator_name, const CredentialSecret& credential,
                                             const std::string& source) {
  const Turn turn(*this);
  drop_expired_round();
  CC_TRY(refresh());
  if (std::exchange(round_was_dropped_, false)) {
    return fail(
        ErrorKind::round_over,
        "the locks were changed by a rotation and the shares of this round were wiped; every operator submits again");
  }
  CC_ASSIGN(const PreparedSecret secret, prepare_secret(credential));
  CC_ASSIGN(const Opened opened, prove(operator_name, secret, source));
  auto reply = count_share(opened, secret);
  publish();
  return reply;
}

Result<UnsealReply> Chamber::Machine::count_share(const Opened& opened, const PreparedSecret& secret) {
  const Core& core = record_->core;
  const Lock& lock = *core.operators();
  if (opened.retired) {
    return fail(ErrorKind::share_older_set,
                "this credential holds a share of a set that was replaced; register with the token of the new set");
  }
  CC_ASSIGN(crypto::Share share, read_share(opened.rtss, lock.header, opened.index, core.retired_locks));
  if (!round_) {
    round_.emplace(Round{ShareCollection(core.chamber, lock), ports_.clock.monotonic(), {}});
  }
  const auto verdict = round_->shares.add(std::move(share));
  if (verdict == ShareCollection::Verdict::counted) {
    CC_TRY(raise_credential(opened, secret));
  }
  if (round_->shares.may_combine()) {
    auto lock_key = round_->shares.combine();
    if (lock_key || round_->shares.counted() >= lock.header.m) {
      return open_round(std::move(lock_key));
    }
  }
  if (verdict == ShareCollection::Verdict::repeated) {
    return fail(ErrorKind::share_repeated, "this operator's share is counted already; another operator is needed");
  }
  if (verdict == ShareCollection::Verdict::set_aside) {
    return fail(ErrorKind::share_mismatch,
                "the share does not match its verifier in the record: it was set aside and is tried last; the shares "
                "counted so far are kept");
  }
  return counters();
}

// Only prepared here: a store that was forged as a whole must not get passphrases under a pepper of the forger's
// choice.
Result<void> Chamber::Machine::raise_credential(const Opened& opened, const PreparedSecret& secret) {
  const crypto::Argon2Params wanted{std::max(opened.params.memory_kib, options_.argon2.memory_kib),
                                    std::max(opened.params.passes, options_.argon2.passes), options_.argon2.lanes};
  if (wanted == opened.params) {
    return {};
  }
  const PreparedSecret again{secret.kind, secret.input.clone(), opened.device};
  CC_ASSIGN(Bytes box, make_credential(kms_->pepper, member_name(opened.index), opened.stored.id, again, wanted,
                                       opened.rtss, ports_.random));
  round_->raised.push_back({opened.index, opened.stored, std::move(box)});
  return {};
}

Result<void> Chamber::Machine::store_raised(const std::vector<Raised>& raised) {
  SealRecord next = *record_;
  bool changed = false;
  for (const Raised& one : raised) {
    auto& credentials = next.active_members()->entries[one.index - 1].credentials;
    const auto found = std::ranges::find(credentials, one.before);
    if (found != credentials.end()) {
      found->box = one.box;
      changed = true;
    }
  }
  if (!changed) {
    return {};
  }
  ++next.members.changes;
  next.members_mac = members_mac(kms_->pepper, next.core, next.members);
  return commit(next);
}

// With enough shares. A failure keeps them, so that the next submission tries again.
Result<UnsealReply> Chamber::Machine::open_round(Result<Secret<32>> combined) {
  const Core& core = record_->core;
  const LockHeader& header = core.operators()->header;
  const auto open = [&]() -> Result<void> {
    CC_ASSIGN(const Secret<32> lock_key, std::move(combined));
    const ByteView inner = expose_secret_bytes(std::as_const(kms_->inner));
    CC_ASSIGN(const SecretBytes content, open_content(lock_key, core.chamber, header, inner));
    CC_ASSIGN(MasterKeys keys, decode_master_keys(content));
    CC_TRY(open_chamber(std::move(keys)));
    keep_operators_key(lock_key);
    return {};
  };
  UnsealReply reply = counters();
  CC_TRY(note(open()));
  if (const auto stored = store_raised(round_->raised); !stored) {
    log::warn("credentials keep their old Argon2id parameters until the next unseal",
              {{"why", stored.error().message}});
  }
  round_.reset();
  publish();
  const Status now = status();
  reply.state = now.state;
  reply.validators_loaded = now.keys_loaded;
  return reply;
}

Result<UnsealReply> Chamber::Machine::unseal_reset(const std::string& operator_name, const CredentialSecret& credential,
                                                   const std::string& source) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_ASSIGN(const PreparedSecret secret, prepare_secret(credential));
  CC_TRY(prove(operator_name, secret, source));
  fire(ProcessEvent::reset_round);
  round_.reset();
  publish();
  return counters();
}

Result<UnsealReply> Chamber::Machine::unseal_reset_authorised() {
  const Turn turn(*this);
  CC_TRY(refresh());
  fire(ProcessEvent::reset_round);
  round_.reset();
  publish();
  return counters();
}

}  // namespace cc::seal
