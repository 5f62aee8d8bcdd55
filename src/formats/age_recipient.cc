#include "formats/age_recipient.h"

#include <array>
#include <vector>

namespace cc::age {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::string_view kPrefix = "age";
constexpr std::string_view kStart = "age1";
constexpr std::size_t kKeyCharacters = 52;  // 256 bits in groups of five, padded with four zero bits
constexpr std::size_t kChecksumCharacters = 6;
constexpr std::size_t kTextSize = 4 + kKeyCharacters + kChecksumCharacters;

using Groups = std::vector<std::uint8_t>;  // five bits each

std::uint32_t polymod(const Groups& groups) {
  constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  std::uint32_t check = 1;
  for (const std::uint8_t group : groups) {
    const std::uint32_t top = check >> 25U;
    check = (check & 0x1ffffffU) << 5U ^ group;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) {
      check ^= (top >> i & 1U) != 0 ? kGenerator.at(i) : 0U;
    }
  }
  return check;
}

// The human-readable part as the checksum covers it.
Groups expanded_prefix() {
  Groups out;
  for (const char letter : kPrefix) {
    out.push_back(static_cast<std::uint8_t>(letter >> 5));
  }
  out.push_back(0);
  for (const char letter : kPrefix) {
    out.push_back(static_cast<std::uint8_t>(letter & 31));
  }
  return out;
}

tl::unexpected<Error> bad(const std::string& what) {
  return fail(ErrorKind::malformed_request, "a backup recipient " + what);
}

Result<void> check_kind(std::string_view text) {
  if (text.starts_with("AGE-SECRET-KEY-") || text.starts_with("age-secret-key-")) {
    return bad(
        "is a public key; this is an age identity, which is secret: treat it as leaked, make a new one, and give "
        "its age1… line");
  }
  if (!text.starts_with(kStart)) {
    return bad("starts with age1 (the public key that age-keygen prints)");
  }
  if (text.size() > kTextSize || text.find('1', kStart.size()) != std::string_view::npos) {
    return bad("is an X25519 key of 62 characters; recipients of plug-ins and of other kinds are not supported");
  }
  if (text.size() != kTextSize) {
    return bad("has 62 characters, this one has " + std::to_string(text.size()));
  }
  return {};
}

}  // namespace

Result<Recipient> parse_recipient(std::string_view text) {
  CC_TRY(check_kind(text));
  Groups groups;
  for (std::size_t i = kStart.size(); i < text.size(); ++i) {
    const std::size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) {
      return bad("has a character at place " + std::to_string(i + 1) + " that none has (lower-case Bech32 only)");
    }
    groups.push_back(static_cast<std::uint8_t>(value));
  }
  Groups covered = expanded_prefix();
  covered.insert(covered.end(), groups.begin(), groups.end());
  if (polymod(covered) != 1) {
    return bad("has a typing error: its checksum does not match");
  }
  Recipient out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kKeyCharacters; ++i) {
    bits = (bits << 5U | groups[i]) & 0xfffU;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out.point.at(at++) = static_cast<std::uint8_t>(bits >> held);
    }
  }
  if ((bits & ((1U << held) - 1U)) != 0) {
    return bad("has bits set beyond the key");
  }
  // With any scalar: a point of low order gives zero.
  Secret<32> one;
  expose_secret_bytes(one)[0] = 1;
  if (!crypto::x25519(one, out.point)) {
    return bad("is a point of low order: nobody can hold its secret key");
  }
  return out;
}

std::string to_text(const Recipient& recipient) {
  Groups groups;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : recipient.point) {
    bits = (bits << 8U | byte) & 0xfffU;
    held += 8;
    while (held >= 5) {
      held -= 5;
      groups.push_back(static_cast<std::uint8_t>(bits >> held & 31U));
    }
  }
  groups.push_back(static_cast<std::uint8_t>(bits << (5 - held) & 31U));
  Groups covered = expanded_prefix();
  covered.insert(covered.end(), groups.begin(), groups.end());
  covered.insert(covered.end(), kChecksumCharacters, 0);
  const std::uint32_t check = polymod(covered) ^ 1U;
  for (unsigned i = 0; i < kChecksumCharacters; ++i) {
    groups.push_back(static_cast<std::uint8_t>(check >> 5U * (5U - i) & 31U));
  }
  std::string out(kStart);
  for (const std::uint8_t group : groups) {
    out.push_back(kAlphabet[group]);
  }
  return out;
}

}  // namespace cc::age
