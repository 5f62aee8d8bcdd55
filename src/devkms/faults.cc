#include "devkms/faults.h"

#include <algorithm>
#include <array>

namespace cc::devkms {
namespace {

constexpr std::array<std::string_view, 12> kNames{"timeout",          "throttled", "denied",       "disabled",
                                                  "pending_deletion", "not_found", "internal",     "expired_token",
                                                  "corrupted",        "wrong_key", "wrong_region", "garbled"};

}  // namespace

std::optional<FaultKind> parse_fault(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  return found == kNames.end() ? std::nullopt : std::optional(static_cast<FaultKind>(found - kNames.begin()));
}

std::string_view name(FaultKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::string fault_names() {
  std::string out;
  for (const std::string_view one : kNames) {
    out += (out.empty() ? "" : ", ") + std::string(one);
  }
  return out;
}

void Faults::plant(Fault fault) {
  const std::lock_guard lock(mutex_);
  planted_.push_back(std::move(fault));
}

void Faults::clear() {
  const std::lock_guard lock(mutex_);
  planted_.clear();
}

std::optional<FaultKind> Faults::take(std::string_view key, std::string_view operation) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(planted_, [&](const Fault& one) {
    return (one.key.empty() || one.key == key) && (one.operation.empty() || one.operation == operation);
  });
  if (found == planted_.end()) {
    return std::nullopt;
  }
  const FaultKind kind = found->kind;
  if (found->count > 0 && --found->count == 0) {
    planted_.erase(found);
  }
  return kind;
}

std::optional<Refusal> refusal_of(FaultKind kind, const std::string& key, const std::string& operation,
                                  const std::string& caller) {
  switch (kind) {
    case FaultKind::throttled:
      return Refusal{400, "ThrottlingException", "You have exceeded the rate at which you may call KMS."};
    case FaultKind::denied:
      return Refusal{400, "AccessDeniedException",
                     "User: " + caller + " is not authorized to perform: kms:" + operation + " on resource: " + key};
    case FaultKind::disabled:
      return Refusal{400, "DisabledException", key + " is disabled."};
    case FaultKind::pending_deletion:
      return Refusal{400, "KMSInvalidStateException", key + " is pending deletion."};
    case FaultKind::not_found:
      return Refusal{400, "NotFoundException", "Key '" + key + "' does not exist"};
    case FaultKind::internal:
      return Refusal{500, "KMSInternalException", "internal"};
    case FaultKind::expired_token:
      return Refusal{400, "ExpiredTokenException", "The security token included in the request is expired"};
    case FaultKind::wrong_region:
      return Refusal{400, "InvalidSignatureException", "Credential should be scoped to a valid region."};
    case FaultKind::timeout:
    case FaultKind::corrupted:
    case FaultKind::wrong_key:
    case FaultKind::garbled:
      break;
  }
  return std::nullopt;
}

}  // namespace cc::devkms
