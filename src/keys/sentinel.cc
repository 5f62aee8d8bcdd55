// The sentinel of docs/spec/key-record.md: chamber id and master key id in clear, and a constant sealed under the
// master key.
#include "formats/cbor.h"
#include "keys/key_record.h"

namespace cc::keys {
namespace {

constexpr std::string_view kDomain = "cc/v1/sentinel";
constexpr std::string_view kContent = "sentinel";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kSealedBytes = kContent.size() + crypto::kTagBytes;

struct Parts {
  SentinelNames names;
  crypto::Nonce nonce{};
  std::array<std::uint8_t, kSealedBytes> sealed{};
};

Result<Parts> read(ByteView sentinel) {
  cbor::Reader in(sentinel);
  CC_ASSIGN(const std::uint64_t fields, in.map());
  CC_ASSIGN(const std::uint64_t version, in.uint_at(0));
  if (fields != 5 || version != kVersion) {
    return fail(ErrorKind::record_malformed, "the key store's sentinel is damaged or of a newer version");
  }
  Parts out;
  CC_TRY(in.bytes_at(1, out.names.chamber));
  CC_TRY(in.bytes_at(2, out.names.master_key));
  CC_TRY(in.bytes_at(3, out.nonce));
  CC_TRY(in.bytes_at(4, out.sealed));
  CC_TRY(in.end());
  return out;
}

Bytes aad_of(const RecordKeys& keys) {
  Bytes out;
  append(out, bytes_of(kDomain));
  append(out, keys.chamber);
  append(out, keys.id);
  return out;
}

}  // namespace

Bytes seal_sentinel(const RecordKeys& keys, Random& random) {
  const auto nonce = random.array<12>();
  const Bytes sealed = crypto::seal(keys.sentinel, nonce, aad_of(keys), bytes_of(kContent));
  return cbor::Writer()
      .map(5)
      .key(0)
      .uint(kVersion)
      .key(1)
      .bytes(keys.chamber)
      .key(2)
      .bytes(keys.id)
      .key(3)
      .bytes(nonce)
      .key(4)
      .bytes(sealed)
      .take();
}

Result<SentinelNames> sentinel_names(ByteView sentinel) {
  CC_ASSIGN(const Parts parts, read(sentinel));
  return parts.names;
}

Result<void> check_sentinel(const RecordKeys& keys, ByteView sentinel) {
  CC_ASSIGN(const Parts parts, read(sentinel));
  if (parts.names.chamber != keys.chamber) {
    return fail(ErrorKind::wrong_master_key, "the key store belongs to chamber " + to_hex(parts.names.chamber) +
                                                 ", this is chamber " + to_hex(keys.chamber) +
                                                 ": configure the key store of this chamber");
  }
  const auto content = parts.names.master_key == keys.id
                           ? crypto::open(keys.sentinel, parts.nonce, aad_of(keys), parts.sealed)
                           : fail(ErrorKind::wrong_master_key, "");
  if (!content || !equal_constant_time(expose_secret_bytes(*content), bytes_of(kContent))) {
    return fail(ErrorKind::wrong_master_key,
                "the key store's records are sealed under another master key: "
                "restore the seal record that belongs to this key store, or the other way round");
  }
  return {};
}

}  // namespace cc::keys
