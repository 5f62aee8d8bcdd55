// The consensus-layer constants a signer needs: preset sizes, fork schedule, genesis fork version.
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
std::string_view name(Fork fork);                            // "PHASE0", …
std::optional<Fork> fork_named(std::string_view upper_case);  // case-sensitive

using Version = std::array<std::uint8_t, 4>;

struct Preset {
  std::string_view name;
  std::uint64_t slots_per_epoch;
  std::uint64_t sync_committee_size;
  std::uint64_t max_committees_per_slot;
  // … what the SSZ types need
};

struct Network {
  std::string name;
  Preset preset;
  std::array<Version, kForks> versions{};
  std::array<std::optional<Epoch>, kForks> epochs{};  // absent: never scheduled
  std::optional<Root> genesis_validators_root;        // of the public networks

  Epoch epoch_of(Slot slot) const { return {slot.value / preset.slots_per_epoch}; }
  Fork fork_at(Epoch epoch) const;
};

// A public network by name (mainnet, sepolia, holesky, hoodi, ephemery, gnosis, chiado, minimal), or the path of a
// consensus-layer config.yaml (DESIGN section 7). Errors: config_invalid naming what is missing.
Result<Network> load_network(const std::string& name_or_path);

}  // namespace cc::ethereum
