// What the chamber needs from outside: KEKs, a store for its documents, and somebody to tell when it opens and closes.
// Implementations live in src/adapters; tests pass in-memory ones with injected faults.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::seal {

using ChamberId = std::array<std::uint8_t, 16>;
using LockId = std::array<std::uint8_t, 16>;
using MasterKeyId = std::array<std::uint8_t, 8>;

// Bound to every wrapped share (AWS: encryption context; local KEK: AAD). Keys sorted, values plain text.
using KekContext = std::map<std::string, std::string>;

// One share to open: by which KEK, bound to which context.
struct WrappedShare {
  std::string kek;
  KekContext context;
  Bytes wrapped;
};

// Key-encryption keys by name (`local://NAME`, an AWS ARN, …). Thread-safe; calls may block on a network.
class KekService {
 public:
  virtual ~KekService() = default;
  // Syntax only, no network. Errors: kek_name_invalid ("invalid KMS ARN" for a malformed AWS one), kek_not_allowed.
  // Returns the canonical name: two names of one key have one canonical name.
  virtual Result<std::string> canonical_name(const std::string& name) const = 0;
  // Makes the KEK usable for a new lock (a local KEK is created and flushed; an outside one is only looked up).
  virtual Result<void> prepare(const std::string& name) = 0;
  virtual Result<Bytes> wrap(const std::string& name, const KekContext& context, const SecretBytes& share) = 0;
  // Errors: kms_unreachable, kms_throttled, kms_credentials, kms_denied, kms_disabled, kms_pending_deletion,
  // kms_missing (retry later or repair); kms_mismatch (not wrapped by this KEK or another context). A network failure
  // is never called a wrong key.
  virtual Result<SecretBytes> unwrap(const std::string& name, const KekContext& context, ByteView wrapped) = 0;
  // Opens shares until `take` wants no more. It is told each outcome (place in `shares`) one after the other, on the
  // caller's thread, and returns whether more are wanted. A service over a network asks all KEKs at once and tells
  // outcomes as they come, so that a dead one delays nobody; this one asks in order.
  using TakeShare = std::function<bool(std::size_t, Result<SecretBytes>)>;
  virtual void unwrap_until(const std::vector<WrappedShare>& shares, const TakeShare& take) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (!take(i, unwrap(shares[i].kek, shares[i].context, shares[i].wrapped))) {
        return;
      }
    }
  }
};

// A document with its revision. Revision 0 never exists.
struct Document {
  std::uint64_t revision = 0;
  Bytes content;
};

// Named documents with conditional writes; every write is durable when the call returns. Thread-safe.
class StateStore {
 public:
  virtual ~StateStore() = default;
  // Empty when there is no such document. Errors: store_unavailable.
  virtual Result<std::optional<Document>> read(const std::string& name) = 0;
  // Writes revision expected + 1 when the stored revision is `expected` (0: the document must not exist yet).
  // Returns the new revision. Errors: record_conflict, store_unavailable, store_in_doubt (read again before anything
  // else).
  virtual Result<std::uint64_t> write(const std::string& name, std::uint64_t expected, ByteView content) = 0;
};
inline constexpr const char* kSealRecordDocument = "seal-record";

// The master keys while the chamber is open: exactly one current, at most one retiring.
// During `rotate master` key records are under either; new ones are sealed under the current one.
struct MasterKeys {
  MasterKeyId current{};
  std::map<MasterKeyId, Secret<32>> keys;
};

// How far the key records are on their way to the current master key.
struct Resealed {
  std::uint64_t done = 0;  // by this call
  std::uint64_t left = 0;  // under another master key still; 0 only when the whole store was looked through
};

// Told by the chamber; implemented by the composition root over the key ring and the signing pipeline.
class ChamberListener {
 public:
  virtual ~ChamberListener() = default;
  // Loads the key ring. Returns the number of keys ready to sign; only then is `unsealed` reported.
  // Asks `still_wanted` once more after loading, before anything may sign: false means that a seal came meanwhile, and
  // that its closing() may have come before the load. Errors: key_record_tampered, wrong_master_key (sentinel),
  // store_unavailable, signer_sealed. The chamber then stays closed.
  using StillWanted = std::function<bool()>;
  virtual Result<std::uint64_t> opened(const ChamberId& chamber, const MasterKeys& keys,
                                       const StillWanted& still_wanted) = 0;
  // Takes these master keys as the ones in force (so that new records go under the current one) and brings at most
  // `most` stored key records under it, one by one, each by a conditional and durable replace; with 0 none are looked
  // at. Keys stay loaded and sign on. May be repeated at any time. Errors: signer_sealed, key_record_tampered,
  // store_unavailable, record_conflict.
  virtual Result<Resealed> reseal(const ChamberId& chamber, const MasterKeys& keys, std::size_t most) = 0;
  // Stops admission, lets committed requests finish (at most 2 s), wipes every key. Cannot fail. Idempotent.
  virtual void closing() = 0;
  // Whether signing has to wait for a chamber: false only when there is no record, and no seal in force; filesystem and
  // memory keys may then sign without one. Said again by resume.
  virtual void record_exists(bool exists) = 0;
};

// Facts outside the seal record that show that a chamber existed here before.
struct Traces {
  bool key_records = false;                    // the key store holds sealed keys
  std::optional<ChamberId> named_chamber;      // the slashing store names a chamber
  std::uint64_t highest_epoch = 0;             // as the slashing store remembers it
  std::array<std::uint8_t, 32> core_digest{};  // digest of the core at that epoch
};
class TraceKeeper {
 public:
  virtual ~TraceKeeper() = default;
  virtual Result<Traces> traces() = 0;
  // Durable before the chamber goes on. Never lowers the epoch.
  virtual Result<void> remember(const ChamberId& chamber, std::uint64_t epoch,
                                const std::array<std::uint8_t, 32>& core_digest) = 0;
};

}  // namespace cc::seal
