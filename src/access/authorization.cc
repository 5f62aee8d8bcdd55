#include "access/authorization.h"

#include <sodium.h>

#include <algorithm>
#include <cstdint>

namespace cc::access {
namespace {

tl::unexpected<Error> unusable() {
  return fail(ErrorKind::unauthorized,
              "The Authorization header must be \"Bearer TOKEN\" or \"Basic\" with the token as password.");
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    return lower(x) == lower(y);
  });
}

// Decodes in constant time, straight into locked memory. libsodium's decoder takes some bytes above 0x7f for digits.
Result<SecretBytes> password_of(std::string_view encoded) {
  if (std::any_of(encoded.begin(), encoded.end(), [](char c) { return static_cast<std::uint8_t>(c) > 0x7f; })) {
    return unusable();
  }
  SecretBytes decoded(encoded.size());
  const auto bytes = expose_secret_bytes(decoded);
  std::size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), encoded.data(), encoded.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return unusable();
  }
  const auto text = bytes.first(size);
  const auto colon = std::find(text.begin(), text.end(), std::uint8_t{':'});
  if (text.end() - colon < 2) {
    return unusable();  // no colon, or nothing behind it
  }
  return SecretBytes::copy_of(text.last(static_cast<std::size_t>(text.end() - colon) - 1));
}

}  // namespace

Result<SecretBytes> token_of(std::string_view authorization) {
  if (authorization.empty()) {
    return SecretBytes();
  }
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) {
    return unusable();
  }
  const std::string_view scheme = authorization.substr(0, space);
  std::string_view rest = authorization.substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (rest.empty()) {
    return unusable();
  }
  if (equal_without_case(scheme, "Bearer")) {
    return SecretBytes::copy_of(rest);
  }
  if (equal_without_case(scheme, "Basic")) {
    return password_of(rest);
  }
  return unusable();
}

}  // namespace cc::access
