#include "ethereum/network.h"

#include <fstream>
#include <sstream>

namespace cc::ethereum {
namespace {

constexpr std::array<std::string_view, kForks> kForkNames{"PHASE0", "ALTAIR",  "BELLATRIX", "CAPELLA",
                                                          "DENEB",  "ELECTRA", "FULU",      "GLOAS"};

constexpr std::array kPresets{
    Preset{"mainnet", 32, 512, 64},
    Preset{"minimal", 8, 32, 4},
    Preset{"gnosis", 16, 512, 64},
};

constexpr std::size_t kMaxConfigBytes = 1024UL * 1024;

Result<std::string> read_config(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  text.resize(kMaxConfigBytes + 1);
  if (in) {
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
  }
  if (!in.is_open() || in.bad() || (in.gcount() == 0 && !in.eof())) {
    return fail(ErrorKind::config_invalid,
                "network: \"" + path +
                    "\" is neither a public network (mainnet, sepolia, holesky, hoodi, ephemery, gnosis, chiado, "
                    "minimal) nor a readable consensus-layer config.yaml");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxConfigBytes) {
    return fail(ErrorKind::config_invalid, "network: " + path + " is larger than 1 MiB; that is no config.yaml");
  }
  return text;
}

}  // namespace

std::string_view name(Fork fork) { return kForkNames[static_cast<std::size_t>(fork)]; }

std::optional<Fork> fork_named(std::string_view upper_case) {
  for (std::size_t i = 0; i < kForks; ++i) {
    if (kForkNames[i] == upper_case) {
      return static_cast<Fork>(i);
    }
  }
  return std::nullopt;
}

const Preset* preset_named(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) {
      return &preset;
    }
  }
  return nullptr;
}

Fork Network::fork_at(Epoch epoch) const {
  Fork out = Fork::phase0;
  for (std::size_t i = 1; i < kForks; ++i) {
    if (epochs[i] && *epochs[i] <= epoch) {
      out = static_cast<Fork>(i);
    }
  }
  return out;
}

std::optional<Fork> Network::fork_of(const Version& version) const {
  std::optional<Fork> unscheduled;
  for (std::size_t i = kForks; i-- > 0;) {
    if (versions[i] == version) {
      if (epochs[i]) {
        return static_cast<Fork>(i);
      }
      unscheduled = static_cast<Fork>(i);
    }
  }
  return unscheduled;
}

Result<Network> load_network(const std::string& name_or_path) {
  if (std::optional<Network> known = public_network(name_or_path)) {
    return *std::move(known);
  }
  CC_ASSIGN(const std::string text, read_config(name_or_path));
  Result<Network> network = parse_network_config(text);
  if (!network) {
    return fail(network.error().kind, name_or_path + ": " + network.error().message);
  }
  return network;
}

}  // namespace cc::ethereum
