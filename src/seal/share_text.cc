#include "seal/share_text.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "seal/token.h"

namespace cc::seal {
namespace {

using View = std::span<const std::uint8_t>;

constexpr std::size_t kShareBytes = 64;
constexpr std::size_t kCheckBytes = 8;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kMaxTextBytes = 4096;

crypto::Digest checksum(View salt, View index, View share) {
  return crypto::sha256({bytes_of("cc/v1/share-text"), salt, index, share});
}

tl::unexpected<Error> malformed(const std::string& what) {
  return fail(ErrorKind::malformed_request, "this is not a share of Containment Chamber: " + what);
}

View trimmed(View text) {
  const auto space = [](std::uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) {
    text = text.subspan(1);
  }
  while (!text.empty() && space(text.back())) {
    text = text.first(text.size() - 1);
  }
  return text;
}

// The three fields between exactly two colons.
Result<std::array<SecretBytes, 3>> fields(View text) {
  std::array<SecretBytes, 3> out;
  constexpr std::array kNames{"index", "sealed_share", "salt"};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto colon = std::ranges::find(text, ':');
    if ((i < 2) == (colon == text.end())) {
      return malformed("expected <index>:<sealed_share>:<salt>");
    }
    auto decoded = secret_from_base64(View(text.begin(), colon), Base64::padded);
    if (!decoded) {
      return malformed(std::string("its ") + kNames.at(i) + " is not canonical, padded base64");
    }
    out.at(i) = *std::move(decoded);
    text = i < 2 ? View(colon + 1, text.end()) : View();
  }
  return out;
}

}  // namespace

SecretBytes to_text(const crypto::Share& share, const LockId& lock) {
  const View value = expose_secret_bytes(share.value);
  const View index(&share.index, 1);
  SecretBytes sealed(kShareBytes + kCheckBytes);
  const auto sealed_bytes = expose_secret_bytes(sealed);
  std::ranges::copy(value, sealed_bytes.begin());
  std::ranges::copy(View(checksum(lock, index, value)).first(kCheckBytes), sealed_bytes.subspan(kShareBytes).begin());
  const std::array<SecretBytes, 3> parts{secret_to_base64(index, Base64::padded),
                                         secret_to_base64(sealed_bytes, Base64::padded),
                                         secret_to_base64(lock, Base64::padded)};
  SecretBytes text(parts[0].size() + parts[1].size() + parts[2].size() + 2);
  auto out = expose_secret_bytes(text);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::ranges::copy(expose_secret_bytes(parts.at(i)), out.begin());
    out = out.subspan(parts.at(i).size());
    if (i < 2) {
      out.front() = ':';
      out = out.subspan(1);
    }
  }
  return text;
}

Result<TextShare> parse_share_text(const SecretBytes& text) {
  if (text.size() > kMaxTextBytes) {
    return malformed("it is too long");
  }
  CC_ASSIGN(const auto parts, fields(trimmed(expose_secret_bytes(text))));
  const View index = expose_secret_bytes(parts[0]);
  const View sealed = expose_secret_bytes(parts[1]);
  const View salt = expose_secret_bytes(parts[2]);
  if (salt.size() > kSaltBytes && sealed.size() <= salt.size()) {
    return malformed(
        "it is a TKeeper share (its third field is a prime); TKeeper's shares open TKeeper's key only, so import the "
        "keys "
        "and deal new shares here");
  }
  if (index.size() != 1 || index.front() == 0) {
    return malformed("its index is not one byte from 1 to 255");
  }
  if (salt.size() != kSaltBytes) {
    return malformed("its salt has not 16 bytes");
  }
  if (sealed.size() != kShareBytes + kCheckBytes) {
    return malformed("its sealed_share has not 72 bytes");
  }
  const View value = sealed.first(kShareBytes);
  if (!equal_constant_time(View(checksum(salt, index, value)).first(kCheckBytes), sealed.last(kCheckBytes))) {
    return malformed("its checksum does not match; a character was mistyped or fields of two shares were mixed");
  }
  return TextShare{to_array<kSaltBytes>(salt),
                   crypto::Share{index.front(), Secret<kShareBytes>::copy_of(value.first<kShareBytes>())}};
}

Result<void> judge(const TextShare& share, const LockId& active, const std::vector<LockId>& retired) {
  if (share.lock == active) {
    return {};
  }
  if (std::ranges::find(retired, share.lock) != retired.end()) {
    return fail(ErrorKind::share_older_set, "the share belongs to a set that was replaced; use a share of the new set");
  }
  return fail(ErrorKind::share_other_set, "the share belongs to another chamber or another set");
}

}  // namespace cc::seal
