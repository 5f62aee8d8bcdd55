// What the hardware key of a credential is asked, so that it answers the same secret again: chosen at enrolment, no
// secret, stored in the credential under the pepper, handed out before each use. The signer never sees the hardware; it
// stores this, and gets the answer in place of a passphrase. Bytes: docs/spec/seal-record.md. Pure.
//
//   yubikey  HMAC-SHA-1 of a random challenge by slot 2: 20 bytes
//   fido2    the hmac-secret extension (CTAP 2.0, 2.1) over a random salt: 32 bytes
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"

namespace cc::seal {

inline constexpr const char* kPassphraseKind = "passphrase";
inline constexpr const char* kYubikeyKind = "yubikey";
inline constexpr const char* kFido2Kind = "fido2";

inline constexpr std::size_t kChallengeBytes = 32;  // of both kinds
inline constexpr std::size_t kYubikeyAnswerBytes = 20;
inline constexpr std::size_t kFido2AnswerBytes = 32;
inline constexpr std::size_t kMaxRpIdBytes = 253;
inline constexpr std::size_t kMaxFido2IdBytes = 1024;

struct YubikeyChallenge {
  std::array<std::uint8_t, kChallengeBytes> challenge{};
  bool operator==(const YubikeyChallenge&) const = default;
};
struct Fido2Challenge {
  std::string rp_id;
  Bytes credential;  // the credential id that the key gave; without resident storage it holds the wrapped key itself
  std::array<std::uint8_t, kChallengeBytes> salt{};
  // Made with the key's PIN: it answers another secret without.
  bool verification = false;
  bool operator==(const Fido2Challenge&) const = default;
};
using DeviceChallenge = std::variant<YubikeyChallenge, Fido2Challenge>;

std::string_view device_kind(const DeviceChallenge& device);
// Length of the answer of this kind; 0 for a kind that asks no hardware.
std::size_t device_answer_bytes(std::string_view kind);
inline bool is_device_kind(std::string_view kind) { return device_answer_bytes(kind) != 0; }

// Errors: malformed_request (a length out of range, a relying party that is no plain text).
Result<void> check_device(const DeviceChallenge& device);

// Deterministic CBOR; the kind stands outside.
Bytes encode_device(const DeviceChallenge& device);
// Errors: record_malformed, also for a kind that asks no hardware. What is accepted re-encodes to itself.
Result<DeviceChallenge> decode_device(std::string_view kind, ByteView bytes);

}  // namespace cc::seal
