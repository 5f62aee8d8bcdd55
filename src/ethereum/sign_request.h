// A Web3Signer sign request, parsed strictly into what is to be signed: the signing root, computed by our own SSZ from
// the message, and what the guard must know of it. docs/spec/sign-request.md says what is accepted per type.
//
// A root in the request is only ever compared with ours, never trusted. Pure; safe from any thread. No secrets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/chain.h"
#include "base/result.h"
#include "ethereum/network.h"

namespace cc::ethereum {

// What the guard checks. Every other type is signed without a slashing check.
struct BlockDuty {
  Slot slot;
};
struct AttestationDuty {
  Epoch source;
  Epoch target;
};
using Duty = std::variant<std::monostate, BlockDuty, AttestationDuty>;

struct SignRequest {
  std::string type;     // canonical upper-case name, e.g. "ATTESTATION"
  Root object_root{};   // hash tree root of the message
  Root domain{};        // 32-byte domain
  Root signing_root{};  // hash tree root of SigningData
  Duty duty;
  std::optional<Root> genesis_validators_root;  // absent for types without fork_info
};

// Errors: malformed_request with the JSON path of the fault; signing_root_mismatch when the request names another root.
Result<SignRequest> parse_sign_request(std::string_view json_body, const Network& network);

}  // namespace cc::ethereum
