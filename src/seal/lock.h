// Locks: threshold gates in series, outermost first (DESIGN section 3). A lock's key is split by Shamir in the RTSS
// format; its content is AES-256-GCM under a key derived from it, the header's encoding as AAD, so that opening a lock
// proves its header. Bytes: docs/spec/seal-record.md.
//
// A verifier's verdict is advice until the master key is back, as the store could be forged: a mismatching share is set
// aside and tried last. Not thread-safe. Secrets: lock keys and shares pass through here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/shamir.h"
#include "seal/ports.h"

namespace cc::seal {

enum class LockKind : std::uint8_t { kms = 0, operators = 1 };

struct LockHeader {
  LockKind kind = LockKind::kms;
  unsigned position = 0;  // 0: outermost
  LockId id{};
  unsigned m = 0;
  std::vector<std::string> members;  // KEK names or operator names; member i + 1 holds share index i + 1

  unsigned n() const { return static_cast<unsigned>(members.size()); }
  bool operator==(const LockHeader&) const = default;
};
struct LockMember {
  crypto::Digest verifier{};
  Bytes wrap;  // the share wrapped by the KEK; empty for operators, whose wraps lie in the members part
  bool operator==(const LockMember&) const = default;
};
struct Lock {
  LockHeader header;
  std::vector<LockMember> members;
  bool operator==(const Lock&) const = default;
};

// The deterministic encoding that is the AAD of the lock's content.
Bytes encode_header(const LockHeader& header);

// HMAC-SHA256(key = share, "cc/v1/share-verifier" ‖ chamber ‖ lock id ‖ index).
crypto::Digest share_verifier(const crypto::Share& share, const ChamberId& chamber, const LockId& lock);

Bytes seal_content(const Secret<32>& lock_key, const ChamberId& chamber, const LockHeader& header,
                   std::span<const std::uint8_t> content, Random& random);
// Errors: record_tampered (content or header altered; the lock key itself is right, Shamir's digest says so).
Result<SecretBytes> open_content(const Secret<32>& lock_key, const ChamberId& chamber, const LockHeader& header,
                                 ByteView box);

// Splits a lock key for the header's members, checks several m-subsets, and fills in the verifiers.
struct DealtLock {
  Lock lock;
  std::vector<crypto::Share> shares;
};
Result<DealtLock> deal(const Secret<32>& lock_key, const ChamberId& chamber, LockHeader header, Random& random);

// A share as it left its wrap. Errors: share_older_set (a share of a replaced lock), share_other_set,
// share_wrong_operator (another index or threshold), record_malformed (not a share).
Result<crypto::Share> read_share(const SecretBytes& rtss, const LockHeader& header, unsigned index,
                                 const std::vector<LockId>& retired);

// The shares of one lock on their way to its key.
class ShareCollection {
 public:
  enum class Verdict { counted, set_aside, repeated };

  ShareCollection(const ChamberId& chamber, const Lock& lock);
  Verdict add(crypto::Share share);
  bool holds(unsigned index) const;  // a counted share of this member
  unsigned counted() const { return static_cast<unsigned>(counted_.size()); }
  // Whether there are enough shares, those set aside included, to try.
  bool may_combine() const { return counted_.size() + aside_.size() >= m_; }
  // Tries counted shares first, those set aside last. Errors: share_mismatch when no m of them belong together.
  Result<Secret<32>> combine() const;

 private:
  ChamberId chamber_;
  LockId lock_;
  unsigned m_;
  std::vector<crypto::Digest> verifiers_;
  std::vector<crypto::Share> counted_;
  std::vector<crypto::Share> aside_;
};

}  // namespace cc::seal
