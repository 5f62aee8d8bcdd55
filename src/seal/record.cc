#include "seal/record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "formats/cbor.h"
#include "seal/record_parts.h"

namespace cc::seal {
namespace {

constexpr std::string_view kMagic = "cc-seal-record";
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kKindRecord = 0;
constexpr std::uint64_t kKindTombstone = 1;
constexpr std::size_t kChecksumBytes = 32;

cbor::Writer start(std::uint64_t kind, std::uint64_t pairs) {
  cbor::Writer out;
  out.map(pairs).key(1).text(kMagic).key(2).uint(kVersion).key(3).uint(kind);
  return out;
}

// The last pair: SHA-256 of every byte before the digest itself. It finds damage; the MACs find tampering.
Bytes finish(cbor::Writer out) {
  const crypto::Digest empty{};
  out.key(9).bytes(empty);
  Bytes document = out.take();
  const auto covered = ByteView(document).first(document.size() - kChecksumBytes);
  const crypto::Digest checksum = crypto::sha256(covered);
  std::ranges::copy(checksum, document.end() - static_cast<std::ptrdiff_t>(kChecksumBytes));
  return document;
}

Bytes encode_record(const SealRecord& record) {
  cbor::Writer out = start(kKindRecord, 9);
  out.key(4).bytes(encode_core(record.core)).key(5).bytes(record.record_mac);
  out.key(6).bytes(encode_members(record.members)).key(7).bytes(record.members_mac);
  out.key(8).map(2).key(1).uint(record.hints.seal_generation).key(2).boolean(record.hints.hold);
  return finish(std::move(out));
}

Result<void> check_checksum(ByteView document) {
  if (document.size() < kChecksumBytes || document.size() > kMaxRecordBytes) {
    return parts::malformed("the document has " + std::to_string(document.size()) + " bytes");
  }
  const auto covered = document.first(document.size() - kChecksumBytes);
  const crypto::Digest expected = crypto::sha256(covered);
  if (!std::ranges::equal(expected, document.last(kChecksumBytes))) {
    return parts::malformed("its checksum does not match");
  }
  return {};
}

Result<Hints> read_hints(cbor::Reader& in) {
  Hints hints;
  CC_TRY(parts::map_of(in, 2));
  CC_TRY(in.key(1));
  CC_ASSIGN(hints.seal_generation, in.uint());
  CC_TRY(in.key(2));
  CC_ASSIGN(hints.hold, in.boolean());
  return hints;
}

Result<void> check_master(const Core& core, const Members& members) {
  if (core.staged && core.staged->replaced && *core.staged->replaced != core.master_key) {
    return parts::malformed("it is to replace a master key that it does not have");
  }
  if (!core.retiring) {
    return {};
  }
  const bool waiting = core.operators() != nullptr && waiting_shares(members.lists.front()) > 0;
  if (core.staged || waiting || *core.retiring == core.master_key) {
    return parts::malformed("its master key is replaced in the middle of something else");
  }
  return {};
}

// The members part must speak of exactly the operators locks of the core.
Result<void> check_lists(const Core& core, const Members& members) {
  std::vector<const Lock*> locks;
  if (core.operators() != nullptr) {
    locks.push_back(core.operators());
  }
  if (const Lock* staged = core.operators(OperatorSet::staged)) {
    locks.push_back(staged);
  }
  if (members.lists.size() != locks.size()) {
    return parts::malformed("its members part does not fit its locks");
  }
  for (std::size_t i = 0; i < locks.size(); ++i) {
    const MemberList& list = members.lists[i];
    if (list.lock != locks[i]->header.id) {
      const bool retired = std::ranges::find(core.retired_locks, list.lock) != core.retired_locks.end();
      return fail(
          ErrorKind::record_tampered,
          retired ? "the members part of the seal record belongs to a set of operators that was replaced; restore the "
                    "whole record from one backup"
                  : "the members part of the seal record belongs to another lock; restore the whole record from one "
                    "backup");
    }
    if (list.entries.size() != locks[i]->header.n()) {
      return parts::malformed("its members part does not fit its locks");
    }
  }
  if (core.staged && core.operators() != nullptr && waiting_shares(members.lists.front()) > 0) {
    return parts::malformed("a lock is staged while operators still register");
  }
  if (core.staged && core.staged->kind() == StagedKind::kms_only && core.operators() == nullptr) {
    return parts::malformed("it is to lose an operators lock that it does not have");
  }
  return check_master(core, members);
}

Result<StoredRecord> read_record(cbor::Reader& in) {
  SealRecord record;
  CC_TRY(in.key(4));
  CC_ASSIGN(const ByteView core, in.bytes());
  CC_ASSIGN(record.core, parts::read_core(core));
  CC_TRY(in.key(5));
  CC_ASSIGN(record.record_mac, parts::array_of<32>(in));
  CC_TRY(in.key(6));
  CC_ASSIGN(const ByteView members, in.bytes());
  CC_ASSIGN(record.members, parts::read_members(members));
  CC_TRY(in.key(7));
  CC_ASSIGN(record.members_mac, parts::array_of<32>(in));
  CC_TRY(in.key(8));
  CC_ASSIGN(record.hints, read_hints(in));
  CC_TRY(check_lists(record.core, record.members));
  return record;
}

Result<StoredRecord> read_tombstone(cbor::Reader& in) {
  Tombstone tombstone;
  CC_TRY(in.key(4));
  CC_ASSIGN(tombstone.chamber, parts::array_of<16>(in));
  return tombstone;
}

}  // namespace

Bytes encode(const StoredRecord& record) {
  if (const auto* sealed = std::get_if<SealRecord>(&record)) {
    return encode_record(*sealed);
  }
  cbor::Writer out = start(kKindTombstone, 5);
  out.key(4).bytes(std::get<Tombstone>(record).chamber);
  return finish(std::move(out));
}

Result<StoredRecord> decode(ByteView document) {
  CC_TRY(check_checksum(document));
  cbor::Reader in(document);
  CC_ASSIGN(const std::uint64_t pairs, in.map());
  CC_TRY(in.key(1));
  CC_ASSIGN(const std::string magic, in.text());
  CC_TRY(in.key(2));
  CC_ASSIGN(const std::uint64_t version, in.uint());
  if (magic != kMagic || version != kVersion) {
    return parts::malformed("it is not a seal record of version 1; a newer program may have written it");
  }
  CC_TRY(in.key(3));
  CC_ASSIGN(const std::uint64_t kind, in.uint());
  const bool known = (kind == kKindRecord && pairs == 9) || (kind == kKindTombstone && pairs == 5);
  if (!known) {
    return parts::malformed("its kind is unknown");
  }
  CC_ASSIGN(StoredRecord record, kind == kKindRecord ? read_record(in) : read_tombstone(in));
  CC_TRY(in.key(9));
  CC_TRY(in.bytes(kChecksumBytes));
  CC_TRY(in.end());
  return record;
}

StagedKind StagedLock::kind() const {
  if (lock.header.kind == LockKind::kms) {
    return StagedKind::kms;
  }
  if (replaced) {
    return StagedKind::master;
  }
  return lock.header.members.empty() ? StagedKind::kms_only : StagedKind::operators;
}
std::string_view name(StagedKind kind) {
  constexpr std::array<std::string_view, 4> kNames{"operators", "kms", "kms_only", "master"};
  return kNames.at(static_cast<std::size_t>(kind));
}

const Lock* Core::operators(OperatorSet set) const {
  if (set == OperatorSet::active) {
    return operators();
  }
  return staged && staged->kind() == StagedKind::operators ? &staged->lock : nullptr;
}

const MemberList* SealRecord::members_of(OperatorSet set) const {
  const Lock* lock = core.operators(set);
  const auto found = std::ranges::find_if(
      members.lists, [lock](const MemberList& list) { return lock != nullptr && list.lock == lock->header.id; });
  return found == members.lists.end() ? nullptr : &*found;
}
MemberList* SealRecord::members_of(OperatorSet set) {
  return const_cast<MemberList*>(std::as_const(*this).members_of(set));
}

unsigned waiting_shares(const MemberList& list) {
  return static_cast<unsigned>(
      std::ranges::count_if(list.entries, [](const MemberEntry& entry) { return entry.pending.has_value(); }));
}

RecordPhase phase_of(const SealRecord& record) {
  if (record.core.staged) {
    return RecordPhase::rotating;
  }
  if (record.core.retiring) {
    return RecordPhase::resealing;
  }
  const MemberList* list = record.active_members();
  return list != nullptr && waiting_shares(*list) > 0 ? RecordPhase::registering : RecordPhase::set;
}

}  // namespace cc::seal
