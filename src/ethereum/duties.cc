// The small messages: slots, randao reveals, exits, deposits, builder registrations.
#include "ethereum/container_reader.h"
#include "ethereum/messages.h"

namespace cc::ethereum {

Result<Message> aggregation_slot(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("aggregation_slot"));
  CC_ASSIGN(const JsonValue value, payload.member("slot"));
  CC_ASSIGN(const std::uint64_t slot, value.u64());
  return Message{ssz::chunk_of(slot), domain_type::kSelectionProof, context.at_slot(slot), {}};
}

Result<Message> randao_reveal(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("randao_reveal"));
  CC_ASSIGN(const JsonValue value, payload.member("epoch"));
  CC_ASSIGN(const std::uint64_t epoch, value.u64());
  return Message{ssz::chunk_of(epoch), domain_type::kRandao, ForkScope{{epoch}}, {}};
}

Result<Root> voluntary_exit_root(JsonValue value, std::uint64_t* epoch) {
  return ContainerReader(value).u64("epoch", epoch).u64("validator_index").root();
}

Result<Message> voluntary_exit(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("voluntary_exit"));
  std::uint64_t epoch = 0;
  CC_ASSIGN(const Root root, voluntary_exit_root(payload, &epoch));
  return Message{root, domain_type::kVoluntaryExit, ExitScope{{epoch}}, {}};
}

Result<Message> deposit(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("deposit"));
  CC_ASSIGN(
      const Root root,
      ContainerReader(payload).bytes("pubkey", kPublicKey).bytes("withdrawal_credentials", kRoot).u64("amount").root());
  CC_ASSIGN(const JsonValue version, payload.member("genesis_fork_version"));
  GenesisScope scope;
  CC_TRY(version.bytes(scope.version));
  return Message{root, domain_type::kDeposit, scope, {}};
}

Result<Message> validator_registration(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("validator_registration"));
  CC_ASSIGN(const Root root, ContainerReader(payload)
                                 .bytes("fee_recipient", kAddress)
                                 .u64("gas_limit")
                                 .u64("timestamp")
                                 .bytes("pubkey", kPublicKey)
                                 .root());
  return Message{root, domain_type::kApplicationBuilder, GenesisScope{context.network.genesis_fork_version()}, {}};
}

}  // namespace cc::ethereum
