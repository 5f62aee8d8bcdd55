// What a signer must know of a network: preset sizes, fork schedule, genesis fork version.
//
// The versions of a signing domain come from each request (fork_info); the network supplies what a request leaves out:
// slots per epoch, SSZ limits, the genesis fork version of builder registrations, the Capella version of EIP-7044
// exits. Values; safe to share between threads once made. No secrets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/chain.h"
#include "base/result.h"

namespace cc::ethereum {

enum class Fork { phase0, altair, bellatrix, capella, deneb, electra, fulu, gloas };
inline constexpr std::size_t kForks = 8;
std::string_view name(Fork fork);                             // "PHASE0", …
std::optional<Fork> fork_named(std::string_view upper_case);  // case-sensitive

using Version = std::array<std::uint8_t, 4>;

// The preset values on which the shape or the root of a signed message depends.
struct Preset {
  std::string_view name;
  std::uint64_t slots_per_epoch;
  std::uint64_t sync_committee_size;
  std::uint64_t max_committees_per_slot;
};
const Preset* preset_named(std::string_view name);  // "mainnet", "minimal", "gnosis"; nullptr for any other

struct Network {
  std::string name;
  Preset preset;
  std::array<std::optional<Version>, kForks> versions{};  // phase0 (the genesis version) is always there
  std::array<std::optional<Epoch>, kForks> epochs{};      // absent: never scheduled; phase0 is always 0
  std::optional<Root> genesis_validators_root;            // of the public networks

  Epoch epoch_of(Slot slot) const { return {slot.value / preset.slots_per_epoch}; }
  // The fork in force at an epoch.
  Fork fork_at(Epoch epoch) const;
  // The fork that carries this version; scheduled forks first.
  std::optional<Fork> fork_of(const Version& version) const;
  const Version& genesis_fork_version() const { return *versions[0]; }
};

// A public network by name (mainnet, sepolia, holesky, hoodi, ephemery, gnosis, chiado, minimal), or the path of a
// consensus-layer config.yaml (DESIGN section 7). Errors: config_invalid naming what is wrong and what to do.
Result<Network> load_network(const std::string& name_or_path);
// The public network of that name, if there is one.
std::optional<Network> public_network(std::string_view name);
// The text of a config.yaml. Unknown keys are ignored; forks it does not schedule never happen.
// Errors: config_invalid with the line where there is one.
Result<Network> parse_network_config(std::string_view yaml);

}  // namespace cc::ethereum
