#include "keys/key_record.h"

#include "formats/cbor.h"

namespace cc::keys {
namespace {

constexpr std::string_view kRecordDomain = "cc/v1/key-record";
constexpr std::string_view kStatusDomain = "cc/v1/key-status";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLargestRecord = kLargestBackup + 1024;

// Numbers of the stored status; 0 never exists, so that an erased field is no status.
constexpr std::uint64_t kActive = 1;
constexpr std::uint64_t kInactive = 2;

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::record_malformed, "key record: " + std::string(what));
}

tl::unexpected<Error> tampered(const KeyRecord& record, std::string_view what) {
  return fail(ErrorKind::key_record_tampered, "the record of key " + to_0x(record.public_key) + " " +
                                                  std::string(what) + ": restore the key store from a backup");
}

// What the MAC covers: every field but the MAC itself.
Bytes body_of(const KeyRecord& record) {
  cbor::Writer out;
  out.map(11)
      .key(0)
      .uint(static_cast<std::uint64_t>(record.type))
      .key(1)
      .bytes(record.public_key)
      .key(2)
      .bytes(record.master_key)
      .key(3)
      .uint(record.status == KeyStatus::active ? kActive : kInactive)
      .key(4)
      .uint(record.generation)
      .key(5)
      .uint(record.created_at)
      .key(6)
      .uint(record.updated_at)
      .key(7)
      .text(record.label)
      .key(8);
  if (record.backup) {
    out.bytes(*record.backup);
  } else {
    out.null();
  }
  out.key(9).bytes(record.nonce).key(10).bytes(record.sealed_key);
  return out.take();
}

// All parts have a fixed length, so their concatenation has one meaning.
Bytes record_aad(const RecordKeys& keys, KeyType type, const BlsPublicKey& public_key) {
  Bytes out;
  out.reserve(kRecordDomain.size() + keys.chamber.size() + keys.id.size() + 1 + public_key.size());
  append(out, bytes_of(kRecordDomain));
  append(out, keys.chamber);
  append(out, keys.id);
  out.push_back(static_cast<std::uint8_t>(type));
  append(out, public_key);
  return out;
}

crypto::Digest status_mac(const RecordKeys& keys, const KeyRecord& record) {
  return crypto::hmac_sha256(keys.status, {bytes_of(kStatusDomain), ByteView(keys.chamber), body_of(record)});
}

Result<std::optional<Bytes>> read_backup(cbor::Reader& in) {
  CC_TRY(in.key(8));
  CC_ASSIGN(const bool absent, in.null_next());
  if (absent) {
    return std::optional<Bytes>();
  }
  CC_ASSIGN(const ByteView bytes, in.bytes());
  if (bytes.empty() || bytes.size() > kLargestBackup) {
    return malformed("the backup is empty or too large");
  }
  return std::optional<Bytes>(Bytes(bytes.begin(), bytes.end()));
}

Result<KeyRecord> read_body(ByteView bytes) {
  cbor::Reader in(bytes);
  KeyRecord out;
  CC_ASSIGN(const std::uint64_t fields, in.map());
  if (fields != 11) {
    return malformed("it must have 11 fields");
  }
  CC_ASSIGN(const std::uint64_t type, in.uint_at(0));
  if (type != static_cast<std::uint64_t>(KeyType::bls12_381)) {
    return malformed("unknown key type " + std::to_string(type));
  }
  CC_TRY(in.bytes_at(1, out.public_key));
  CC_TRY(in.bytes_at(2, out.master_key));
  CC_ASSIGN(const std::uint64_t status, in.uint_at(3));
  if (status != kActive && status != kInactive) {
    return malformed("unknown status " + std::to_string(status));
  }
  out.status = status == kActive ? KeyStatus::active : KeyStatus::inactive;
  CC_ASSIGN(out.generation, in.uint_at(4));
  CC_ASSIGN(out.created_at, in.uint_at(5));
  CC_ASSIGN(out.updated_at, in.uint_at(6));
  CC_TRY(in.key(7));
  CC_ASSIGN(out.label, in.text());
  if (out.label.size() > kLargestLabel) {
    return malformed("the label is too long");
  }
  CC_ASSIGN(out.backup, read_backup(in));
  CC_TRY(in.bytes_at(9, out.nonce));
  CC_TRY(in.bytes_at(10, out.sealed_key));
  CC_TRY(in.end());
  return out;
}

void seal_scalar(const RecordKeys& keys, const crypto::BlsSecretKey& key, KeyRecord& out, Random& random) {
  out.nonce = random.array<12>();
  const Bytes sealed =
      crypto::seal(keys.keys, out.nonce, record_aad(keys, out.type, out.public_key), expose_secret_bytes(key.bytes()));
  out.sealed_key = to_array<kSecretBytes + crypto::kTagBytes>(sealed);
  out.status_mac = status_mac(keys, out);
}

}  // namespace

std::string_view name(KeyStatus status) { return status == KeyStatus::active ? "active" : "inactive"; }

Bytes encode(const KeyRecord& record) {
  return cbor::Writer()
      .map(3)
      .key(0)
      .uint(kVersion)
      .key(1)
      .bytes(body_of(record))
      .key(2)
      .bytes(record.status_mac)
      .take();
}

Result<KeyRecord> decode(ByteView bytes) {
  if (bytes.size() > kLargestRecord) {
    return malformed("it is too large");
  }
  cbor::Reader in(bytes);
  CC_ASSIGN(const std::uint64_t parts, in.map());
  if (parts != 3) {
    return malformed("it must have 3 parts");
  }
  CC_ASSIGN(const std::uint64_t version, in.uint_at(0));
  if (version != kVersion) {
    return malformed("version " + std::to_string(version) + " is unknown: a newer program wrote it");
  }
  CC_TRY(in.key(1));
  CC_ASSIGN(const ByteView body, in.bytes());
  CC_ASSIGN(KeyRecord out, read_body(body));
  CC_TRY(in.bytes_at(2, out.status_mac));
  CC_TRY(in.end());
  return out;
}

RecordKeys derive_record_keys(const ChamberId& chamber, const MasterKeyId& id, const Secret<32>& master_key) {
  RecordKeys out;
  out.chamber = chamber;
  out.id = id;
  out.keys = crypto::derive(master_key, chamber, "keys");
  out.status = crypto::derive(master_key, chamber, "key-status");
  out.sentinel = crypto::derive(master_key, chamber, "sentinel");
  return out;
}

KeyRecord seal_key(const RecordKeys& keys, const crypto::BlsSecretKey& key, const BlsPublicKey& public_key,
                   std::string_view label, std::uint64_t now, Random& random, KeyStatus status,
                   const std::optional<Bytes>& backup) {
  KeyRecord out;
  out.status = status;
  out.public_key = public_key;
  out.master_key = keys.id;
  out.created_at = now;
  out.updated_at = now;
  out.label = std::string(label);
  out.backup = backup;
  seal_scalar(keys, key, out, random);
  return out;
}

Result<void> check_fields(const RecordKeys& keys, const KeyRecord& record) {
  if (record.master_key != keys.id) {
    return tampered(record, "names another master key");
  }
  if (!equal_constant_time(record.status_mac, status_mac(keys, record))) {
    return tampered(record, "was altered");
  }
  return {};
}

Result<void> set_status(const RecordKeys& keys, KeyRecord& record, KeyStatus status, std::uint64_t now) {
  CC_TRY(check_fields(keys, record));
  record.status = status;
  record.updated_at = now;
  ++record.generation;
  record.status_mac = status_mac(keys, record);
  return {};
}

Result<crypto::BlsSecretKey> open_key(const RecordKeys& keys, const KeyRecord& record) {
  return RecordLoader(keys).open(record);
}

Result<KeyRecord> reseal_key(const RecordKeys& from, const RecordKeys& to, const KeyRecord& record, Random& random) {
  CC_ASSIGN(const crypto::BlsSecretKey key, open_key(from, record));
  KeyRecord out = record;
  out.master_key = to.id;
  ++out.generation;
  seal_scalar(to, key, out, random);
  CC_ASSIGN(const KeyRecord back, decode(encode(out)));
  CC_ASSIGN(const crypto::BlsSecretKey again, open_key(to, back));
  if (!equal_constant_time(expose_secret_bytes(key.bytes()), expose_secret_bytes(again.bytes()))) {
    return fail(ErrorKind::internal, "a key record does not give its key back; nothing was stored");
  }
  return out;
}

Result<crypto::BlsSecretKey> RecordLoader::open(const KeyRecord& record) {
  CC_TRY(check_fields(keys_, record));
  Secret<kSecretBytes> scalar;
  if (!opener_.open(record.nonce, record_aad(keys_, record.type, record.public_key), record.sealed_key,
                    expose_secret_bytes(scalar))) {
    return tampered(record, "does not open under the master key");
  }
  return crypto::BlsSecretKey::from_checked(std::move(scalar));
}

}  // namespace cc::keys
