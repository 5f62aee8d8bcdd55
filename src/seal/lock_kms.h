// The outermost lock: its members are KEKs. Wraps a share for each and opens them again.
// Blocks on the KEK service. Secrets: shares, the lock key.
#pragma once

#include "seal/lock.h"

namespace cc::seal {

// {cc:purpose: seal-share, cc:version: 1, cc:chamber, cc:lock, cc:index}; ids in lower-case hexadecimal.
KekContext share_context(const ChamberId& chamber, const LockId& lock, unsigned index);

// Canonical names compared: two names of one key are refused. Errors: kek_name_invalid, kek_not_allowed, kek_repeated,
// members_invalid, threshold_invalid.
Result<void> check_keks(const KekService& keks, const std::vector<std::string>& names, unsigned threshold);

// Wraps every share by its KEK and proves by unwrapping that it comes back. Those of `in_force`, the members of the
// lock that is replaced (none at init), come first and are never made: a key made under the name of one that was lost
// would take its place for good. The others are made when they are missing. Errors: the KEK's, naming it.
Result<void> wrap_shares(KekService& keks, const ChamberId& chamber, DealtLock& dealt,
                         const std::vector<std::string>& in_force);

// Whether the KEK still opens its share, and the share is the one that was dealt. Errors: as a KEK's.
Result<void> probe_member(KekService& keks, const ChamberId& chamber, const Lock& lock, unsigned index);

// Asks the KEKs, at once where their service can, until m shares opened. Errors: one error that names every KEK in
// trouble; its kind is the most hopeful one (kms_unreachable first, kms_mismatch last), so that a network failure is
// never called a wrong key.
Result<Secret<32>> open_kms_lock(KekService& keks, const ChamberId& chamber, const Lock& lock,
                                 const std::vector<LockId>& retired);

}  // namespace cc::seal
