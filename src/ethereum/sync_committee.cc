// Sync committee duties (Altair on).
#include "ethereum/container_reader.h"
#include "ethereum/messages.h"

namespace cc::ethereum {
namespace {

constexpr std::uint64_t kSyncCommitteeSubnets = 4;

}  // namespace

// The object signed is the block root itself.
Result<Message> sync_committee_message(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("sync_committee_message"));
  CC_ASSIGN(const JsonValue root, payload.member("beacon_block_root"));
  CC_ASSIGN(const JsonValue slot_value, payload.member("slot"));
  Message out;
  CC_TRY(root.bytes(out.object_root));
  CC_ASSIGN(const std::uint64_t slot, slot_value.u64());
  out.domain_type = domain_type::kSyncCommittee;
  out.scope = context.at_slot(slot);
  return out;
}

Result<Message> sync_committee_selection_proof(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("sync_aggregator_selection_data"));
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root, ContainerReader(payload).u64("slot", &slot).u64("subcommittee_index").root());
  return Message{root, domain_type::kSyncCommitteeSelectionProof, context.at_slot(slot), {}};
}

Result<Message> contribution_and_proof(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("contribution_and_proof"));
  const std::uint64_t bits = context.network.preset.sync_committee_size / kSyncCommitteeSubnets;
  std::uint64_t slot = 0;
  const auto contribution_root = [&](JsonValue value) {
    return ContainerReader(value)
        .u64("slot", &slot)
        .bytes("beacon_block_root", kRoot)
        .u64("subcommittee_index")
        .bitvector("aggregation_bits", bits)
        .bytes("signature", kSignature)
        .root();
  };
  CC_ASSIGN(const Root root, ContainerReader(payload)
                                 .u64("aggregator_index")
                                 .child("contribution", contribution_root)
                                 .bytes("selection_proof", kSignature)
                                 .root());
  return Message{root, domain_type::kContributionAndProof, context.at_slot(slot), {}};
}

}  // namespace cc::ethereum
