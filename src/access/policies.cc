#include "access/policies.h"

#include <algorithm>

#include "access/authorization.h"
#include "access/scopes.h"
#include "crypto/hash.h"

namespace cc::access {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::string_view kUnauthenticated = "unauthenticated_policy";
constexpr std::string_view kAdmin = "admin-token";
constexpr std::string_view kOpen = "open";

tl::unexpected<Error> unauthorized() {
  return fail(
      ErrorKind::unauthorized,
      "This route needs a valid token: \"Authorization: Bearer TOKEN\", or HTTP Basic with the token as password.");
}

tl::unexpected<Error> forbidden() {
  return fail(ErrorKind::forbidden, "The caller's policy does not allow this request.");
}

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c; });
  return text;
}

Result<std::set<BlsPublicKey>> keys_named(const std::vector<std::string>& texts, std::string_view policy) {
  std::set<BlsPublicKey> out;
  for (const std::string& text : texts) {
    BlsPublicKey key{};
    if (!from_hex_exact(text, key)) {
      return fail(ErrorKind::config_invalid, "Policy " + std::string(policy) +
                                                 " names a key that is not 48 bytes of hexadecimal in allowed_keys.");
    }
    out.insert(key);
  }
  return out;
}

}  // namespace

Policies::Policies(Random& random) : mac_key_(random.secret<32>()) {}

Result<Policies::Rule> Policies::rule_of(PolicyConfig config) {
  Rule rule;
  rule.name = config.name;
  rule.scopes = every_scope();
  if (config.allowed_scopes) {
    CC_ASSIGN(rule.scopes, scopes_named(*config.allowed_scopes, rule.name));
  }
  CC_ASSIGN(const std::set<Scope> denied, scopes_named(config.denied_scopes, rule.name));
  for (const Scope scope : denied) {
    rule.scopes.erase(scope);
  }
  if (config.allowed_keys) {
    CC_ASSIGN(rule.keys, keys_named(*config.allowed_keys, rule.name));
  }
  if (config.allowed_operations) {
    rule.operations.emplace();
    for (std::string& operation : *config.allowed_operations) {
      rule.operations->insert(upper_case(std::move(operation)));
    }
  }
  return rule;
}

Result<void> Policies::add(PolicyConfig config) {
  if (config.name.empty() || rule_named(config.name) != nullptr) {
    return fail(ErrorKind::config_invalid, "Every policy needs a name of its own; \"" + config.name + "\" is not one.");
  }
  if (config.token.size() < kShortestToken) {
    return fail(ErrorKind::config_invalid, "The token of policy " + config.name + " must have at least " +
                                               std::to_string(kShortestToken) + " characters.");
  }
  const TokenMac mac = mac_of(expose_secret_bytes(config.token));
  if (const Rule* other = rule_with(mac); other != nullptr) {
    return fail(ErrorKind::config_invalid, "Policies " + other->name + " and " + config.name +
                                               " have the same token; a caller could not be told apart.");
  }
  CC_ASSIGN(Rule rule, rule_of(std::move(config)));
  rule.token_mac = mac;
  rules_.push_back(std::move(rule));
  return {};
}

Result<Policies> Policies::make(std::vector<PolicyConfig> policies, std::optional<PolicyConfig> unauthenticated,
                                Random& random) {
  Policies out(random);
  for (PolicyConfig& config : policies) {
    CC_TRY(out.add(std::move(config)));
  }
  if (unauthenticated) {
    if (!unauthenticated->token.empty()) {
      return fail(ErrorKind::config_invalid,
                  "unauthenticated_policy is for callers without a token, so it takes none.");
    }
    unauthenticated->name = kUnauthenticated;
    CC_ASSIGN(out.unauthenticated_, rule_of(*std::move(unauthenticated)));
  }
  return out;
}

Result<Policies> Policies::open_with_admin(const SecretBytes& admin_token, Random& random) {
  if (admin_token.size() < kShortestToken) {
    return fail(ErrorKind::config_invalid,
                "The admin token must have at least " + std::to_string(kShortestToken) + " characters.");
  }
  Policies out(random);
  Rule admin;
  admin.name = kAdmin;
  admin.scopes = every_scope();
  admin.token_mac = out.mac_of(expose_secret_bytes(admin_token));
  out.admin_ = std::move(admin);
  return out;
}

Policies::TokenMac Policies::mac_of(ByteView token) const { return crypto::keyed_blake2b(mac_key_, token); }

// Looks at every rule whichever matches: the time tells the number of policies, not which one it was.
const Policies::Rule* Policies::rule_with(const TokenMac& mac) const {
  const Rule* found = nullptr;
  for (const Rule& rule : rules_) {
    found = equal_constant_time(rule.token_mac, mac) ? &rule : found;
  }
  return found;
}

const Policies::Rule* Policies::rule_named(std::string_view name) const {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [name](const Rule& rule) { return rule.name == name; });
  return found == rules_.end() ? nullptr : &*found;
}

bool Policies::is_admin(const TokenMac& mac) const { return admin_ && equal_constant_time(admin_->token_mac, mac); }

Result<Caller> Policies::allow_anonymous(Scope scope) const {
  if (admin_ && is_compatibility(scope)) {
    return Caller{std::string(kOpen), false};
  }
  if (unauthenticated_ && unauthenticated_->scopes.contains(scope)) {
    return Caller{unauthenticated_->name, false};
  }
  return unauthorized();
}

Result<Caller> Policies::allow(Scope scope, std::string_view authorization, bool loopback) const {
  // Clients that are set up for another signer may send credentials where none are asked for.
  if (admin_ && is_compatibility(scope)) {
    return Caller{std::string(kOpen), false};
  }
  CC_ASSIGN(const SecretBytes token, token_of(authorization));
  if (token.empty()) {
    return allow_anonymous(scope);
  }
  const TokenMac mac = mac_of(expose_secret_bytes(token));
  if (admin_) {
    if (is_admin(mac) && loopback) {
      return Caller{admin_->name, true};
    }
    return unauthorized();
  }
  const Rule* rule = rule_with(mac);
  if (rule == nullptr) {
    return unauthorized();
  }
  if (!rule->scopes.contains(scope)) {
    return forbidden();
  }
  return Caller{rule->name, true};
}

Result<void> Policies::allow_signing(const Caller& caller, const BlsPublicKey& key, std::string_view operation) const {
  const Rule* rule = caller.authenticated ? rule_named(caller.policy) : nullptr;
  if (!caller.authenticated && unauthenticated_) {
    rule = &*unauthenticated_;
  }
  if (rule == nullptr) {
    // Only a process without policies signs for callers without a rule; a caller made elsewhere gets nothing.
    if (admin_) {
      return {};
    }
    return forbidden();
  }
  if ((rule->keys && !rule->keys->contains(key)) || (rule->operations && !rule->operations->contains(operation))) {
    return forbidden();
  }
  return {};
}

}  // namespace cc::access
