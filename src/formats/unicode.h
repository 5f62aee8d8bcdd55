// Unicode normal forms and counts for passwords and passphrases (utf8proc).
#pragma once

#include "base/secret.h"

namespace cc::unicode {

bool is_utf8(std::string_view text);
// NFC. Errors: passphrase_invalid for bytes that are not UTF-8.
Result<SecretBytes> nfc(const SecretBytes& text);
// NFKD. Errors: passphrase_invalid.
Result<SecretBytes> nfkd(const SecretBytes& text);
// EIP-2335: NFKD, then control codes (C0, C1, Delete) dropped.
Result<SecretBytes> eip2335_password(const SecretBytes& text);
// Number of code points. Errors: passphrase_invalid.
Result<std::size_t> code_points(const SecretBytes& text);

}  // namespace cc::unicode
