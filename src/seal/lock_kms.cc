#include "seal/lock_kms.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "seal/kek_name.h"

namespace cc::seal {
namespace {

struct Trouble {
  std::size_t place = 0;  // of the member
  std::string kek;
  Error error;
};

// How much hope a failure leaves that the KEK will answer later; the most hopeful one names the whole step.
std::size_t despair(ErrorKind kind) {
  constexpr std::array kOrder{ErrorKind::kms_unreachable, ErrorKind::kms_throttled, ErrorKind::kms_credentials,
                              ErrorKind::kms_denied,      ErrorKind::kms_disabled,  ErrorKind::kms_pending_deletion,
                              ErrorKind::kms_missing,     ErrorKind::kms_mismatch};
  return static_cast<std::size_t>(std::ranges::find(kOrder, kind) - kOrder.begin());
}

// In the order of the members, whoever answered first: the same trouble reads the same.
Error summary(std::vector<Trouble> troubles, unsigned opened, unsigned m) {
  std::ranges::sort(troubles, {}, &Trouble::place);
  Error out{ErrorKind::kms_mismatch, ""};
  std::size_t least = SIZE_MAX;
  for (const Trouble& trouble : troubles) {
    if (despair(trouble.error.kind) < least) {
      least = despair(trouble.error.kind);
      out.kind = trouble.error.kind;
    }
    out.message += (out.message.empty() ? "" : "; ") + trouble.kek + ": " +
                   std::string(facts(trouble.error.kind).code) + " (" + trouble.error.message + ")";
  }
  out.message = std::to_string(opened) + " of " + std::to_string(m) + " needed KEKs opened their share; " + out.message;
  return out;
}

tl::unexpected<Error> naming_kek(const Error& error, const std::string& kek) {
  return fail(error.kind, kek + ": " + error.message);
}

bool is_local(const std::string& kek) {
  const auto name = parse_kek_name(kek);
  return name && name->scheme == KekScheme::local;
}

// Of a KEK of the lock in force. Elsewhere nothing is made, and looking a key up has its own advice.
Result<void> find_held(KekService& keks, const std::string& kek) {
  return is_local(kek) ? Result<void>() : keks.prepare(kek);
}

Error not_made_anew(Error error, const std::string& kek) {
  if (error.kind == ErrorKind::kms_missing && is_local(kek)) {
    error.message +=
        ". It holds a share of the lock in force, and no new key takes its name: restore the file, or choose "
        "another name for a new one, such as " +
        kek + "-2";
  }
  return error;
}

// Errors: the KEK's; kms_mismatch when what it gives back is something else.
Result<void> wrap_share(KekService& keks, const ChamberId& chamber, Lock& lock, const crypto::Share& share) {
  const std::string& kek = lock.header.members[share.index - 1U];
  const SecretBytes rtss = crypto::to_rtss(share, lock.header.id, lock.header.m);
  const KekContext context = share_context(chamber, lock.header.id, share.index);
  CC_ASSIGN(Bytes wrapped, keks.wrap(kek, context, rtss));
  CC_ASSIGN(const SecretBytes back, keks.unwrap(kek, context, wrapped));
  if (!(back == rtss)) {
    return fail(ErrorKind::kms_mismatch, "the KEK does not give back what it wrapped; nothing was stored");
  }
  lock.members[share.index - 1U].wrap = std::move(wrapped);
  return {};
}

Result<crypto::Share> share_of_member(const Result<SecretBytes>& rtss, const Lock& lock, unsigned index,
                                      const std::vector<LockId>& retired) {
  if (!rtss) {
    return fail(rtss.error());
  }
  auto share = read_share(*rtss, lock.header, index, retired);
  return share ? std::move(share) : fail(ErrorKind::kms_mismatch, share.error().message);
}

std::vector<WrappedShare> wrapped_shares(const ChamberId& chamber, const Lock& lock) {
  std::vector<WrappedShare> out;
  for (unsigned index = 1; index <= lock.header.n(); ++index) {
    out.push_back(
        {lock.header.members[index - 1], share_context(chamber, lock.header.id, index), lock.members[index - 1].wrap});
  }
  return out;
}

}  // namespace

KekContext share_context(const ChamberId& chamber, const LockId& lock, unsigned index) {
  return {{"cc:chamber", to_hex(chamber)},
          {"cc:index", std::to_string(index)},
          {"cc:lock", to_hex(lock)},
          {"cc:purpose", "seal-share"},
          {"cc:version", "1"}};
}

Result<void> check_keks(const KekService& keks, const std::vector<std::string>& names, unsigned threshold) {
  if (names.empty() || names.size() > 255) {
    return fail(ErrorKind::members_invalid, "name 1 to 255 KEKs (--kms-key-arns)");
  }
  std::map<std::string, std::string> seen;
  for (const std::string& name : names) {
    CC_ASSIGN(const std::string canonical, keks.canonical_name(name));
    const auto [at, added] = seen.emplace(canonical, name);
    if (!added) {
      return fail(ErrorKind::kek_repeated,
                  at->second + " and " + name + " are the same key; every member needs its own");
    }
  }
  if (threshold == 0 || threshold > names.size()) {
    return fail(ErrorKind::threshold_invalid, "the KMS threshold must be 1 to " + std::to_string(names.size()) +
                                                  ", the number of KEKs, not " + std::to_string(threshold));
  }
  return {};
}

Result<void> wrap_shares(KekService& keks, const ChamberId& chamber, DealtLock& dealt,
                         const std::vector<std::string>& in_force) {
  std::set<std::string> held;
  for (const std::string& kek : in_force) {
    held.insert(keks.canonical_name(kek).value_or(kek));
  }
  // No new KEK is made for a lock that fails for want of an old one.
  for (const bool those_held : {true, false}) {
    for (const crypto::Share& share : dealt.shares) {
      const std::string& kek = dealt.lock.header.members[share.index - 1U];
      if (held.contains(keks.canonical_name(kek).value_or(kek)) != those_held) {
        continue;
      }
      if (const auto ready = those_held ? find_held(keks, kek) : keks.prepare(kek); !ready) {
        return naming_kek(ready.error(), kek);
      }
      const auto wrapped = wrap_share(keks, chamber, dealt.lock, share);
      if (!wrapped) {
        return naming_kek(those_held ? not_made_anew(wrapped.error(), kek) : wrapped.error(), kek);
      }
    }
  }
  return {};
}

Result<void> probe_member(KekService& keks, const ChamberId& chamber, const Lock& lock, unsigned index) {
  const auto rtss = keks.unwrap(lock.header.members[index - 1], share_context(chamber, lock.header.id, index),
                                lock.members[index - 1].wrap);
  CC_ASSIGN(const crypto::Share share, share_of_member(rtss, lock, index, {}));
  return equal_constant_time(share_verifier(share, chamber, lock.header.id), lock.members[index - 1].verifier)
             ? Result<void>()
             : fail(ErrorKind::kms_mismatch, "its share does not match the record's verifier");
}

Result<Secret<32>> open_kms_lock(KekService& keks, const ChamberId& chamber, const Lock& lock,
                                 const std::vector<LockId>& retired) {
  ShareCollection shares(chamber, lock);
  std::vector<Trouble> troubles;
  keks.unwrap_until(wrapped_shares(chamber, lock), [&](std::size_t place, const Result<SecretBytes>& rtss) {
    auto share = share_of_member(rtss, lock, static_cast<unsigned>(place + 1), retired);
    if (!share) {
      troubles.push_back({place, lock.header.members[place], share.error()});
    } else if (shares.add(*std::move(share)) == ShareCollection::Verdict::set_aside) {
      troubles.push_back({place,
                          lock.header.members[place],
                          {ErrorKind::kms_mismatch, "its share does not match the record's verifier"}});
    }
    return shares.counted() < lock.header.m;
  });
  if (shares.may_combine()) {
    if (auto key = shares.combine()) {
      return key;
    }
  }
  return fail(summary(std::move(troubles), shares.counted(), lock.header.m));
}

}  // namespace cc::seal
