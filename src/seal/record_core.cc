#include <algorithm>
#include <set>

#include "seal/kek_name.h"
#include "seal/names.h"
#include "seal/record_parts.h"

namespace cc::seal {
namespace {

constexpr std::size_t kMaxMembers = 255;
constexpr std::size_t kMaxWrapBytes = 16 << 10;
constexpr std::size_t kMaxContentBytes = 64 << 10;
constexpr std::size_t kMaxRetired = 10'000;
constexpr std::string_view kMaster = "master";

void write_lock(cbor::Writer& out, const Lock& lock) {
  out.array(2).bytes(encode_header(lock.header)).array(lock.members.size());
  for (const LockMember& member : lock.members) {
    out.array(2).bytes(member.verifier).bytes(member.wrap);
  }
}

void write_staged(cbor::Writer& out, const StagedLock& staged) {
  if (staged.kind() == StagedKind::kms_only) {
    out.array(1).bytes(staged.lock.header.id);
    return;
  }
  if (staged.replaced) {
    out.array(3).bytes(staged.lock.header.id).text(kMaster).bytes(*staged.replaced);
    return;
  }
  out.array(2);
  write_lock(out, staged.lock);
  out.bytes(staged.content);
}

template <class Ids>
void write_ids(cbor::Writer& out, const Ids& ids) {
  out.array(ids.size());
  for (const LockId& id : ids) {
    out.bytes(id);
  }
}

}  // namespace

Bytes encode_core(const Core& core) {
  cbor::Writer out;
  out.map(core.retiring ? 12 : 11).key(1).bytes(core.chamber).key(2).uint(core.epoch).key(3).bytes(core.parent);
  out.key(4).bytes(core.master_key).key(5).bytes(core.kcv).key(6).array(core.locks.size());
  for (const Lock& lock : core.locks) {
    write_lock(out, lock);
  }
  out.key(7).bytes(core.content).key(8);
  write_ids(out, core.retired_locks);
  out.key(9).array(core.retired_operators.size());
  for (const std::string& name : core.retired_operators) {
    out.text(name);
  }
  out.key(10);
  write_ids(out, core.cancelled_locks);
  out.key(11);
  if (core.staged) {
    write_staged(out, *core.staged);
  } else {
    out.null();
  }
  if (core.retiring) {
    out.key(12).bytes(*core.retiring);
  }
  return out.take();
}

Bytes encode_staged(const StagedLock& staged) {
  cbor::Writer out;
  write_staged(out, staged);
  return out.take();
}

namespace parts {
namespace {

Result<LockHeader> read_header(ByteView bytes) {
  cbor::Reader in(bytes);
  LockHeader header;
  CC_TRY(map_of(in, 5));
  CC_TRY(in.key(1));
  CC_ASSIGN(const std::uint64_t kind, in.uint());
  CC_TRY(in.key(2));
  CC_ASSIGN(const std::uint64_t position, in.uint());
  if (kind > 1 || position != kind) {
    return malformed("a lock has a kind or a place that this program does not know");
  }
  header.kind = static_cast<LockKind>(kind);
  header.position = static_cast<unsigned>(position);
  CC_TRY(in.key(3));
  CC_ASSIGN(header.id, array_of<16>(in));
  CC_TRY(in.key(4));
  CC_ASSIGN(const std::uint64_t m, in.uint());
  CC_TRY(in.key(5));
  CC_ASSIGN(const std::size_t n, count_up_to(in, kMaxMembers));
  if (m == 0 || m > n) {
    return malformed("a threshold is out of range");
  }
  header.m = static_cast<unsigned>(m);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < n; ++i) {
    CC_ASSIGN(std::string member, in.text());
    const bool allowed = header.kind == LockKind::operators ? is_plain_name(member)
                                                            : !member.empty() && member.size() <= kMaxKekNameBytes;
    if (!allowed || !seen.insert(member).second) {
      return malformed("a member of a lock has a bad or repeated name");
    }
    header.members.push_back(std::move(member));
  }
  CC_TRY(in.end());
  return header;
}

Result<Lock> read_lock(cbor::Reader& in) {
  Lock lock;
  CC_ASSIGN(const std::size_t two, count_up_to(in, 2));
  CC_ASSIGN(const ByteView header, in.bytes());
  CC_ASSIGN(lock.header, read_header(header));
  CC_ASSIGN(const std::size_t n, count_up_to(in, kMaxMembers));
  if (two != 2 || n != lock.header.n()) {
    return malformed("a lock does not list its members");
  }
  for (std::size_t i = 0; i < n; ++i) {
    LockMember member;
    CC_ASSIGN(const std::size_t pair, count_up_to(in, 2));
    CC_ASSIGN(member.verifier, array_of<32>(in));
    CC_ASSIGN(const ByteView wrap, in.bytes());
    const bool fits = lock.header.kind == LockKind::kms ? !wrap.empty() && wrap.size() <= kMaxWrapBytes : wrap.empty();
    if (pair != 2 || !fits) {
      return malformed("a member of a lock is not as its kind demands");
    }
    member.wrap.assign(wrap.begin(), wrap.end());
    lock.members.push_back(std::move(member));
  }
  return lock;
}

Result<std::vector<LockId>> read_ids(cbor::Reader& in) {
  std::vector<LockId> ids;
  CC_ASSIGN(const std::size_t count, count_up_to(in, kMaxRetired));
  for (std::size_t i = 0; i < count; ++i) {
    CC_ASSIGN(const LockId id, array_of<16>(in));
    ids.push_back(id);
  }
  return ids;
}

Result<std::vector<Lock>> read_locks(cbor::Reader& in) {
  std::vector<Lock> locks;
  CC_ASSIGN(const std::size_t count, count_up_to(in, 2));
  for (std::size_t i = 0; i < count; ++i) {
    CC_ASSIGN(Lock lock, read_lock(in));
    if (lock.header.position != i) {
      return malformed("its locks are out of order");
    }
    locks.push_back(std::move(lock));
  }
  if (locks.empty()) {
    return malformed("it has no lock");
  }
  return locks;
}

Result<std::vector<std::string>> read_names(cbor::Reader& in) {
  std::vector<std::string> names;
  CC_ASSIGN(const std::size_t count, count_up_to(in, kMaxRetired));
  for (std::size_t i = 0; i < count; ++i) {
    CC_ASSIGN(std::string name, in.text());
    if (!is_plain_name(name)) {
      return malformed("a former operator has a bad name");
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::optional<StagedLock>> read_staged(cbor::Reader& in) {
  CC_ASSIGN(const bool none, in.null_next());
  if (none) {
    return std::nullopt;
  }
  StagedLock staged;
  CC_ASSIGN(const std::size_t parts, count_up_to(in, 3));
  if (parts == 1 || parts == 3) {
    staged.lock.header.kind = LockKind::operators;
    staged.lock.header.position = 1;
    CC_ASSIGN(staged.lock.header.id, array_of<16>(in));
    if (parts == 3) {
      CC_ASSIGN(const std::string what, in.text());
      CC_ASSIGN(staged.replaced, array_of<8>(in));
      if (what != kMaster) {
        return malformed("it has something staged that this program does not know");
      }
    }
    return staged;
  }
  CC_ASSIGN(staged.lock, read_lock(in));
  CC_ASSIGN(staged.content, bytes_up_to(in, kMaxContentBytes));
  if (parts != 2) {
    return malformed("its staged lock is incomplete");
  }
  return staged;
}

}  // namespace

Result<Core> read_core(ByteView bytes) {
  cbor::Reader in(bytes);
  Core core;
  CC_ASSIGN(const std::uint64_t pairs, in.map());
  if (pairs != 11 && pairs != 12) {
    return malformed("its core has another number of entries");
  }
  CC_TRY(in.key(1));
  CC_ASSIGN(core.chamber, array_of<16>(in));
  CC_TRY(in.key(2));
  CC_ASSIGN(core.epoch, in.uint());
  if (core.epoch == 0) {
    return malformed("its epoch is 0");
  }
  CC_TRY(in.key(3));
  CC_ASSIGN(core.parent, array_of<32>(in));
  CC_TRY(in.key(4));
  CC_ASSIGN(core.master_key, array_of<8>(in));
  CC_TRY(in.key(5));
  CC_ASSIGN(core.kcv, array_of<32>(in));
  CC_TRY(in.key(6));
  CC_ASSIGN(core.locks, read_locks(in));
  CC_TRY(in.key(7));
  CC_ASSIGN(core.content, bytes_up_to(in, kMaxContentBytes));
  CC_TRY(in.key(8));
  CC_ASSIGN(core.retired_locks, read_ids(in));
  CC_TRY(in.key(9));
  CC_ASSIGN(core.retired_operators, read_names(in));
  CC_TRY(in.key(10));
  CC_ASSIGN(core.cancelled_locks, read_ids(in));
  CC_TRY(in.key(11));
  CC_ASSIGN(core.staged, read_staged(in));
  if (pairs == 12) {
    CC_TRY(in.key(12));
    CC_ASSIGN(core.retiring, array_of<8>(in));
  }
  CC_TRY(in.end());
  return core;
}

}  // namespace parts
}  // namespace cc::seal
