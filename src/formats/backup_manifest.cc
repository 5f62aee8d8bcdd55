#include "formats/backup_manifest.h"

#include <algorithm>

#include "formats/cbor.h"

namespace cc::backup {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kMostParts = 16;
constexpr std::size_t kLongestName = 64;
constexpr std::uint64_t kVersion = 1;

tl::unexpected<Error> bad(const std::string& what) {
  return fail(ErrorKind::record_malformed, "the backup's head is damaged: " + what);
}

bool is_part_name(std::string_view name) {
  const auto allowed = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '.' || letter == '-';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(name, allowed);
}

Bytes encode_manifest(const Manifest& manifest) {
  cbor::Writer out;
  out.map(7).key(1).uint(kVersion).key(2).text(manifest.program).key(3).uint(manifest.created_at);
  out.key(4).bytes(manifest.chamber).key(5).uint(manifest.epoch).key(6).bytes(manifest.master_key);
  out.key(7).array(manifest.parts.size());
  for (const Part& part : manifest.parts) {
    out.array(3).text(part.name).uint(part.size).bytes(part.digest);
  }
  return out.take();
}

Result<Part> read_part(cbor::Reader& in) {
  Part out;
  CC_ASSIGN(const std::uint64_t fields, in.array());
  CC_ASSIGN(out.name, in.text());
  CC_ASSIGN(out.size, in.uint());
  CC_ASSIGN(const ByteView digest, in.bytes(kDigestBytes));
  out.digest = to_array<kDigestBytes>(digest);
  if (fields != 3 || !is_part_name(out.name)) {
    return bad("a part has no proper name");
  }
  return out;
}

Result<Manifest> read_manifest(ByteView bytes) {
  cbor::Reader in(bytes);
  Manifest out;
  CC_ASSIGN(const std::uint64_t fields, in.map());
  CC_ASSIGN(const std::uint64_t version, in.uint_at(1));
  if (fields != 7 || version != kVersion) {
    return bad("its version is unknown; a newer program may have written it");
  }
  CC_TRY(in.key(2));
  CC_ASSIGN(out.program, in.text());
  CC_ASSIGN(out.created_at, in.uint_at(3));
  CC_TRY(in.bytes_at(4, out.chamber));
  CC_ASSIGN(out.epoch, in.uint_at(5));
  CC_TRY(in.bytes_at(6, out.master_key));
  CC_TRY(in.key(7));
  CC_ASSIGN(const std::uint64_t count, in.array());
  if (count == 0 || count > kMostParts) {
    return bad("it has no parts, or too many");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    CC_ASSIGN(Part part, read_part(in));
    if (std::ranges::find(out.parts, part.name, &Part::name) != out.parts.end()) {
      return bad("two parts have one name");
    }
    out.parts.push_back(std::move(part));
  }
  CC_TRY(in.end());
  return out;
}

}  // namespace

Bytes encode_head(const Manifest& manifest) {
  const Bytes body = encode_manifest(manifest);
  Bytes out;
  append(out, bytes_of(kMagic));
  append_u32_be(out, static_cast<std::uint32_t>(body.size()));
  append(out, body);
  const crypto::Digest digest = crypto::sha256(out);
  append(out, digest);
  return out;
}

Result<std::size_t> head_size(ByteView prefix) {
  if (prefix.size() < kPrefixBytes || !std::ranges::equal(prefix.first(kMagic.size()), bytes_of(kMagic))) {
    return fail(ErrorKind::record_malformed, "this is not a backup of a signer, or its first bytes are lost");
  }
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size = size << 8U | prefix[kMagic.size() + i];
  }
  if (size == 0 || size > kLargestManifest) {
    return bad("its length cannot be");
  }
  return kPrefixBytes + size + kDigestBytes;
}

Result<Manifest> decode_head(ByteView head) {
  CC_ASSIGN(const std::size_t size, head_size(head));
  if (head.size() != size) {
    return bad("it is cut");
  }
  const ByteView covered = head.first(size - kDigestBytes);
  if (!std::ranges::equal(crypto::sha256(covered), head.last(kDigestBytes))) {
    return bad("its digest does not match");
  }
  return read_manifest(covered.subspan(kPrefixBytes));
}

}  // namespace cc::backup
