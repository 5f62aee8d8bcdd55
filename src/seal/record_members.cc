#include <algorithm>

#include "seal/names.h"
#include "seal/record_parts.h"

namespace cc::seal {

Bytes encode_members(const Members& members) {
  cbor::Writer out;
  out.map(2).key(1).uint(members.changes).key(2).array(members.lists.size());
  for (const MemberList& list : members.lists) {
    out.array(2).bytes(list.lock).array(list.entries.size());
    for (const MemberEntry& entry : list.entries) {
      out.array(3);
      entry.pending ? out.bytes(*entry.pending) : out.null();
      out.array(entry.credentials.size());
      for (const StoredCredential& credential : entry.credentials) {
        out.array(2).text(credential.id).bytes(credential.box);
      }
      entry.drilled ? out.uint(*entry.drilled) : out.null();
    }
  }
  return out.take();
}

namespace parts {
namespace {

constexpr std::size_t kMaxBoxBytes = 4096;
constexpr std::size_t kMaxLists = 2;
constexpr std::size_t kMaxEntries = 255;

Result<StoredCredential> read_credential(cbor::Reader& in) {
  StoredCredential credential;
  CC_ASSIGN(const std::size_t two, count_up_to(in, 2));
  CC_ASSIGN(credential.id, in.text());
  CC_ASSIGN(credential.box, bytes_up_to(in, kMaxBoxBytes));
  if (two != 2 || !is_plain_name(credential.id)) {
    return malformed("a credential has a bad id");
  }
  return credential;
}

Result<MemberEntry> read_entry(cbor::Reader& in) {
  MemberEntry entry;
  CC_ASSIGN(const std::size_t three, count_up_to(in, 3));
  if (three != 3) {
    return malformed("a member's entry is incomplete");
  }
  CC_ASSIGN(const bool not_waiting, in.null_next());
  if (!not_waiting) {
    CC_ASSIGN(entry.pending, bytes_up_to(in, kMaxBoxBytes));
  }
  CC_ASSIGN(const std::size_t count, count_up_to(in, kMaxCredentials));
  for (std::size_t i = 0; i < count; ++i) {
    CC_ASSIGN(StoredCredential credential, read_credential(in));
    const bool repeated = std::ranges::any_of(entry.credentials, [&](const auto& c) { return c.id == credential.id; });
    if (repeated) {
      return malformed("a credential id is repeated");
    }
    entry.credentials.push_back(std::move(credential));
  }
  // A share either waits for its owner or lies under the owner's credentials; neither would be a lost share.
  if (entry.pending.has_value() == !entry.credentials.empty()) {
    return malformed("a member's share neither waits for its owner nor has a credential");
  }
  CC_ASSIGN(const bool never, in.null_next());
  if (!never) {
    CC_ASSIGN(entry.drilled, in.uint());
  }
  return entry;
}

}  // namespace

Result<Members> read_members(ByteView bytes) {
  cbor::Reader in(bytes);
  Members members;
  CC_TRY(map_of(in, 2));
  CC_TRY(in.key(1));
  CC_ASSIGN(members.changes, in.uint());
  CC_TRY(in.key(2));
  CC_ASSIGN(const std::size_t lists, count_up_to(in, kMaxLists));
  for (std::size_t i = 0; i < lists; ++i) {
    MemberList list;
    CC_ASSIGN(const std::size_t two, count_up_to(in, 2));
    CC_ASSIGN(list.lock, array_of<16>(in));
    CC_ASSIGN(const std::size_t entries, count_up_to(in, kMaxEntries));
    if (two != 2) {
      return malformed("a list of members is incomplete");
    }
    for (std::size_t j = 0; j < entries; ++j) {
      CC_ASSIGN(MemberEntry entry, read_entry(in));
      list.entries.push_back(std::move(entry));
    }
    members.lists.push_back(std::move(list));
  }
  CC_TRY(in.end());
  return members;
}

}  // namespace parts
}  // namespace cc::seal
