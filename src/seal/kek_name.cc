#include "seal/kek_name.h"

#include <algorithm>
#include <array>
#include <vector>

namespace cc::seal {
namespace {

constexpr std::string_view kLocal = "local://";
constexpr std::string_view kGcp = "gcp-kms://";
constexpr std::string_view kPkcs11 = "pkcs11:";

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool word(char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const std::size_t at = text.find(by, from);
    parts.push_back(text.substr(from, at - from));
    if (at == std::string_view::npos) {
      return parts;
    }
    from = at + 1;
  }
}

Result<KekName> parse_local(std::string_view name) {
  const std::string_view local = name.substr(kLocal.size());
  if (local.empty() || local.size() > 64 || !std::ranges::all_of(local, lower_or_digit)) {
    return fail(ErrorKind::kek_name_invalid,
                "invalid local KEK name: expected local://NAME, NAME 1 to 64 of a-z 0-9 -");
  }
  return KekName{KekScheme::local, std::string(name), std::string(local)};
}

Result<KekName> parse_arn(std::string_view name) {
  const auto parts = split(name, ':');
  constexpr std::string_view kKey = "key/";
  const bool shaped = parts.size() == 6 && (parts[1] == "aws" || parts[1] == "aws-cn" || parts[1] == "aws-us-gov") &&
                      parts[2] == "kms" && !parts[3].empty() && std::ranges::all_of(parts[3], lower_or_digit) &&
                      parts[4].size() == 12 && std::ranges::all_of(parts[4], digit) && parts[5].starts_with(kKey) &&
                      parts[5].size() > kKey.size() &&
                      // Whether there is such a key is for AWS to say.
                      std::ranges::all_of(parts[5].substr(kKey.size()), [](char c) { return word(c) || c == '.'; });
  if (!shaped) {
    return fail(ErrorKind::kek_name_invalid,
                "invalid KMS ARN: expected arn:aws:kms:<region>:<account-id>:key/<key-id>");
  }
  const bool multi_region = parts[5].starts_with("key/mrk-");
  std::string canonical = "arn:" + std::string(parts[1]) + ":kms:" + (multi_region ? "*" : std::string(parts[3])) +
                          ":" + std::string(parts[4]) + ":" + std::string(parts[5]);
  return KekName{KekScheme::aws, std::move(canonical), ""};
}

Result<KekName> parse_gcp(std::string_view name) {
  const auto parts = split(name.substr(kGcp.size()), '/');
  constexpr std::array<std::string_view, 4> kFolders{"projects", "locations", "keyRings", "cryptoKeys"};
  bool shaped = parts.size() == 8;
  for (std::size_t i = 0; shaped && i < kFolders.size(); ++i) {
    const std::string_view value = parts[2 * i + 1];
    shaped = parts[2 * i] == kFolders.at(i) && !value.empty() &&
             std::ranges::all_of(value, [](char c) { return word(c) || c == '.' || c == ':'; });
  }
  if (!shaped) {
    return fail(ErrorKind::kek_name_invalid,
                "invalid Google KMS name: expected gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K");
  }
  return KekName{KekScheme::gcp, std::string(name), ""};
}

Result<KekName> parse_pkcs11(std::string_view name) {
  const std::string_view path = name.substr(kPkcs11.size(), name.find('?') - kPkcs11.size());
  auto attributes = split(path, ';');
  const bool shaped = std::ranges::all_of(attributes, [](std::string_view part) {
    const std::size_t at = part.find('=');
    return at != 0 && at != std::string_view::npos && at + 1 < part.size();
  });
  if (!shaped) {
    return fail(ErrorKind::kek_name_invalid, "invalid PKCS#11 URI: expected pkcs11:token=…;object=… (RFC 7512)");
  }
  // The order of path attributes means nothing, and the query only says how to reach the module.
  std::ranges::sort(attributes);
  std::string canonical(kPkcs11);
  for (const std::string_view part : attributes) {
    canonical += (canonical.size() == kPkcs11.size() ? "" : ";") + std::string(part);
  }
  return KekName{KekScheme::pkcs11, std::move(canonical), ""};
}

}  // namespace

std::string_view name(KekScheme scheme) {
  constexpr std::array<std::string_view, 4> kNames{"local", "AWS KMS", "Google Cloud KMS", "PKCS#11"};
  return kNames.at(static_cast<std::size_t>(scheme));
}

Result<KekName> parse_kek_name(std::string_view name) {
  const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  if (name.empty() || name.size() > kMaxKekNameBytes || !std::ranges::all_of(name, printable)) {
    return fail(ErrorKind::kek_name_invalid, "a KEK name is 1 to 1024 printable ASCII characters without spaces");
  }
  if (name.starts_with(kLocal)) {
    return parse_local(name);
  }
  if (name.starts_with("arn:")) {
    return parse_arn(name);
  }
  if (name.starts_with(kGcp)) {
    return parse_gcp(name);
  }
  if (name.starts_with(kPkcs11)) {
    return parse_pkcs11(name);
  }
  return fail(ErrorKind::kek_name_invalid,
              "invalid KMS ARN: expected arn:aws:kms:<region>:<account-id>:key/<key-id>, or gcp-kms://…, pkcs11:…, "
              "local://NAME");
}

}  // namespace cc::seal
