#include "seal/device.h"

#include <algorithm>

#include "formats/cbor.h"

namespace cc::seal {
namespace {

// A DNS name, as CTAP wants a relying party; ours is never looked up.
bool is_rp_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRpIdBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

Result<DeviceChallenge> read_yubikey(cbor::Reader& in, std::uint64_t items) {
  YubikeyChallenge out;
  CC_ASSIGN(const ByteView challenge, in.bytes(kChallengeBytes));
  out.challenge = to_array<kChallengeBytes>(challenge);
  return items == 1 ? Result<DeviceChallenge>(out)
                    : fail(ErrorKind::record_malformed, "the challenge of a yubikey credential has one item");
}

Result<DeviceChallenge> read_fido2(cbor::Reader& in, std::uint64_t items) {
  Fido2Challenge out;
  CC_ASSIGN(out.rp_id, in.text());
  CC_ASSIGN(const ByteView credential, in.bytes());
  out.credential.assign(credential.begin(), credential.end());
  CC_ASSIGN(const ByteView salt, in.bytes(kChallengeBytes));
  out.salt = to_array<kChallengeBytes>(salt);
  CC_ASSIGN(out.verification, in.boolean());
  return items == 4 ? Result<DeviceChallenge>(std::move(out))
                    : fail(ErrorKind::record_malformed, "the challenge of a fido2 credential has four items");
}

}  // namespace

std::string_view device_kind(const DeviceChallenge& device) {
  return std::holds_alternative<YubikeyChallenge>(device) ? kYubikeyKind : kFido2Kind;
}

std::size_t device_answer_bytes(std::string_view kind) {
  if (kind == kYubikeyKind) {
    return kYubikeyAnswerBytes;
  }
  return kind == kFido2Kind ? kFido2AnswerBytes : 0;
}

Result<void> check_device(const DeviceChallenge& device) {
  const auto* fido2 = std::get_if<Fido2Challenge>(&device);
  if (fido2 == nullptr) {
    return {};
  }
  if (!is_rp_id(fido2->rp_id)) {
    return fail(ErrorKind::malformed_request, "the relying party of a fido2 credential is 1 to 253 of a-z 0-9 . -");
  }
  if (fido2->credential.empty() || fido2->credential.size() > kMaxFido2IdBytes) {
    return fail(ErrorKind::malformed_request, "the credential id of a security key has 1 to 1024 bytes");
  }
  return {};
}

Bytes encode_device(const DeviceChallenge& device) {
  cbor::Writer out;
  if (const auto* yubikey = std::get_if<YubikeyChallenge>(&device)) {
    out.array(1).bytes(yubikey->challenge);
  } else {
    const auto& fido2 = std::get<Fido2Challenge>(device);
    out.array(4).text(fido2.rp_id).bytes(fido2.credential).bytes(fido2.salt).boolean(fido2.verification);
  }
  return out.take();
}

Result<DeviceChallenge> decode_device(std::string_view kind, ByteView bytes) {
  cbor::Reader in(bytes);
  if (!is_device_kind(kind)) {
    return fail(ErrorKind::record_malformed, "a stored credential asks hardware that this program does not know");
  }
  CC_ASSIGN(const std::uint64_t items, in.array());
  CC_ASSIGN(DeviceChallenge device, kind == kYubikeyKind ? read_yubikey(in, items) : read_fido2(in, items));
  CC_TRY(in.end());
  if (const auto good = check_device(device); !good) {
    return fail(ErrorKind::record_malformed, good.error().message);
  }
  return device;
}

}  // namespace cc::seal
