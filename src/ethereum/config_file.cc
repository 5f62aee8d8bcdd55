// A consensus-layer config.yaml (consensus-specs configs/*.yaml): preset, fork versions and epochs. Everything else in
// it is ignored, but a preset size that differs from the preset it names is refused: roots would be wrong without a
// sign.
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <map>

#include "base/bytes.h"
#include "ethereum/network.h"

namespace cc::ethereum {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};  // FAR_FUTURE_EPOCH

struct Entry {
  std::string text;
  int line = 0;
  bool scalar = false;
};
using Entries = std::map<std::string, Entry, std::less<>>;

tl::unexpected<Error> invalid(const std::string& what, int line = -1) {
  return fail(ErrorKind::config_invalid, (line < 0 ? "" : "line " + std::to_string(line) + ": ") + what);
}

Result<Entries> read_entries(std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap()) {
      return invalid("not a consensus-layer config.yaml: expected KEY: value lines");
    }
    Entries out;
    for (const auto& pair : root) {
      const int line = pair.first.Mark().line + 1;
      if (!pair.first.IsScalar()) {
        return invalid("a key is not plain text", line);
      }
      Entry entry{pair.second.IsScalar() ? pair.second.Scalar() : std::string(), line, pair.second.IsScalar()};
      if (!out.emplace(pair.first.Scalar(), std::move(entry)).second) {
        return invalid(pair.first.Scalar() + " is given twice; keep one", line);
      }
    }
    return out;
  } catch (const YAML::Exception& error) {
    return invalid("not valid YAML: " + error.msg, error.mark.is_null() ? -1 : error.mark.line + 1);
  } catch (const std::exception&) {
    return invalid("not a consensus-layer config.yaml: it cannot be read as YAML");
  }
}

const Entry* find(const Entries& entries, std::string_view key) {
  const auto found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second;
}

Result<std::uint64_t> decimal(std::string_view key, const Entry& entry) {
  std::uint64_t value = 0;
  const char* const end = entry.text.data() + entry.text.size();
  const auto [stop, error] = std::from_chars(entry.text.data(), end, value);
  if (!entry.scalar || entry.text.empty() || error != std::errc() || stop != end) {
    return invalid(std::string(key) + ": expected an unsigned integer in decimal digits", entry.line);
  }
  return value;
}

Result<const Preset*> read_preset(const Entries& entries) {
  const Entry* const base = find(entries, "PRESET_BASE");
  if (base == nullptr) {
    return invalid("PRESET_BASE is missing; add PRESET_BASE: mainnet, minimal or gnosis");
  }
  const Preset* const preset = base->scalar ? preset_named(base->text) : nullptr;
  if (preset == nullptr) {
    return invalid("PRESET_BASE: expected mainnet, minimal or gnosis", base->line);
  }
  const std::array<std::pair<std::string_view, std::uint64_t>, 3> sizes{{
      {"SLOTS_PER_EPOCH", preset->slots_per_epoch},
      {"SYNC_COMMITTEE_SIZE", preset->sync_committee_size},
      {"MAX_COMMITTEES_PER_SLOT", preset->max_committees_per_slot},
  }};
  for (const auto& [key, value] : sizes) {
    if (const Entry* const given = find(entries, key)) {
      CC_ASSIGN(const std::uint64_t number, decimal(key, *given));
      if (number != value) {
        return invalid(std::string(key) + ": " + std::to_string(number) + " contradicts PRESET_BASE " +
                           std::string(preset->name) + ", where it is " + std::to_string(value) +
                           "; name the preset that fits",
                       given->line);
      }
    }
  }
  return preset;
}

Result<void> read_version(const Entries& entries, std::size_t fork, Network& network) {
  const std::string key = (fork == 0 ? "GENESIS" : std::string(name(static_cast<Fork>(fork)))) + "_FORK_VERSION";
  const Entry* const entry = find(entries, key);
  if (entry == nullptr) {
    return {};
  }
  Version version{};
  if (!entry->scalar || !entry->text.starts_with("0x") || !from_hex_exact(entry->text, version)) {
    return invalid(key + ": expected 4 bytes of hexadecimal such as 0x00000000", entry->line);
  }
  network.versions[fork] = version;
  return {};
}

Result<void> read_epoch(const Entries& entries, std::size_t fork, Network& network) {
  const std::string key = std::string(name(static_cast<Fork>(fork))) + "_FORK_EPOCH";
  const Entry* const entry = find(entries, key);
  if (entry == nullptr) {
    return {};
  }
  CC_ASSIGN(const std::uint64_t epoch, decimal(key, *entry));
  if (epoch == kNever) {
    return {};
  }
  if (!network.versions[fork]) {
    return invalid(std::string(name(static_cast<Fork>(fork))) + "_FORK_VERSION is missing, though " + key + " is set",
                   entry->line);
  }
  const std::optional<Epoch>& before = network.epochs[fork - 1];
  if (!before || before->value > epoch) {
    return invalid(
        key + ": " + std::string(name(static_cast<Fork>(fork - 1))) + " must be scheduled at the same epoch or earlier",
        entry->line);
  }
  network.epochs[fork] = Epoch{epoch};
  return {};
}

// Two scheduled forks with one version could not be told apart in a request.
Result<void> refuse_repeated_versions(const Network& network) {
  for (std::size_t later = 1; later < kForks; ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (network.epochs[later] && network.versions[later] == network.versions[earlier]) {
        return invalid(std::string(name(static_cast<Fork>(later))) + "_FORK_VERSION repeats the version of " +
                       std::string(name(static_cast<Fork>(earlier))));
      }
    }
  }
  return {};
}

}  // namespace

Result<Network> parse_network_config(std::string_view yaml) {
  CC_ASSIGN(const Entries entries, read_entries(yaml));
  CC_ASSIGN(const Preset* const preset, read_preset(entries));
  const Entry* const config_name = find(entries, "CONFIG_NAME");
  Network network{config_name != nullptr && config_name->scalar ? config_name->text : "custom", *preset, {}, {}, {}};
  for (std::size_t fork = 0; fork < kForks; ++fork) {
    CC_TRY(read_version(entries, fork, network));
  }
  if (!network.versions[0]) {
    return invalid("GENESIS_FORK_VERSION is missing");
  }
  network.epochs[0] = Epoch{0};
  for (std::size_t fork = 1; fork < kForks; ++fork) {
    CC_TRY(read_epoch(entries, fork, network));
  }
  CC_TRY(refuse_repeated_versions(network));
  return network;
}

}  // namespace cc::ethereum
