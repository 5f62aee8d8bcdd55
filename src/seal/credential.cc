#include "seal/credential.h"

#include <algorithm>

#include "crypto/aead.h"
#include "formats/cbor.h"
#include "formats/unicode.h"
#include "seal/device.h"

namespace cc::seal {
namespace {

constexpr std::size_t kMaxKindBytes = 32;
constexpr std::size_t kSaltBytes = 16;
// A blob has one item more when a hardware key has to be asked.
constexpr std::size_t kPlainItems = 7;
constexpr std::size_t kDeviceItems = 8;

// The AAD of every box: what it is, and everything that names it.
Bytes naming(std::string_view box, const MemberName& member, std::string_view credential_id = {}) {
  cbor::Writer out;
  out.array(6).text(box).bytes(member.chamber).bytes(member.lock).uint(member.index);
  out.text(member.operator_name).text(credential_id);
  return out.take();
}

void write_kdf(cbor::Writer& out, const CredentialBlob& blob) {
  out.text(blob.kind).bytes(blob.salt).uint(blob.params.memory_kib).uint(blob.params.passes).uint(blob.params.lanes);
}

Bytes wrapped_aad(const MemberName& member, std::string_view credential_id, const CredentialBlob& blob) {
  Bytes aad = naming("cc/v1/credential-share", member, credential_id);
  cbor::Writer kdf;
  kdf.array(blob.device.empty() ? 5 : 6);
  write_kdf(kdf, blob);
  if (!blob.device.empty()) {
    kdf.bytes(blob.device);
  }
  append(aad, kdf.view());
  return aad;
}

struct CredentialKeys {
  Secret<32> encryption;
  Secret<32> commitment;
};

Result<CredentialKeys> stretch(const PreparedSecret& secret, const CredentialBlob& blob, const ChamberId& chamber) {
  CC_ASSIGN(const Secret<64> stretched, crypto::argon2id(secret.input, blob.salt, blob.params));
  const auto ikm = expose_secret_bytes(stretched);
  return CredentialKeys{crypto::hkdf_sha256(ikm, chamber, bytes_of("cc/v1/credential-enc")),
                        crypto::hkdf_sha256(ikm, chamber, bytes_of("cc/v1/credential-commit"))};
}

Secret<32> pepper_key(const Secret<32>& pepper, std::string_view purpose, const MemberName& member) {
  return crypto::derive(pepper, member.chamber, purpose, member.lock);
}

crypto::Digest token_hash(const Secret<32>& token, const MemberName& member) {
  return crypto::hmac_sha256(crypto::derive(token, member.chamber, "registration-token", member.lock),
                             {naming("cc/v1/registration-token", member)});
}

Bytes encode_blob(const CredentialBlob& blob) {
  cbor::Writer out;
  out.array(blob.device.empty() ? kPlainItems : kDeviceItems);
  write_kdf(out, blob);
  out.bytes(blob.commitment).bytes(blob.wrapped);
  if (!blob.device.empty()) {
    out.bytes(blob.device);
  }
  return out.take();
}

Result<std::uint32_t> read_u32(cbor::Reader& in) {
  CC_ASSIGN(const std::uint64_t value, in.uint());
  if (value > UINT32_MAX) {
    return fail(ErrorKind::record_malformed, "a stored Argon2id parameter is out of range");
  }
  return static_cast<std::uint32_t>(value);
}

Result<CredentialBlob> decode_blob(const SecretBytes& bytes) {
  cbor::Reader in(expose_secret_bytes(bytes));
  CredentialBlob blob;
  CC_ASSIGN(const std::uint64_t items, in.array());
  CC_ASSIGN(blob.kind, in.text());
  CC_ASSIGN(const ByteView salt, in.bytes(kSaltBytes));
  blob.salt = to_array<kSaltBytes>(salt);
  CC_ASSIGN(blob.params.memory_kib, read_u32(in));
  CC_ASSIGN(blob.params.passes, read_u32(in));
  CC_ASSIGN(blob.params.lanes, read_u32(in));
  CC_ASSIGN(const ByteView commitment, in.bytes(32));
  blob.commitment = to_array<32>(commitment);
  CC_ASSIGN(const ByteView wrapped, in.bytes());
  blob.wrapped.assign(wrapped.begin(), wrapped.end());
  if (items == kDeviceItems) {
    CC_ASSIGN(const ByteView device, in.bytes());
    CC_TRY(decode_device(blob.kind, device));
    blob.device.assign(device.begin(), device.end());
  }
  CC_TRY(in.end());
  const bool asks = items == kDeviceItems;
  if ((!asks && items != kPlainItems) || asks != is_device_kind(blob.kind) || blob.kind.empty() ||
      blob.kind.size() > kMaxKindBytes) {
    return fail(ErrorKind::record_malformed, "a stored credential is not what this program writes");
  }
  return blob;
}

tl::unexpected<Error> tampered(const std::string& what, const MemberName& member) {
  return fail(ErrorKind::record_tampered, "the " + what + " of operator " + member.operator_name +
                                              " in the seal record was altered; restore the record from a backup");
}

Result<SecretBytes> normalised(const CredentialSecret& credential) {
  if (const std::size_t wanted = device_answer_bytes(credential.kind); wanted != 0) {
    return credential.secret.size() == wanted
               ? Result<SecretBytes>(credential.secret.clone())
               : fail(ErrorKind::malformed_request,
                      "the answer of a " + credential.kind + " credential has " + std::to_string(wanted) + " bytes");
  }
  if (credential.kind != kPassphraseKind) {
    return fail(ErrorKind::unsupported, "a credential is of kind passphrase, yubikey or fido2");
  }
  if (credential.secret.size() > kMaxPassphraseBytes) {
    return fail(ErrorKind::passphrase_invalid, "a passphrase has at most 64 KiB");
  }
  return unicode::nfc(credential.secret);
}

PreparedSecret prepared(const std::string& kind, const SecretBytes& normal) {
  PreparedSecret out{kind, SecretBytes(kind.size() + 1 + normal.size()), {}};
  const auto input = expose_secret_bytes(out.input);
  std::ranges::copy(kind, input.begin());
  std::ranges::copy(expose_secret_bytes(normal), input.subspan(kind.size() + 1).begin());
  return out;
}

}  // namespace

Result<PreparedSecret> prepare_secret(const CredentialSecret& credential) {
  CC_ASSIGN(const SecretBytes normal, normalised(credential));
  return prepared(credential.kind, normal);
}

Result<PreparedSecret> prepare_new_secret(const CredentialSecret& credential) {
  CC_ASSIGN(const SecretBytes normal, normalised(credential));
  if (is_device_kind(credential.kind)) {
    if (!credential.device || device_kind(*credential.device) != credential.kind) {
      return fail(ErrorKind::malformed_request, "say what the hardware key was asked: the challenge of a " +
                                                    credential.kind + " credential is missing");
    }
    CC_TRY(check_device(*credential.device));
    PreparedSecret out = prepared(credential.kind, normal);
    out.device = encode_device(*credential.device);
    return out;
  }
  if (credential.device) {
    return fail(ErrorKind::malformed_request, "a passphrase has no challenge");
  }
  CC_ASSIGN(const std::size_t length, unicode::code_points(normal));
  if (length < kMinPassphraseCodePoints) {
    return fail(ErrorKind::passphrase_too_short, "passphrase too short: use at least 16 characters");
  }
  return prepared(credential.kind, normal);
}

Result<Bytes> make_credential(const Secret<32>& pepper, const MemberName& member, const std::string& credential_id,
                              const PreparedSecret& secret, const crypto::Argon2Params& params, const SecretBytes& rtss,
                              Random& random) {
  CredentialBlob blob{secret.kind, random.array<kSaltBytes>(), params, {}, {}, secret.device};
  CC_ASSIGN(const CredentialKeys keys, stretch(secret, blob, member.chamber));
  blob.commitment = to_array<32>(expose_secret_bytes(keys.commitment));
  const Bytes aad = wrapped_aad(member, credential_id, blob);
  blob.wrapped = crypto::seal_box(keys.encryption, aad, expose_secret_bytes(rtss), random);
  Bytes plain = encode_blob(blob);
  Bytes box = crypto::seal_box(pepper_key(pepper, "credential", member),
                               naming("cc/v1/credential", member, credential_id), plain, random);
  wipe(plain);
  CC_ASSIGN(const CredentialBlob back, open_pepper_layer(pepper, member, credential_id, box));
  const auto share = crypto::open_box(keys.encryption, wrapped_aad(member, credential_id, back), back.wrapped);
  if (!share || !(*share == rtss)) {
    return fail(ErrorKind::internal, "the new credential does not give its share back; nothing was stored");
  }
  return box;
}

Result<CredentialBlob> open_pepper_layer(const Secret<32>& pepper, const MemberName& member,
                                         const std::string& credential_id, ByteView box) {
  const auto opened = crypto::open_box(pepper_key(pepper, "credential", member),
                                       naming("cc/v1/credential", member, credential_id), box);
  if (!opened) {
    return tampered("credential " + credential_id, member);
  }
  return decode_blob(*opened);
}

Result<std::optional<SecretBytes>> open_credential(const CredentialBlob& blob, const MemberName& member,
                                                   const std::string& credential_id, const PreparedSecret& secret) {
  CC_ASSIGN(const CredentialKeys keys, stretch(secret, blob, member.chamber));
  if (!equal_constant_time(expose_secret_bytes(keys.commitment), blob.commitment)) {
    return std::optional<SecretBytes>();
  }
  auto share = crypto::open_box(keys.encryption, wrapped_aad(member, credential_id, blob), blob.wrapped);
  if (!share) {
    return tampered("credential " + credential_id, member);
  }
  return std::optional<SecretBytes>(*std::move(share));
}

Result<void> spend_the_same_work(const PreparedSecret& secret, const crypto::Argon2Params& params) {
  const CredentialBlob nobody{secret.kind, {}, params, {}, {}, {}};
  CC_ASSIGN(const CredentialKeys unused, stretch(secret, nobody, ChamberId{}));
  (void)unused;
  return {};
}

Bytes make_pending(const Secret<32>& pepper, const MemberName& member, const Secret<32>& token, const SecretBytes& rtss,
                   Random& random) {
  const Bytes share = crypto::seal_box(crypto::derive(token, member.chamber, "pending-share", member.lock),
                                       naming("cc/v1/pending-share", member), expose_secret_bytes(rtss), random);
  cbor::Writer out;
  out.array(2).bytes(token_hash(token, member)).bytes(share);
  return crypto::seal_box(pepper_key(pepper, "pending", member), naming("cc/v1/pending", member), out.view(), random);
}

Error wrong_passphrase_error() {
  return {ErrorKind::wrong_passphrase,
          "wrong passphrase, or no such operator or credential; check the keyboard layout and trailing line endings"};
}

Error registration_token_error() {
  return {ErrorKind::registration_token_invalid,
          "the registration token is not this operator's, or it was used already; ask the coordinator of the ceremony"};
}

Result<SecretBytes> open_pending(const Secret<32>& pepper, const MemberName& member, const Secret<32>& token,
                                 ByteView box) {
  const auto opened = crypto::open_box(pepper_key(pepper, "pending", member), naming("cc/v1/pending", member), box);
  if (!opened) {
    return tampered("waiting share", member);
  }
  cbor::Reader in(expose_secret_bytes(*opened));
  CC_ASSIGN(const std::uint64_t two, in.array());
  CC_ASSIGN(const ByteView hash, in.bytes(32));
  CC_ASSIGN(const ByteView wrapped, in.bytes());
  CC_TRY(in.end());
  if (two != 2) {
    return tampered("waiting share", member);
  }
  if (!equal_constant_time(hash, token_hash(token, member))) {
    return fail(registration_token_error());
  }
  auto share = crypto::open_box(crypto::derive(token, member.chamber, "pending-share", member.lock),
                                naming("cc/v1/pending-share", member), wrapped);
  return share ? std::move(share) : tampered("waiting share", member);
}

}  // namespace cc::seal
