// EIP-2335 keystores, version 4: scrypt or PBKDF2-HMAC-SHA-256, SHA-256 checksum, AES-128-CTR.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/chain.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/bls.h"

namespace cc::keystore {

struct Keystore {
  std::optional<BlsPublicKey> public_key;  // as the file claims; proven by open()
  std::string path;
  std::string description;
  std::string uuid;
  std::string json;  // the text as given
};

// Reads the envelope without touching the password. Errors: keystore_invalid naming the field.
Result<Keystore> parse(std::string_view json);
// Errors: keystore_password (checksum), keystore_invalid (public key differs, parameters out of bounds).
Result<crypto::BlsSecretKey> open(const Keystore& keystore, const SecretBytes& password);

enum class Kdf { scrypt, pbkdf2 };
// A new keystore as JSON text; `cost` is n for scrypt (power of two) or the iteration count for PBKDF2.
Result<std::string> write(const crypto::BlsSecretKey& key, const SecretBytes& password, std::string_view path, Kdf kdf,
                          std::uint64_t cost, Random& random);

}  // namespace cc::keystore
