// Sets of scopes, as configured and as meant.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "access/policies.h"

namespace cc::access {

inline constexpr std::size_t kScopeCount = static_cast<std::size_t>(Scope::chamber_keys_delete) + 1;

// Web3Signer's signing routes: open when no policy is configured. The keymanager API demands a token, as its own does.
bool is_compatibility(Scope scope);
std::set<Scope> every_scope();
// Errors: config_invalid naming the policy, the unknown scope and the nearest known one.
Result<std::set<Scope>> scopes_named(const std::vector<std::string>& names, std::string_view policy);

}  // namespace cc::access
