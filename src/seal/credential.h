// Credentials: the ways in which an operator opens their share, and the share that waits until its owner registers.
//
// Everything derived from a passphrase or a token lies inside an AEAD under the pepper, so a thief of the database
// alone cannot guess passphrases. Every box binds chamber, lock, index, operator and credential id. Bytes:
// docs/spec/seal-record.md. Pure functions but for Argon2id's time and memory. Secrets: passphrases, tokens, shares.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/password.h"
#include "seal/chamber.h"
#include "seal/ports.h"
#include "seal/token.h"

namespace cc::seal {

inline constexpr std::size_t kMinPassphraseCodePoints = 16;
inline constexpr std::size_t kMaxPassphraseBytes = 64 << 10;

// What a box in the members part is about; goes into its AAD.
struct MemberName {
  ChamberId chamber{};
  LockId lock{};
  unsigned index = 0;
  std::string operator_name;
};

// A secret as Argon2id takes it: kind ‖ 0 ‖ NFC of the passphrase, or the bytes that the hardware key answered.
struct PreparedSecret {
  std::string kind;
  SecretBytes input;
  // Of a new credential: what the hardware key was asked, encoded (seal/device.h); empty with a passphrase.
  Bytes device{};  // NOLINT(readability-redundant-member-init): keeps initialisers of two free of warnings
};
// Errors: passphrase_invalid (not UTF-8, more than 64 KiB), unsupported (a kind that this build does not know),
// malformed_request (an answer of a hardware key that has another length than its kind's).
Result<PreparedSecret> prepare_secret(const CredentialSecret& credential);
// For a new credential also passphrase_too_short (under 16 code points after NFC), malformed_request (the challenge of
// a hardware key is missing, too much, or out of range).
Result<PreparedSecret> prepare_new_secret(const CredentialSecret& credential);

// One credential with its pepper layer open; the passphrase is still needed.
struct CredentialBlob {
  std::string kind;
  std::array<std::uint8_t, 16> salt{};
  crypto::Argon2Params params;
  crypto::Digest commitment{};
  Bytes wrapped;   // the share under the passphrase
  Bytes device{};  // NOLINT(readability-redundant-member-init): what to ask the hardware key, encoded; may be empty
};

// Wraps a share (RTSS form) under a secret and the pepper, and reads it back before it answers.
Result<Bytes> make_credential(const Secret<32>& pepper, const MemberName& member, const std::string& credential_id,
                              const PreparedSecret& secret, const crypto::Argon2Params& params, const SecretBytes& rtss,
                              Random& random);
// Errors: record_tampered (the box was altered, moved, or is of another lock).
Result<CredentialBlob> open_pepper_layer(const Secret<32>& pepper, const MemberName& member,
                                         const std::string& credential_id, ByteView box);
// Runs Argon2id. Nothing when the secret is not this credential's. Errors: record_malformed (parameters out of range,
// refused unrun), record_tampered (the secret is right and the share still does not open), internal (out of memory).
Result<std::optional<SecretBytes>> open_credential(const CredentialBlob& blob, const MemberName& member,
                                                   const std::string& credential_id, const PreparedSecret& secret);
// The same work as one open_credential, for nothing.
Result<void> spend_the_same_work(const PreparedSecret& secret, const crypto::Argon2Params& params);

Bytes make_pending(const Secret<32>& pepper, const MemberName& member, const Secret<32>& token, const SecretBytes& rtss,
                   Random& random);
// Errors: registration_token_invalid, record_tampered.
Result<SecretBytes> open_pending(const Secret<32>& pepper, const MemberName& member, const Secret<32>& token,
                                 ByteView box);
// What a wrong passphrase, an unknown operator and an unknown credential are answered with.
Error wrong_passphrase_error();
// What every wrong, used or foreign registration token is answered with.
Error registration_token_error();

}  // namespace cc::seal
