// A bare Shamir share as text, `<index>:<sealed_share>:<salt>`, each field canonical padded base64 (DESIGN section 3,
// bytes in docs/spec/share-text.md). The shape follows TKeeper's; its own shares are refused by name.
// The text is a secret: it stays in locked memory. Pure functions.
#pragma once

#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/shamir.h"
#include "seal/ports.h"

namespace cc::seal {

struct TextShare {
  LockId lock{};
  crypto::Share share;
};
SecretBytes to_text(const crypto::Share& share, const LockId& lock);
// Surrounding white space is dropped. Errors: malformed_request naming the field, the checksum, or TKeeper.
Result<TextShare> parse_share_text(const SecretBytes& text);
// Whether the share is of the lock in force. Errors: share_older_set, share_other_set.
Result<void> judge(const TextShare& share, const LockId& active, const std::vector<LockId>& retired);

}  // namespace cc::seal
