// Beacon blocks: full phase0 and Altair bodies, headers from Bellatrix on (the header's root is the block's root).
#include "ethereum/container_reader.h"
#include "ethereum/messages.h"

namespace cc::ethereum {
namespace {

// Limits of the body's lists, the same in every preset.
constexpr std::size_t kMaxProposerSlashings = 16;
constexpr std::size_t kMaxAttesterSlashings = 2;
constexpr std::size_t kMaxAttestations = 128;
constexpr std::size_t kMaxDeposits = 16;
constexpr std::size_t kMaxVoluntaryExits = 16;
constexpr std::size_t kDepositProof = 33;  // DEPOSIT_CONTRACT_TREE_DEPTH + 1

Result<Root> header_root(JsonValue value, std::uint64_t* slot) {
  return ContainerReader(value)
      .u64("slot", slot)
      .u64("proposer_index")
      .bytes("parent_root", kRoot)
      .bytes("state_root", kRoot)
      .bytes("body_root", kRoot)
      .root();
}

Result<Root> eth1_data_root(JsonValue value) {
  return ContainerReader(value).bytes("deposit_root", kRoot).u64("deposit_count").bytes("block_hash", kRoot).root();
}

Result<Root> signed_header_root(JsonValue value) {
  return ContainerReader(value)
      .child("message", [](JsonValue message) { return header_root(message, nullptr); })
      .bytes("signature", kSignature)
      .root();
}

Result<Root> proposer_slashing_root(JsonValue value) {
  return ContainerReader(value)
      .child("signed_header_1", signed_header_root)
      .child("signed_header_2", signed_header_root)
      .root();
}

Result<Root> indexed_attestation_root(JsonValue value) {
  return ContainerReader(value)
      .u64_list("attesting_indices", kMaxValidatorsPerCommittee)
      .child("data", [](JsonValue data) { return attestation_data_root(data); })
      .bytes("signature", kSignature)
      .root();
}

Result<Root> attester_slashing_root(JsonValue value) {
  return ContainerReader(value)
      .child("attestation_1", indexed_attestation_root)
      .child("attestation_2", indexed_attestation_root)
      .root();
}

Result<Root> deposit_data_root(JsonValue value) {
  return ContainerReader(value)
      .bytes("pubkey", kPublicKey)
      .bytes("withdrawal_credentials", kRoot)
      .u64("amount")
      .bytes("signature", kSignature)
      .root();
}

Result<Root> deposit_root(JsonValue value) {
  return ContainerReader(value)
      .vector("proof", kDepositProof, [](JsonValue node) { return bytes_root(node, kRoot); })
      .child("data", deposit_data_root)
      .root();
}

Result<Root> signed_exit_root(JsonValue value) {
  return ContainerReader(value)
      .child("message", [](JsonValue message) { return voluntary_exit_root(message); })
      .bytes("signature", kSignature)
      .root();
}

Result<Root> sync_aggregate_root(JsonValue value, const Preset& preset) {
  return ContainerReader(value)
      .bitvector("sync_committee_bits", preset.sync_committee_size)
      .bytes("sync_committee_signature", kSignature)
      .root();
}

Result<Root> body_root(JsonValue value, Fork fork, const Preset& preset) {
  ContainerReader reader(value);
  reader.bytes("randao_reveal", kSignature)
      .child("eth1_data", eth1_data_root)
      .bytes("graffiti", kRoot)
      .list("proposer_slashings", kMaxProposerSlashings, proposer_slashing_root)
      .list("attester_slashings", kMaxAttesterSlashings, attester_slashing_root)
      .list("attestations", kMaxAttestations, phase0_attestation_root)
      .list("deposits", kMaxDeposits, deposit_root)
      .list("voluntary_exits", kMaxVoluntaryExits, signed_exit_root);
  if (fork == Fork::phase0) {
    reader.absent("sync_aggregate", "contradicts the version PHASE0, which has no sync_aggregate");
  } else {
    reader.child("sync_aggregate", [&preset](JsonValue sync) { return sync_aggregate_root(sync, preset); });
  }
  return reader
      .absent("execution_payload", "contradicts the version: from BELLATRIX on send block_header instead of block")
      .root();
}

Result<Message> full_block(const MessageContext& context, JsonValue value, Fork fork) {
  const Preset& preset = context.network.preset;
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root, ContainerReader(value)
                                 .u64("slot", &slot)
                                 .u64("proposer_index")
                                 .bytes("parent_root", kRoot)
                                 .bytes("state_root", kRoot)
                                 .child("body", [&](JsonValue body) { return body_root(body, fork, preset); })
                                 .root());
  return Message{root, domain_type::kBeaconProposer, context.at_slot(slot), BlockDuty{{slot}}};
}

}  // namespace

// The deprecated type: a phase0 block without a version.
Result<Message> block(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("block"));
  return full_block(context, payload, Fork::phase0);
}

Result<Message> block_v2(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("beacon_block"));
  CC_ASSIGN(const JsonValue version, payload.member("version"));
  CC_ASSIGN(const std::string_view text, version.text());
  const std::optional<Fork> fork = fork_named(text);
  if (!fork) {
    return version.wrong("not a fork this signer knows (PHASE0 to GLOAS, in upper case)");
  }
  const bool whole = *fork <= Fork::altair;
  if (const auto other = payload.optional_member(whole ? "block_header" : "block")) {
    return other->wrong("contradicts the version " + std::string(text) + ", which is signed from " +
                        (whole ? "block" : "block_header"));
  }
  CC_ASSIGN(const JsonValue content, payload.member(whole ? "block" : "block_header"));
  if (whole) {
    return full_block(context, content, *fork);
  }
  std::uint64_t slot = 0;
  CC_ASSIGN(const Root root, header_root(content, &slot));
  return Message{root, domain_type::kBeaconProposer, context.at_slot(slot), BlockDuty{{slot}}};
}

}  // namespace cc::ethereum
