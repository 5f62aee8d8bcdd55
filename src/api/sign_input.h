// What a sign request says before it is parsed in full.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/chain.h"
#include "base/result.h"

namespace cc::api {

// Web3Signer's rule: JSON for application/json and */*, plain text otherwise and without an Accept header.
bool wants_json(std::string_view accept);

// The identifier of a key in a path or a list: 96 hex digits of either case, with or without 0x. Whether the point is
// on the curve is not asked: a key that is not loaded is unknown either way. Errors: malformed_request.
Result<BlsPublicKey> public_key_of(std::string_view text);

// The type (upper case) and the network of a request that was parsed before but names another signing root: limits and
// network are judged before that fault. Absent parts stay empty.
struct SignOutline {
  std::string type;
  std::optional<Root> genesis_validators_root;
};
SignOutline outline_of(std::string_view json_body);

}  // namespace cc::api
