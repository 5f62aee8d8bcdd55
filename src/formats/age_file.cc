#include "formats/age_file.h"

#include <algorithm>
#include <span>

#include "crypto/hash.h"

namespace cc::age {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1\n";
constexpr std::string_view kWrapInfo = "age-encryption.org/v1/X25519";
constexpr std::size_t kChunk = std::size_t{64} * 1024;
constexpr std::size_t kColumns = 64;

// Without padding, as the format wants it everywhere but in the armor.
std::string bare_base64(ByteView bytes) {
  std::string out = to_base64(bytes);
  while (out.ends_with('=')) {
    out.pop_back();
  }
  return out;
}

// One stanza: the ephemeral share, and the file key wrapped for the recipient.
Result<std::string> stanza(const Recipient& recipient, const Secret<16>& file_key, Random& random) {
  const Secret<32> ephemeral = random.secret<32>();
  const crypto::X25519Point share = crypto::x25519_public(ephemeral);
  CC_ASSIGN(const Secret<32> shared, crypto::x25519(ephemeral, recipient.point));
  Bytes salt(share.begin(), share.end());
  append(salt, recipient.point);
  const Secret<32> wrap_key = crypto::hkdf_sha256(expose_secret_bytes(shared), salt, bytes_of(kWrapInfo));
  const Bytes wrapped = crypto::chacha20_poly1305(wrap_key, crypto::Nonce{}, expose_secret_bytes(file_key));
  // 32 bytes of body are 43 characters: one short line, which also ends the stanza.
  return "-> X25519 " + bare_base64(share) + "\n" + bare_base64(wrapped) + "\n";
}

// STREAM: chunks of 64 KiB under a counter; the last byte of the nonce marks the last one.
void append_payload(Bytes& out, const Secret<32>& key, ByteView plaintext) {
  std::size_t at = 0;
  std::uint64_t counter = 0;
  bool last = false;
  while (!last) {
    const std::size_t here = std::min(kChunk, plaintext.size() - at);
    last = at + here == plaintext.size();
    crypto::Nonce nonce{};
    for (std::size_t i = 0; i < 8; ++i) {
      nonce.at(10 - i) = static_cast<std::uint8_t>(counter >> 8U * i);
    }
    nonce.at(11) = last ? 1 : 0;
    append(out, crypto::chacha20_poly1305(key, nonce, plaintext.subspan(at, here)));
    at += here;
    ++counter;
  }
}

}  // namespace

Result<Bytes> encrypt(const std::vector<Recipient>& recipients, ByteView plaintext, Random& random) {
  if (recipients.empty() || recipients.size() > kMostRecipients) {
    return fail(ErrorKind::malformed_request,
                "name 1 to " + std::to_string(kMostRecipients) + " backup recipients (age1…)");
  }
  for (auto one = recipients.begin(); one != recipients.end(); ++one) {
    if (std::find(std::next(one), recipients.end(), *one) != recipients.end()) {
      return fail(ErrorKind::malformed_request, "a backup recipient is named twice: " + to_text(*one));
    }
  }
  const Secret<16> file_key = random.secret<16>();
  std::string header(kVersionLine);
  for (const Recipient& recipient : recipients) {
    CC_ASSIGN(const std::string one, stanza(recipient, file_key, random));
    header += one;
  }
  header += "---";
  const Secret<32> mac_key = crypto::hkdf_sha256(expose_secret_bytes(file_key), {}, bytes_of("header"));
  const crypto::Digest mac = crypto::hmac_sha256(mac_key, {bytes_of(header)});
  header += " " + bare_base64(mac) + "\n";

  const auto nonce = random.array<16>();
  const Secret<32> payload_key = crypto::hkdf_sha256(expose_secret_bytes(file_key), nonce, bytes_of("payload"));
  Bytes out;
  append(out, bytes_of(header));
  append(out, nonce);
  append_payload(out, payload_key, plaintext);
  return out;
}

std::string armor(ByteView file) {
  const std::string text = to_base64(file);
  std::string out = "-----BEGIN AGE ENCRYPTED FILE-----\n";
  for (std::size_t at = 0; at < text.size(); at += kColumns) {
    out += text.substr(at, kColumns) + "\n";
  }
  return out + "-----END AGE ENCRYPTED FILE-----\n";
}

}  // namespace cc::age
