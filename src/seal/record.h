// The seal record, version 1: three parts in one stored document (docs/spec/seal-record.md gives every byte).
//
//   core     the locks and what lies behind them; authenticated by record_mac under the master key
//   members  credentials, shares waiting for their owner, drill dates; MACed under the pepper of the KMS lock
//   hints    seal generation and hold; not authenticated, they can only make the chamber refuse
//
// Values here may be forged until the MACs were checked (record_keys.h); the codec checks shape and limits only.
// decode∘encode is the identity, and accepted bytes re-encode to themselves. No plaintext secret is in a record.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/hash.h"
#include "seal/lock.h"
#include "seal/phases.h"
#include "seal/ports.h"

namespace cc::seal {

inline constexpr std::size_t kMaxRecordBytes = 4U << 20;
inline constexpr std::size_t kMaxCredentials = 8;

// What waits beside the locks in force during a rotation.
enum class StagedKind {
  operators,  // a new operators lock; its members register
  kms,        // a new KMS lock
  kms_only,   // the operators lock goes
  master,     // a new master key, drawn when the operators in force have agreed
};
std::string_view name(StagedKind kind);
struct StagedLock {
  Lock lock;                            // kms_only, master: without members, and of the header only the id is stored
  Bytes content;                        // sealed under the lock's own key; empty with kms_only and master
  std::optional<MasterKeyId> replaced;  // master alone: the master key that is to go

  StagedKind kind() const;
  bool operator==(const StagedLock&) const = default;
};

// An operators lock stands in force, or waits staged during a rotation.
enum class OperatorSet { active, staged };

struct Core {
  ChamberId chamber{};
  std::uint64_t epoch = 1;
  crypto::Digest parent{};  // epoch digest of the core before; zero at epoch 1
  MasterKeyId master_key{};
  crypto::Digest kcv{};
  std::vector<Lock> locks;  // outermost first: [kms] or [kms, operators]
  Bytes content;            // sealed content of the outermost lock
  std::vector<LockId> retired_locks;
  std::vector<std::string> retired_operators;
  // Staging: not part of the epoch digest, so that an epoch has one digest whatever is staged and cancelled in it.
  std::vector<LockId> cancelled_locks;
  std::optional<StagedLock> staged;
  // While key records are moved from one master key to the next: the one that goes. The locks give both.
  std::optional<MasterKeyId> retiring;

  const Lock& kms() const { return locks.front(); }
  const Lock* operators() const { return locks.size() > 1 ? &locks[1] : nullptr; }
  // Null when there is none of that set.
  const Lock* operators(OperatorSet set) const;
  bool operator==(const Core&) const = default;
};

struct StoredCredential {
  std::string id;
  Bytes box;  // seal/credential.h
  bool operator==(const StoredCredential&) const = default;
};
// What is stored for one member of an operators lock.
struct MemberEntry {
  std::optional<Bytes> pending;  // the share waiting for its owner (seal/credential.h)
  std::vector<StoredCredential> credentials;
  std::optional<std::uint64_t> drilled;  // unix seconds of the last drill, or of the registration
  bool operator==(const MemberEntry&) const = default;
};
struct MemberList {
  LockId lock{};
  std::vector<MemberEntry> entries;  // entry i is member i + 1 of that lock
  bool operator==(const MemberList&) const = default;
};
struct Members {
  std::uint64_t changes = 0;      // grows by one with every change of this part
  std::vector<MemberList> lists;  // active operators lock, then staged lock, where there are such
  bool operator==(const Members&) const = default;
};

struct Hints {
  std::uint64_t seal_generation = 0;
  bool hold = false;
  bool operator==(const Hints&) const = default;
};

struct SealRecord {
  Core core;
  crypto::Digest record_mac{};
  Members members;
  crypto::Digest members_mac{};
  Hints hints;

  // The member list of the active operators lock; null in kms_only.
  const MemberList* active_members() const { return members_of(OperatorSet::active); }
  MemberList* active_members() { return members_of(OperatorSet::active); }
  // Null when there is no operators lock of that set.
  const MemberList* members_of(OperatorSet set) const;
  MemberList* members_of(OperatorSet set);
  bool operator==(const SealRecord&) const = default;
};
// What init-reset leaves behind: no secrets, and no chamber.
struct Tombstone {
  ChamberId chamber{};
  bool operator==(const Tombstone&) const = default;
};
using StoredRecord = std::variant<SealRecord, Tombstone>;

Bytes encode(const StoredRecord& record);
// Errors: record_malformed naming what is wrong. A damaged document fails its checksum first.
Result<StoredRecord> decode(ByteView document);

Bytes encode_core(const Core& core);
Bytes encode_staged(const StagedLock& staged);
Bytes encode_members(const Members& members);

// registering: the active operators lock still has shares waiting; rotating: a staged lock stands in the core;
// resealing: a master key is retiring.
RecordPhase phase_of(const SealRecord& record);
unsigned waiting_shares(const MemberList& list);

}  // namespace cc::seal
