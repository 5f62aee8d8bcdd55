#include "seal/token.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace cc::seal {
namespace {

int sodium_variant(Base64 variant) {
  return variant == Base64::padded ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

bool has_prefix(std::span<const std::uint8_t> text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::memcmp(text.data(), prefix.data(), prefix.size()) == 0;
}

}  // namespace

SecretBytes secret_to_base64(std::span<const std::uint8_t> bytes, Base64 variant) {
  // The encoder ends its text with a zero byte that is not part of it.
  const std::size_t room = sodium_base64_encoded_len(bytes.size(), sodium_variant(variant));
  SecretBytes terminated(room);
  sodium_bin2base64(reinterpret_cast<char*>(expose_secret_bytes(terminated).data()), room, bytes.data(), bytes.size(),
                    sodium_variant(variant));
  return SecretBytes::copy_of(expose_secret_bytes(terminated).first(room - 1));
}

Result<SecretBytes> secret_from_base64(std::span<const std::uint8_t> text, Base64 variant) {
  SecretBytes decoded(text.size() + 1);
  std::size_t size = 0;
  const char* end = nullptr;
  const auto* begin = reinterpret_cast<const char*>(text.data());
  const int failed = sodium_base642bin(expose_secret_bytes(decoded).data(), decoded.size(), begin, text.size(), nullptr,
                                       &size, &end, sodium_variant(variant));
  if (failed != 0 || end != begin + text.size()) {
    return fail(ErrorKind::malformed_request, "not canonical base64");
  }
  auto exact = SecretBytes::copy_of(std::span<const std::uint8_t>(expose_secret_bytes(decoded)).first(size));
  if (secret_to_base64(expose_secret_bytes(exact), variant) != SecretBytes::copy_of(text)) {
    return fail(ErrorKind::malformed_request, "not canonical base64");
  }
  return exact;
}

Token draw_token(std::string_view prefix, Random& random) {
  Token token{random.secret<32>(), SecretBytes(prefix.size() + kTokenDigits)};
  const SecretBytes digits = secret_to_base64(expose_secret_bytes(token.value), Base64::url_unpadded);
  const auto out = expose_secret_bytes(token.text);
  std::memcpy(out.data(), prefix.data(), prefix.size());
  std::ranges::copy(expose_secret_bytes(digits), out.subspan(prefix.size()).begin());
  return token;
}

Result<Secret<32>> read_token(std::string_view prefix, const SecretBytes& text, const Error& otherwise) {
  const auto bytes = expose_secret_bytes(text);
  if (bytes.size() != prefix.size() + kTokenDigits || !has_prefix(bytes, prefix)) {
    return fail(otherwise);
  }
  const auto value = secret_from_base64(bytes.subspan(prefix.size()), Base64::url_unpadded);
  if (!value || value->size() != 32) {
    return fail(otherwise);
  }
  return Secret<32>::copy_of(expose_secret_bytes(*value).first<32>());
}

}  // namespace cc::seal
