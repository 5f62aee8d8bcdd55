// Writes age files: `age-encryption.org/v1`, X25519 recipients (C2SP age specification). What it writes any age tool
// opens with one of the recipients' identities. It reads none. Thread-safe.
// Secrets: the plaintext, the file key and the ephemeral scalars pass; all lie in locked memory and are wiped.
#pragma once

#include <vector>

#include "base/random.h"
#include "formats/age_recipient.h"

namespace cc::age {

inline constexpr std::size_t kMostRecipients = 16;

// Binary. At most 2^38 bytes of plaintext (nobody comes near it). Errors: malformed_request without recipients, with
// more than kMostRecipients, or with a repeated one.
Result<Bytes> encrypt(const std::vector<Recipient>& recipients, ByteView plaintext, Random& random);
// The same file as text: PEM with the label AGE ENCRYPTED FILE, 64 columns, which age tools open as well.
std::string armor(ByteView file);

}  // namespace cc::age
