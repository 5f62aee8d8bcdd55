// The Gloas messages of validators and builders (EIP-7732; payload shape {version, data}).
#include "ethereum/any_case.h"
#include "ethereum/container_reader.h"
#include "ethereum/messages.h"

namespace cc::ethereum {
namespace {

constexpr std::size_t kMaxBuilderAuthData = 4096;

// `data` of {version: "GLOAS", data: …}.
Result<JsonValue> gloas_data(const MessageContext& context, std::string_view property) {
  CC_ASSIGN(const JsonValue payload, context.request.member(property));
  CC_ASSIGN(const JsonValue version, payload.member("version"));
  CC_ASSIGN(const std::string_view text, version.text());
  if (!is_in_any_case(text, name(Fork::gloas))) {
    return version.wrong("expected GLOAS: this message has no other form that this signer knows");
  }
  return payload.member("data");
}

}  // namespace

Result<Message> execution_payload_bid(const MessageContext& context) {
  CC_ASSIGN(const JsonValue data, gloas_data(context, "execution_payload_bid"));
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root,
            ContainerReader(data)
                .bytes("parent_block_hash", kRoot)
                .bytes("parent_block_root", kRoot)
                .bytes("block_hash", kRoot)
                .bytes("prev_randao", kRoot)
                .bytes("fee_recipient", kAddress)
                .u64("gas_limit")
                .u64("builder_index")
                .u64("slot", &slot)
                .u64("value")
                .u64("execution_payment")
                .progressive_list("blob_kzg_commitments", [](JsonValue item) { return bytes_root(item, kPublicKey); })
                .bytes("execution_requests_root", kRoot)
                .progressive_root());
  return Message{root, domain_type::kBeaconBuilder, context.at_slot(slot), {}};
}

Result<Message> execution_payload_envelope(const MessageContext& context) {
  CC_ASSIGN(const JsonValue data, gloas_data(context, "execution_payload_envelope"));
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root,
            ContainerReader(data)
                .child("payload", [&slot](JsonValue payload) { return execution_payload_root(payload, &slot); })
                .child("execution_requests", execution_requests_root)
                .u64("builder_index")
                .bytes("beacon_block_root", kRoot)
                .bytes("parent_beacon_block_root", kRoot)
                .progressive_root());
  return Message{root, domain_type::kBeaconBuilder, context.at_slot(slot), {}};
}

Result<Message> payload_attestation_message(const MessageContext& context) {
  CC_ASSIGN(const JsonValue data, gloas_data(context, "payload_attestation_message"));
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root, ContainerReader(data)
                                 .bytes("beacon_block_root", kRoot)
                                 .u64("slot", &slot)
                                 .boolean("payload_present")
                                 .boolean("blob_data_available")
                                 .root());
  return Message{root, domain_type::kPtcAttester, context.at_slot(slot), {}};
}

Result<Message> proposer_preferences(const MessageContext& context) {
  CC_ASSIGN(const JsonValue data, gloas_data(context, "proposer_preferences"));
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root, ContainerReader(data)
                                 .bytes("dependent_root", kRoot)
                                 .u64("proposal_slot", &slot)
                                 .u64("validator_index")
                                 .bytes("fee_recipient", kAddress)
                                 .u64("target_gas_limit")
                                 .root());
  return Message{root, domain_type::kProposerPreferences, context.at_slot(slot), {}};
}

Result<Message> builder_request_auth(const MessageContext& context) {
  CC_ASSIGN(const JsonValue data, gloas_data(context, "builder_request_auth"));
  CC_ASSIGN(const Root root, ContainerReader(data).byte_list("data", kMaxBuilderAuthData).u64("slot").root());
  return Message{root, domain_type::kBuilderRequestAuth, GenesisScope{context.network.genesis_fork_version()}, {}};
}

}  // namespace cc::ethereum
