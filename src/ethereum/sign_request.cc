#include "ethereum/sign_request.h"

#include <algorithm>
#include <array>
#include <new>

#include "base/bytes.h"
#include "ethereum/any_case.h"
#include "ethereum/messages.h"

namespace cc::ethereum {
namespace {

struct SigningType {
  std::string_view name;
  ReadMessage read;
  bool needs_fork_info = true;
};

constexpr std::array kSigningTypes{
    SigningType{"ATTESTATION", attestation},
    SigningType{"AGGREGATE_AND_PROOF_V2", aggregate_and_proof},
    SigningType{"AGGREGATE_AND_PROOF", aggregate_and_proof},
    SigningType{"AGGREGATION_SLOT", aggregation_slot},
    SigningType{"SYNC_COMMITTEE_MESSAGE", sync_committee_message},
    SigningType{"SYNC_COMMITTEE_SELECTION_PROOF", sync_committee_selection_proof},
    SigningType{"SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF", contribution_and_proof},
    SigningType{"BLOCK_V2", block_v2},
    SigningType{"BLOCK", block},
    SigningType{"RANDAO_REVEAL", randao_reveal},
    SigningType{"VOLUNTARY_EXIT", voluntary_exit},
    SigningType{"DEPOSIT", deposit, false},
    SigningType{"VALIDATOR_REGISTRATION", validator_registration, false},
    SigningType{"PAYLOAD_ATTESTATION_MESSAGE", payload_attestation_message},
    SigningType{"PROPOSER_PREFERENCES", proposer_preferences},
    SigningType{"EXECUTION_PAYLOAD_BID", execution_payload_bid},
    SigningType{"EXECUTION_PAYLOAD_ENVELOPE", execution_payload_envelope},
    SigningType{"BUILDER_REQUEST_AUTH", builder_request_auth, false},
};

const SigningType* type_named(std::string_view text) {
  const auto found = std::find_if(kSigningTypes.begin(), kSigningTypes.end(),
                                  [text](const SigningType& type) { return is_in_any_case(text, type.name); });
  return found == kSigningTypes.end() ? nullptr : &*found;
}

// The roots a client may have named: signingRoot, signing_root, or both.
Result<void> compare(JsonValue request, const Root& signing_root) {
  for (const std::string_view spelling : {"signingRoot", "signing_root"}) {
    const std::optional<JsonValue> named = request.optional_member(spelling);
    if (!named) {
      continue;
    }
    Root expected;
    CC_TRY(named->bytes(expected));
    if (expected != signing_root) {
      return fail(ErrorKind::signing_root_mismatch, std::string(spelling) + " is " + to_0x(expected) +
                                                        ", but the message's signing root is " + to_0x(signing_root) +
                                                        "; check the network setting and the client's fork version");
    }
  }
  return {};
}

Root exit_domain(const Message& message, const ForkInfo& fork_info, const Version& version) {
  return compute_domain(message.domain_type, version, fork_info.genesis_validators_root);
}

// EIP-7044. Under Deneb or later only the Capella version counts. Under an earlier fork the version of the exit's epoch
// does, and a client that names the root may already ask for the Capella one.
Result<Root> choose_exit_domain(JsonValue request, const Message& message, Epoch epoch, const ForkInfo& fork_info,
                                const Network& network) {
  const std::optional<Version>& capella = network.versions[static_cast<std::size_t>(Fork::capella)];
  if (is_deneb_or_later(fork_info, network)) {
    if (!capella) {
      return fail(ErrorKind::config_invalid,
                  "the network configuration has no CAPELLA_FORK_VERSION, which EIP-7044 exits need; add it");
    }
    return exit_domain(message, fork_info, *capella);
  }
  const Root by_epoch = exit_domain(message, fork_info, fork_info.version_at(epoch));
  if (capella && !compare(request, compute_signing_root(message.object_root, by_epoch))) {
    const Root fixed = exit_domain(message, fork_info, *capella);
    if (compare(request, compute_signing_root(message.object_root, fixed))) {
      return fixed;
    }
  }
  return by_epoch;
}

Result<Root> domain_of(JsonValue request, const Message& message, const std::optional<ForkInfo>& fork_info,
                       const Network& network) {
  if (const auto* genesis = std::get_if<GenesisScope>(&message.scope)) {
    return compute_domain(message.domain_type, genesis->version, Root{});
  }
  if (const auto* exit = std::get_if<ExitScope>(&message.scope)) {
    return choose_exit_domain(request, message, exit->epoch, *fork_info, network);
  }
  const Epoch epoch = std::get<ForkScope>(message.scope).epoch;
  return compute_domain(message.domain_type, fork_info->version_at(epoch), fork_info->genesis_validators_root);
}

Result<SignRequest> parse(std::string_view json_body, const Network& network) {
  JsonDocument document;
  CC_TRY(document.parse(json_body));
  const JsonValue request(document);
  CC_ASSIGN(const JsonValue type_value, request.member("type"));
  CC_ASSIGN(const std::string_view type_text, type_value.text());
  const SigningType* const type = type_named(type_text);
  if (type == nullptr) {
    return type_value.wrong("not a signing type this signer knows");
  }
  std::optional<ForkInfo> fork_info;
  if (type->needs_fork_info) {
    CC_ASSIGN(fork_info, read_fork_info(request));
  }
  CC_ASSIGN(const Message message, type->read(MessageContext{request, network, fork_info}));
  SignRequest out;
  out.type = type->name;
  out.object_root = message.object_root;
  CC_ASSIGN(out.domain, domain_of(request, message, fork_info, network));
  out.signing_root = compute_signing_root(out.object_root, out.domain);
  CC_TRY(compare(request, out.signing_root));
  out.duty = message.duty;
  if (fork_info) {
    out.genesis_validators_root = fork_info->genesis_validators_root;
  }
  return out;
}

}  // namespace

Result<SignRequest> parse_sign_request(std::string_view json_body, const Network& network) {
  try {
    return parse(json_body, network);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::malformed_request, "the body needs more memory than is left for it; send a smaller one");
  }
}

}  // namespace cc::ethereum
