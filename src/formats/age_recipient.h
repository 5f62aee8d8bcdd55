// Native recipients of the age file format: `age1…`, an X25519 public key in Bech32 (BIP-173; C2SP age specification).
// Pure, thread-safe, no secrets. Errors: malformed_request, saying what is wrong and never the text itself, as it may
// be an identity given by mistake.
#pragma once

#include <string>
#include <string_view>

#include "crypto/x25519.h"

namespace cc::age {

struct Recipient {
  crypto::X25519Point point{};
  bool operator==(const Recipient&) const = default;
};

// Exactly 62 lower-case characters: age1, 52 of the key, 6 of the checksum. Refused by name: identities
// (AGE-SECRET-KEY-…), recipients of plug-ins and of other kinds, and keys of low order.
Result<Recipient> parse_recipient(std::string_view text);
std::string to_text(const Recipient& recipient);

}  // namespace cc::age
