// The signed messages by family: each function reads one payload of a sign request into its hash tree root and the
// scope of its domain. Inside this room only; sign_request.cc holds the table of types.
#pragma once

#include <optional>
#include <variant>

#include "ethereum/domains.h"
#include "ethereum/sign_request.h"

namespace cc::ethereum {

// Version from the request's fork_info at an epoch.
struct ForkScope {
  Epoch epoch;
};
// One fixed version and the zero genesis validators root: the same on every fork of a network.
struct GenesisScope {
  Version version{};
};
// A voluntary exit: EIP-7044.
struct ExitScope {
  Epoch epoch;
};

struct Message {
  Root object_root{};
  DomainType domain_type{};
  std::variant<ForkScope, GenesisScope, ExitScope> scope;
  Duty duty;
};

struct MessageContext {
  JsonValue request;
  const Network& network;
  const std::optional<ForkInfo>& fork_info;  // present for every type whose scope is not GenesisScope

  ForkScope at_slot(std::uint64_t slot) const { return {network.epoch_of({slot})}; }
  // The fork whose version a signature at this epoch will carry, as far as the network knows it.
  std::optional<Fork> domain_fork(Epoch epoch) const;
};

using ReadMessage = Result<Message> (*)(const MessageContext&);

// attestation.cc
Result<Message> attestation(const MessageContext& context);
Result<Message> aggregate_and_proof(const MessageContext& context);
// block.cc
Result<Message> block(const MessageContext& context);
Result<Message> block_v2(const MessageContext& context);
// duties.cc
Result<Message> aggregation_slot(const MessageContext& context);
Result<Message> randao_reveal(const MessageContext& context);
Result<Message> voluntary_exit(const MessageContext& context);
Result<Message> deposit(const MessageContext& context);
Result<Message> validator_registration(const MessageContext& context);
// sync_committee.cc
Result<Message> sync_committee_message(const MessageContext& context);
Result<Message> sync_committee_selection_proof(const MessageContext& context);
Result<Message> contribution_and_proof(const MessageContext& context);
// gloas.cc
Result<Message> execution_payload_bid(const MessageContext& context);
Result<Message> execution_payload_envelope(const MessageContext& context);
Result<Message> payload_attestation_message(const MessageContext& context);
Result<Message> proposer_preferences(const MessageContext& context);
Result<Message> builder_request_auth(const MessageContext& context);

// Containers that more than one family needs.
struct AttestationEpochs {
  std::uint64_t slot = 0, source = 0, target = 0;
};
Result<Root> attestation_data_root(JsonValue value, AttestationEpochs* copy = nullptr);
Result<Root> phase0_attestation_root(JsonValue value);
Result<Root> voluntary_exit_root(JsonValue value, std::uint64_t* epoch = nullptr);
// execution_payload.cc: the payload of an envelope and its requests, as Gloas shapes them.
Result<Root> execution_payload_root(JsonValue value, std::uint64_t* slot);
Result<Root> execution_requests_root(JsonValue value);

// SSZ limits that are the same in every preset.
inline constexpr std::uint64_t kMaxValidatorsPerCommittee = 2048;
inline constexpr std::size_t kAddress = 20, kRoot = 32, kPublicKey = 48, kSignature = 96;

}  // namespace cc::ethereum
