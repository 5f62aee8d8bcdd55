// Names of key-encryption keys: which scheme, and whether the name is well-formed. Syntax only, no look-up.
//
//   local://NAME                                         NAME: 1 to 64 of a-z 0-9 -
//   arn:aws:kms:<region>:<account-id>:key/<key-id>       also arn:aws-cn:, arn:aws-us-gov:
//   gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K
//   pkcs11:…                                             RFC 7512
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::seal {

enum class KekScheme { local, aws, gcp, pkcs11 };
std::string_view name(KekScheme scheme);

inline constexpr std::size_t kMaxKekNameBytes = 1024;

struct KekName {
  KekScheme scheme;
  // Two names of one key have one canonical name: of AWS multi-region keys (mrk-…) the replicas in all regions share
  // one. It is for comparison only; calls use the name as given.
  std::string canonical;
  std::string local_name;  // NAME of local://NAME, else empty
};
// Errors: kek_name_invalid, for an ARN "invalid KMS ARN: expected …".
Result<KekName> parse_kek_name(std::string_view name);

}  // namespace cc::seal
