// One-time tokens of the ceremonies, and base64 for secrets: text in locked memory, coded without secret-dependent
// branches or table look-ups (libsodium's codec).
//
// A token is its prefix and 43 base64url characters of 256 random bits.
#pragma once

#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace cc::seal {

inline constexpr std::string_view kSetupTokenPrefix = "cc-setup-";
inline constexpr std::string_view kRegistrationTokenPrefix = "cc-reg-";
inline constexpr std::size_t kTokenDigits = 43;

struct Token {
  Secret<32> value;
  SecretBytes text;  // prefix ‖ digits
};
Token draw_token(std::string_view prefix, Random& random);
// The 256 bits of a token's text. Errors: `otherwise`, whatever is wrong with it.
Result<Secret<32>> read_token(std::string_view prefix, const SecretBytes& text, const Error& otherwise);

enum class Base64 { padded, url_unpadded };
SecretBytes secret_to_base64(std::span<const std::uint8_t> bytes, Base64 variant);
// Only the canonical form. Errors: malformed_request.
Result<SecretBytes> secret_from_base64(std::span<const std::uint8_t> text, Base64 variant);

}  // namespace cc::seal
