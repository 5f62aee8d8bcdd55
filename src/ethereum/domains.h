// Signing domains (consensus-specs phase0/beacon-chain.md: compute_domain, compute_signing_root; EIP-7044 for exits).
#pragma once

#include <array>
#include <cstdint>

#include "base/chain.h"
#include "ethereum/json_fields.h"
#include "ethereum/network.h"

namespace cc::ethereum {

using DomainType = std::array<std::uint8_t, 4>;

namespace domain_type {
inline constexpr DomainType kBeaconProposer{0x00, 0x00, 0x00, 0x00};
inline constexpr DomainType kBeaconAttester{0x01, 0x00, 0x00, 0x00};
inline constexpr DomainType kRandao{0x02, 0x00, 0x00, 0x00};
inline constexpr DomainType kDeposit{0x03, 0x00, 0x00, 0x00};
inline constexpr DomainType kVoluntaryExit{0x04, 0x00, 0x00, 0x00};
inline constexpr DomainType kSelectionProof{0x05, 0x00, 0x00, 0x00};
inline constexpr DomainType kAggregateAndProof{0x06, 0x00, 0x00, 0x00};
inline constexpr DomainType kSyncCommittee{0x07, 0x00, 0x00, 0x00};
inline constexpr DomainType kSyncCommitteeSelectionProof{0x08, 0x00, 0x00, 0x00};
inline constexpr DomainType kContributionAndProof{0x09, 0x00, 0x00, 0x00};
inline constexpr DomainType kBeaconBuilder{0x0b, 0x00, 0x00, 0x00};
inline constexpr DomainType kPtcAttester{0x0c, 0x00, 0x00, 0x00};
inline constexpr DomainType kProposerPreferences{0x0d, 0x00, 0x00, 0x00};
inline constexpr DomainType kApplicationBuilder{0x00, 0x00, 0x00, 0x01};
inline constexpr DomainType kBuilderRequestAuth{0x0b, 0x00, 0x00, 0x01};
}  // namespace domain_type

// The request's own view of the fork; domain versions come from here alone.
struct ForkInfo {
  Version previous_version{};
  Version current_version{};
  Epoch epoch;
  Root genesis_validators_root{};

  const Version& version_at(Epoch at) const { return at < epoch ? previous_version : current_version; }
};

// Reads `fork_info` of the request. Errors: malformed_request.
Result<ForkInfo> read_fork_info(JsonValue request);

// type ‖ first 28 bytes of the fork data root.
Root compute_domain(const DomainType& type, const Version& version, const Root& genesis_validators_root);
Root compute_signing_root(const Root& object_root, const Root& domain);

// Whether EIP-7044 rules an exit under this fork: the request's current version is Deneb's or a later one's, or is
// unknown to the network but in force from the network's Deneb epoch on.
bool is_deneb_or_later(const ForkInfo& fork_info, const Network& network);

}  // namespace cc::ethereum
