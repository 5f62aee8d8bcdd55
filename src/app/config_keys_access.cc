// The rows of the configuration table for who may do what: callers with a token, and those without.
#include "app/config_slots.h"

namespace cc::app {
namespace {

using OptionalList = std::optional<TextList>;

// The slot of a member of the policy with the name given; the policy comes into being by being named.
#define CC_POLICY_AT(type, member)                                                                       \
  AnySlot {                                                                                              \
    Slot<type> {                                                                                         \
      [](Config& config, const std::string& name) -> type& { return config.auth_policies[name].member; } \
    }                                                                                                    \
  }
#define CC_ANYONE_AT(type, member)                      \
  AnySlot {                                             \
    Slot<type> {                                        \
      [](Config& config, const std::string&) -> type& { \
        if (!config.unauthenticated_policy) {           \
          config.unauthenticated_policy.emplace();      \
        }                                               \
        return config.unauthenticated_policy->member;   \
      }                                                 \
    }                                                   \
  }

}  // namespace

std::vector<ConfigKey> access_keys() {
  return {
      {.path = "auth_policies.*.token",
       .slot = CC_POLICY_AT(SecretBytes, token),
       .standard = "",
       .help = "The caller's token, at least 16 characters; env:NAME reads it from the environment.",
       .standard_note = "required"},
      {.path = "auth_policies.*.allowed_scopes",
       .slot = CC_POLICY_AT(OptionalList, allowed_scopes),
       .standard = "",
       .help = "What the caller may do.",
       .standard_note = "all scopes"},
      {.path = "auth_policies.*.denied_scopes",
       .slot = CC_POLICY_AT(TextList, denied_scopes),
       .standard = "",
       .help = "What the caller may not do, whatever is allowed.",
       .standard_note = "none"},
      {.path = "auth_policies.*.allowed_keys",
       .slot = CC_POLICY_AT(OptionalList, allowed_keys),
       .standard = "",
       .help = "Public keys (0x…) the caller may sign with.",
       .standard_note = "all keys"},
      {.path = "auth_policies.*.allowed_operations",
       .slot = CC_POLICY_AT(OptionalList, allowed_operations),
       .standard = "",
       .help = "Signing types the caller may ask for, such as ATTESTATION.",
       .standard_note = "all types"},
      {.path = "unauthenticated_policy.allowed_scopes",
       .slot = CC_ANYONE_AT(OptionalList, allowed_scopes),
       .standard = "",
       .help = "What callers without a token may do, once there are policies.",
       .standard_note = "required"},
      {.path = "unauthenticated_policy.denied_scopes",
       .slot = CC_ANYONE_AT(TextList, denied_scopes),
       .standard = "",
       .help = "What callers without a token may not do.",
       .standard_note = "none"},
      {.path = "unauthenticated_policy.allowed_keys",
       .slot = CC_ANYONE_AT(OptionalList, allowed_keys),
       .standard = "",
       .help = "Public keys callers without a token may sign with.",
       .standard_note = "all keys"},
      {.path = "unauthenticated_policy.allowed_operations",
       .slot = CC_ANYONE_AT(OptionalList, allowed_operations),
       .standard = "",
       .help = "Signing types callers without a token may ask for.",
       .standard_note = "all types"},
  };
}

}  // namespace cc::app
