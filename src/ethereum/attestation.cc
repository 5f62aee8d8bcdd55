// Attestations and aggregates: phase0 to Deneb, Electra and Fulu (EIP-7549), Gloas (EIP-7688).
#include <algorithm>

#include "ethereum/any_case.h"
#include "ethereum/container_reader.h"
#include "ethereum/messages.h"

namespace cc::ethereum {
namespace {

// The slot of an attestation, whatever its fork.
Result<std::uint64_t> slot_of(JsonValue aggregate) {
  CC_ASSIGN(const JsonValue data, aggregate.member("data"));
  CC_ASSIGN(const JsonValue slot, data.member("slot"));
  return slot.u64();
}

Result<Root> checkpoint_root(JsonValue value, std::uint64_t* epoch) {
  return ContainerReader(value).u64("epoch", epoch).bytes("root", kRoot).root();
}

Result<Root> electra_attestation_root(JsonValue value, const Preset& preset) {
  return ContainerReader(value)
      .bitlist("aggregation_bits", kMaxValidatorsPerCommittee * preset.max_committees_per_slot)
      .child("data", [](JsonValue data) { return attestation_data_root(data); })
      .bytes("signature", kSignature)
      .bitvector("committee_bits", preset.max_committees_per_slot)
      .root();
}

Result<Root> gloas_attestation_root(JsonValue value, const Preset& preset) {
  return ContainerReader(value)
      .progressive_bitlist("aggregation_bits", kMaxValidatorsPerCommittee * preset.max_committees_per_slot)
      .child("data", [](JsonValue data) { return attestation_data_root(data); })
      .bytes("signature", kSignature)
      .bitvector("committee_bits", preset.max_committees_per_slot)
      .progressive_root();
}

// Which container an aggregate is, when the request names it.
Result<std::optional<Fork>> declared_fork(const std::optional<JsonValue>& version) {
  if (!version) {
    return std::optional<Fork>();
  }
  CC_ASSIGN(const std::string_view text, version->text());
  for (std::size_t i = 0; i < kForks; ++i) {
    const Fork fork = static_cast<Fork>(i);
    if (is_in_any_case(text, name(fork))) {
      return fork;
    }
  }
  return version->wrong("not a fork this signer knows (PHASE0 to GLOAS)");
}

// The version named in the request, else the fork its fork_info stands for, else what committee_bits (new in Electra)
// and the network's schedule say. All of them must agree: Electra and Gloas aggregates look alike and have different
// roots.
Result<Fork> aggregate_fork(const MessageContext& context, JsonValue aggregate, Epoch epoch,
                            std::optional<Fork> declared) {
  const std::optional<JsonValue> committee_bits = aggregate.optional_member("committee_bits");
  const std::optional<Fork> domain = context.domain_fork(epoch);
  const Fork scheduled = context.network.fork_at(epoch);
  const Fork guessed = committee_bits ? std::max(scheduled, Fork::electra) : scheduled;
  const Fork fork = declared.value_or(domain.value_or(guessed));
  if (committee_bits && fork < Fork::electra) {
    return committee_bits->wrong("contradicts the fork " + std::string(name(fork)) + ", which has no committee_bits");
  }
  if (!committee_bits && fork >= Fork::electra) {
    return aggregate.wrong("committee_bits is missing, which the fork " + std::string(name(fork)) + " has");
  }
  if (domain && (*domain >= Fork::gloas) != (fork >= Fork::gloas)) {
    return aggregate.wrong("the version " + std::string(name(fork)) + " contradicts fork_info, which stands for " +
                           std::string(name(*domain)));
  }
  return fork;
}

}  // namespace

std::optional<Fork> MessageContext::domain_fork(Epoch epoch) const {
  return fork_info ? network.fork_of(fork_info->version_at(epoch)) : std::nullopt;
}

Result<Root> attestation_data_root(JsonValue value, AttestationEpochs* copy) {
  AttestationEpochs seen;
  ContainerReader reader(value);
  reader.u64("slot", &seen.slot)
      .u64("index")
      .bytes("beacon_block_root", kRoot)
      .child("source", [&seen](JsonValue source) { return checkpoint_root(source, &seen.source); })
      .child("target", [&seen](JsonValue target) { return checkpoint_root(target, &seen.target); });
  if (copy != nullptr) {
    *copy = seen;
  }
  return reader.root();
}

Result<Root> phase0_attestation_root(JsonValue value) {
  return ContainerReader(value)
      .bitlist("aggregation_bits", kMaxValidatorsPerCommittee)
      .child("data", [](JsonValue data) { return attestation_data_root(data); })
      .bytes("signature", kSignature)
      .root();
}

Result<Message> attestation(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("attestation"));
  AttestationEpochs epochs;
  CC_ASSIGN(const Root root, attestation_data_root(payload, &epochs));
  return Message{root, domain_type::kBeaconAttester, ForkScope{{epochs.target}},
                 AttestationDuty{{epochs.source}, {epochs.target}}};
}

// Both shapes under both type names: {aggregator_index, aggregate, selection_proof}, or {version, data: the same}.
Result<Message> aggregate_and_proof(const MessageContext& context) {
  CC_ASSIGN(const JsonValue payload, context.request.member("aggregate_and_proof"));
  CC_TRY(payload.expect_object());
  const std::optional<JsonValue> version = payload.optional_member("version");
  const std::optional<JsonValue> data = payload.optional_member("data");
  if (version.has_value() != data.has_value()) {
    return payload.wrong("version and data belong together: both or neither");
  }
  CC_ASSIGN(const std::optional<Fork> declared, declared_fork(version));
  const JsonValue body = data.value_or(payload);
  CC_ASSIGN(const JsonValue aggregate, body.member("aggregate"));
  CC_ASSIGN(const std::uint64_t slot, slot_of(aggregate));
  const ForkScope scope = context.at_slot(slot);
  CC_ASSIGN(const Fork fork, aggregate_fork(context, aggregate, scope.epoch, declared));
  const Preset& preset = context.network.preset;
  CC_ASSIGN(const Root root, ContainerReader(body)
                                 .u64("aggregator_index")
                                 .child("aggregate",
                                        [&](JsonValue value) {
                                          return fork >= Fork::gloas     ? gloas_attestation_root(value, preset)
                                                 : fork >= Fork::electra ? electra_attestation_root(value, preset)
                                                                         : phase0_attestation_root(value);
                                        })
                                 .bytes("selection_proof", kSignature)
                                 .root());
  return Message{root, domain_type::kAggregateAndProof, scope, {}};
}

}  // namespace cc::ethereum
