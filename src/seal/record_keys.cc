#include "seal/record_keys.h"

#include "formats/cbor.h"

namespace cc::seal {
namespace {

constexpr std::uint64_t kCurrent = 0;
constexpr std::uint64_t kRetiring = 1;
constexpr std::size_t kCborHeads = 64;  // more than all heads of one of these small documents together

tl::unexpected<Error> unknown_content() {
  return fail(ErrorKind::record_malformed, "the content of a lock is not what this program writes");
}

}  // namespace

crypto::Digest key_check_value(const Secret<32>& master_key, const ChamberId& chamber) {
  return crypto::hmac_sha256(crypto::derive(master_key, chamber, "kcv"), {chamber});
}

crypto::Digest record_mac(const Secret<32>& master_key, const Core& core) {
  return crypto::hmac_sha256(crypto::derive(master_key, core.chamber, "record"), {encode_core(core)});
}

crypto::Digest members_mac(const Secret<32>& pepper, const Core& core, const Members& members) {
  cbor::Writer covered;
  covered.array(3);
  core.operators() == nullptr ? covered.null() : covered.bytes(encode_header(core.operators()->header));
  const Lock* staged = core.operators(OperatorSet::staged);
  staged != nullptr ? covered.bytes(encode_header(staged->header)) : covered.null();
  covered.bytes(encode_members(members));
  return crypto::hmac_sha256(crypto::derive(pepper, core.chamber, "members"), {covered.view()});
}

crypto::Digest epoch_digest(const Core& core) {
  Core settled = core;
  settled.cancelled_locks.clear();
  settled.staged.reset();
  return crypto::sha256(encode_core(settled));
}

crypto::Digest rotation_digest(const Core& core) {
  return core.staged ? crypto::sha256({bytes_of("cc/v1/rotation"), epoch_digest(core), encode_staged(*core.staged)})
                     : crypto::Digest{};
}

Result<void> check_core(const MasterKeys& keys, const SealRecord& record) {
  const auto found = keys.keys.find(record.core.master_key);
  const bool same_id = found != keys.keys.end() && keys.current == record.core.master_key;
  if (!same_id || !equal_constant_time(key_check_value(found->second, record.core.chamber), record.core.kcv)) {
    return fail(ErrorKind::wrong_master_key,
                "the locks gave a master key that is not this record's; restore record and key store from one backup");
  }
  if (!equal_constant_time(record_mac(found->second, record.core), record.record_mac)) {
    return fail(ErrorKind::record_tampered,
                "the core of the seal record was altered; find out by whom, then restore it from a backup");
  }
  return {};
}

Result<void> check_members(const Secret<32>& pepper, const SealRecord& record) {
  if (!equal_constant_time(members_mac(pepper, record.core, record.members), record.members_mac)) {
    return fail(ErrorKind::record_tampered,
                "the members part of the seal record, or the header of its lock, was altered; find out by whom, then "
                "restore it from a backup");
  }
  return {};
}

SecretBytes encode_kms_content(const KmsContent& content) {
  cbor::SecretWriter out(content.inner.size() + 32 + kCborHeads);
  out.map(2).key(1).bytes(expose_secret_bytes(content.inner)).key(2).bytes(expose_secret_bytes(content.pepper));
  return out.take();
}

Result<KmsContent> decode_kms_content(const SecretBytes& bytes) {
  cbor::Reader in(expose_secret_bytes(bytes));
  CC_ASSIGN(const std::uint64_t pairs, in.map());
  CC_TRY(in.key(1));
  CC_ASSIGN(const ByteView inner, in.bytes());
  CC_TRY(in.key(2));
  CC_ASSIGN(const ByteView pepper, in.bytes(32));
  CC_TRY(in.end());
  if (pairs != 2) {
    return unknown_content();
  }
  return KmsContent{SecretBytes::copy_of(inner), Secret<32>::copy_of(pepper.first<32>())};
}

SecretBytes encode_master_keys(const MasterKeys& keys) {
  cbor::SecretWriter out(keys.keys.size() * (8 + 32 + kCborHeads) + kCborHeads);
  out.array(keys.keys.size());
  for (const auto& [id, key] : keys.keys) {
    out.array(3).bytes(id).bytes(expose_secret_bytes(key)).uint(id == keys.current ? kCurrent : kRetiring);
  }
  return out.take();
}

Result<MasterKeys> decode_master_keys(const SecretBytes& bytes) {
  cbor::Reader in(expose_secret_bytes(bytes));
  MasterKeys keys;
  CC_ASSIGN(const std::uint64_t count, in.array());
  unsigned current = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    CC_ASSIGN(const std::uint64_t three, in.array());
    CC_ASSIGN(const ByteView id_bytes, in.bytes(8));
    CC_ASSIGN(const ByteView key, in.bytes(32));
    CC_ASSIGN(const std::uint64_t role, in.uint());
    const auto id = to_array<8>(id_bytes);
    const bool after_last = keys.keys.empty() || keys.keys.rbegin()->first < id;
    if (three != 3 || role > kRetiring || !after_last) {
      return unknown_content();
    }
    if (role == kCurrent) {
      keys.current = id;
      ++current;
    }
    keys.keys.emplace(id, Secret<32>::copy_of(key.first<32>()));
  }
  CC_TRY(in.end());
  if (current != 1 || count > 2) {
    return unknown_content();
  }
  return keys;
}

}  // namespace cc::seal
