// Credentials: an operator who proves one may add others, and remove them down to the last.
#include <algorithm>

#include "seal/machine.h"
#include "seal/names.h"

namespace cc::seal {
namespace {

constexpr int kWriteAttempts = 8;

auto find_credential(auto& entry, const std::string& id) {
  return std::ranges::find(entry.credentials, id, &StoredCredential::id);
}

}  // namespace

Result<void> Chamber::Machine::allow_credentials() const {
  CC_TRY(allow(record_phase(), RecordEvent::change_credentials));
  if (record_->members.lists.empty()) {
    return fail(ErrorKind::wrong_state, "this chamber opens by its KEKs alone (kms_only); nobody has credentials here");
  }
  CC_TRY(allow(process(), ProcessEvent::use_credential));
  return kms_ ? Result<void>()
              : fail(ErrorKind::kms_pending, "the KMS lock is being opened again; try again in a moment");
}

Result<std::optional<Chamber::Machine::Proven>> Chamber::Machine::open_named(OperatorSet set,
                                                                             const std::string& operator_name,
                                                                             const std::string& credential_id,
                                                                             const PreparedSecret& secret) const {
  const MemberList* list = record_->members_of(set);
  if (list == nullptr) {
    return std::optional<Proven>();
  }
  const std::optional<unsigned> index = member_index(operator_name, set);
  const MemberEntry nobody;
  const MemberEntry& entry = index ? list->entries[*index - 1] : nobody;
  const auto stored = find_credential(entry, credential_id);
  if (stored == entry.credentials.end()) {
    CC_TRY(spend_the_same_work(secret, options_.argon2));
    return std::optional<Proven>();
  }
  const MemberName member = member_name(*index, set);
  CC_ASSIGN(const CredentialBlob blob, open_pepper_layer(kms_->pepper, member, stored->id, stored->box));
  CC_ASSIGN(std::optional<SecretBytes> rtss, open_credential(blob, member, stored->id, secret));
  if (!rtss) {
    return std::optional<Proven>();
  }
  const Lock& lock = *record_->core.operators(set);
  CC_ASSIGN(const crypto::Share share, read_share(*rtss, lock.header, *index, record_->core.retired_locks));
  if (!equal_constant_time(share_verifier(share, member.chamber, member.lock), lock.members[*index - 1].verifier)) {
    return fail(ErrorKind::share_mismatch,
                "the credential opens, but its share does not match the record; compare the record with its backup");
  }
  return std::optional(Proven{set, *index, *stored, *std::move(rtss)});
}

Result<std::vector<Chamber::Machine::Proven>> Chamber::Machine::prove_named(const std::string& operator_name,
                                                                            const NamedCredential& existing,
                                                                            const std::string& source) {
  CC_ASSIGN(const PreparedSecret secret, prepare_secret(existing.secret));
  CC_TRY(backoff_.check(operator_name, source));
  std::vector<Proven> proven;
  for (const OperatorSet set : {OperatorSet::active, OperatorSet::staged}) {
    CC_ASSIGN(std::optional<Proven> one, open_named(set, operator_name, existing.id, secret));
    if (one) {
      proven.push_back(*std::move(one));
    }
  }
  if (proven.empty()) {
    backoff_.failed(operator_name, source);
    return fail(wrong_passphrase_error());
  }
  backoff_.succeeded(operator_name, source);
  return proven;
}

Result<void> Chamber::Machine::edit_entries(const std::vector<Proven>& proven, const EditEntry& edit) {
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    SealRecord next = *record_;
    for (std::size_t i = 0; i < proven.size(); ++i) {
      MemberList* list = next.members_of(proven[i].set);
      const bool there = list != nullptr && proven[i].index <= list->entries.size() &&
                         std::ranges::count(list->entries[proven[i].index - 1].credentials, proven[i].stored) == 1;
      if (!there) {
        return fail(ErrorKind::record_conflict,
                    "the credential was changed on another replica meanwhile; nothing was changed, try again");
      }
      CC_TRY(edit(i, list->entries[proven[i].index - 1]));
    }
    ++next.members.changes;
    next.members_mac = members_mac(kms_->pepper, next.core, next.members);
    Result<void> stored = commit(next);
    if (stored || stored.error().kind != ErrorKind::record_conflict) {
      return stored;
    }
    CC_TRY(refresh());
    CC_TRY(allow_credentials());
  }
  return fail(ErrorKind::record_conflict, "the seal record keeps changing; nothing was changed, try again");
}

Result<void> Chamber::Machine::add_credential(const std::string& operator_name, const NamedCredential& existing,
                                              const NamedCredential& added, const std::string& source) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_credentials());
  CC_TRY(check_credential_id(added.id));
  CC_ASSIGN(const PreparedSecret secret, prepare_new_secret(added.secret));
  CC_ASSIGN(const std::vector<Proven> proven, prove_named(operator_name, existing, source));
  const auto check = [&added](const MemberEntry& entry) -> Result<void> {
    if (find_credential(entry, added.id) != entry.credentials.end()) {
      return fail(ErrorKind::credential_exists, "there is a credential " + added.id + " already; choose another id");
    }
    return entry.credentials.size() < kMaxCredentials
               ? Result<void>()
               : fail(ErrorKind::credentials_full,
                      "an operator has at most " + std::to_string(kMaxCredentials) + " credentials; remove one first");
  };
  std::vector<Bytes> boxes;
  for (const Proven& one : proven) {
    CC_TRY(check(record_->members_of(one.set)->entries[one.index - 1]));
    CC_ASSIGN(Bytes box, make_credential(kms_->pepper, member_name(one.index, one.set), added.id, secret,
                                         options_.argon2, one.rtss, ports_.random));
    boxes.push_back(std::move(box));
  }
  return edit_entries(proven, [&](std::size_t which, MemberEntry& entry) -> Result<void> {
    CC_TRY(check(entry));
    entry.credentials.push_back({added.id, boxes[which]});
    return {};
  });
}

Result<void> Chamber::Machine::remove_credential(const std::string& operator_name, const NamedCredential& existing,
                                                 const std::string& removed_id, const std::string& source) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_credentials());
  CC_ASSIGN(const std::vector<Proven> proven, prove_named(operator_name, existing, source));
  // In the set where it is known; it may have been added to one of them only.
  const bool known = std::ranges::any_of(proven, [&](const Proven& one) {
    const MemberEntry& entry = record_->members_of(one.set)->entries[one.index - 1];
    return find_credential(entry, removed_id) != entry.credentials.end();
  });
  if (!known) {
    return fail(ErrorKind::unknown_credential, "this operator has no credential " + removed_id +
                                                   "; `operator credentials list` names those there are");
  }
  return edit_entries(proven, [&](std::size_t, MemberEntry& entry) -> Result<void> {
    const auto found = find_credential(entry, removed_id);
    if (found == entry.credentials.end()) {
      return {};
    }
    if (entry.credentials.size() == 1) {
      return fail(ErrorKind::last_credential,
                  "this is the operator's last credential and the only way to the share; add another one first");
    }
    entry.credentials.erase(found);
    return {};
  });
}

}  // namespace cc::seal
