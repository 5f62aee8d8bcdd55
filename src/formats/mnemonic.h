// BIP-39 mnemonics (English, 24 words) and EIP-2334 paths for Ethereum validators.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "crypto/bls.h"

namespace cc::mnemonic {

// 24 words for 256 bits of entropy, as text in locked memory.
SecretBytes generate(Random& random);
// Words for the entropy given (16, 20, 24, 28 or 32 bytes). Errors: malformed_request.
Result<SecretBytes> from_entropy(const SecretBytes& entropy);
// Checks words and checksum. Errors: malformed_request naming the first bad word's position, never the word.
Result<void> check(const SecretBytes& words);
// BIP-39 seed: PBKDF2-HMAC-SHA-512, 2048 rounds, NFKD of words and passphrase; 64 bytes.
Result<SecretBytes> to_seed(const SecretBytes& words, const SecretBytes& passphrase);

// EIP-2334 signing key m/12381/3600/index/0/0.
Result<crypto::BlsSecretKey> validator_key(const SecretBytes& seed, std::uint32_t index);
// The same in two steps, so that many keys of one seed share m/12381/3600.
Result<crypto::BlsSecretKey> validator_branch(const SecretBytes& seed);
crypto::BlsSecretKey validator_key(const crypto::BlsSecretKey& branch, std::uint32_t index);

}  // namespace cc::mnemonic
