// The environment and the flags as sources.
#include <unistd.h>

#include <algorithm>

#include "app/config_table.h"

namespace cc::app {
namespace {

constexpr std::string_view kPrefix = "CONTAINMENT_";

// Kubernetes sets CONTAINMENT_CHAMBER_SERVICE_HOST, CONTAINMENT_CHAMBER_PORT_9000_TCP and the like for a Service named
// containment-chamber; they are not ours. Ours always have two underscores after a section.
bool is_service_link(std::string_view name) {
  constexpr std::string_view kService = "CONTAINMENT_CHAMBER_";
  return name.starts_with(kService) && !name.substr(kService.size()).starts_with('_') &&
         (name.find("_SERVICE_") != std::string_view::npos || name.find("_PORT") != std::string_view::npos);
}

Parts path_of_variable(std::string_view name) {
  Parts out;
  std::string part;
  name.remove_prefix(kPrefix.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i, 2) == "__") {
      out.push_back(std::exchange(part, {}));
      ++i;
    } else {
      part.push_back(name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i]);
    }
  }
  out.push_back(part);
  return out;
}

// A variable cannot spell the dashes of a policy's name: OPS_TEAM means the policy ops-team when there is one.
std::string policy_spelled(const Config& config, const std::string& name) {
  for (const auto& [known, policy] : config.auth_policies) {
    std::string plain = known;
    std::transform(plain.begin(), plain.end(), plain.begin(), [](char c) {
      return c == '-' ? '_' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    });
    if (plain == name) {
      return known;
    }
  }
  return name;
}

std::string variable_of_path(const std::string& path) {
  std::string out(kPrefix);
  for (const char c : path) {
    out += c == '.' ? "__" : std::string(1, c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

}  // namespace

Result<void> apply_environment(Config& config, const Environment& environment) {
  if (const auto rust_log = environment.find("RUST_LOG"); rust_log != environment.end()) {
    constexpr std::array<std::string_view, 5> kNames{"trace", "debug", "info", "warn", "error"};
    config.log_level = kNames.at(static_cast<std::size_t>(log::parse_level(rust_log->second)));
  }
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kPrefix) || is_service_link(name)) {
      continue;
    }
    const Parts path = path_of_variable(name);
    auto found = find_key(path);
    if (!found) {
      return fail(ErrorKind::config_invalid, "environment variable " + name +
                                                 " names no key; the nearest known one is " +
                                                 variable_of_path(nearest_path(path)));
    }
    if (found->key->has_name()) {
      found->name = policy_spelled(config, found->name);
    }
    CC_TRY(store_value(config, *found, value_of_text(*found->key, text), "environment variable " + name));
  }
  return {};
}

Result<void> apply_flags(Config& config, const std::vector<FlagValue>& flags) {
  for (const FlagValue& flag : flags) {
    const auto found = find_key(split_path(flag.path));
    if (!found) {
      return fail(ErrorKind::internal, "the flag for " + flag.path + " names no key");
    }
    CC_TRY(store_value(config, *found, value_of_text(*found->key, flag.text), found->key->flag()));
  }
  return {};
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    if (const auto equals = line.find('='); equals != std::string_view::npos) {
      out.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return out;
}

}  // namespace cc::app
