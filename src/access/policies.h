// Who may do what: auth policies with scopes, key and operation limits; tokens compared in constant time as keyed
// hashes under a per-process key (DESIGN section 5). docs/reference/access.md is the reader's page.
//
// Rules: a caller is known by the token alone; the user name of HTTP Basic is ignored. Absent allowed_scopes means
// every scope, denied_scopes always win. A wrong token is refused even where no token would have passed. Without any
// policy sign, public_keys and reload are open, and all other scopes take the admin token, from loopback only.
//
// Immutable after make(), so every call is safe from any thread. Secrets that pass: tokens; none is kept, only their
// keyed hashes.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/chain.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::access {

// Every scope of DESIGN section 5. `chamber_keys_write` in a policy means import + patch.
enum class Scope {
  sign,
  public_keys,
  reload,
  list_keys,
  import_keystores,
  delete_keys,
  chamber_status,
  chamber_seal,
  chamber_rotate,
  chamber_keys_list,
  chamber_keys_generate,
  chamber_keys_import,
  chamber_keys_patch,
  chamber_keys_delete,
};
std::string_view name(Scope scope);
std::optional<Scope> scope_named(std::string_view text);

// What a 401 answer carries in its WWW-Authenticate header.
inline constexpr std::string_view kWwwAuthenticate = R"(Basic realm="containment-chamber", Bearer)";

// A policy as configured. Absent lists do not limit.
struct PolicyConfig {
  std::string name;
  SecretBytes token;  // empty for unauthenticated_policy
  std::optional<std::vector<std::string>> allowed_scopes;
  std::vector<std::string> denied_scopes;
  std::optional<std::vector<std::string>> allowed_keys;        // 0x public keys
  std::optional<std::vector<std::string>> allowed_operations;  // signing types, either case
};

// The caller of one request.
struct Caller {
  std::string policy;  // its name, for the log; "unauthenticated_policy" or "open" without a token
  bool authenticated = false;
};

class Policies {
 public:
  // Errors: config_invalid for an unknown scope (naming the nearest), a malformed key, a token under 16 characters, a
  // repeated token or name.
  static Result<Policies> make(std::vector<PolicyConfig> policies, std::optional<PolicyConfig> unauthenticated,
                               Random& random);
  // With no policies at all: the signing routes are open, all others take only `admin_token`, from loopback.
  static Result<Policies> open_with_admin(const SecretBytes& admin_token, Random& random);

  // No policies: whoever reaches the listener may use the compatibility scopes.
  bool open() const { return admin_.has_value(); }
  // `authorization`: the header's value (Basic user:token or Bearer token), empty when absent.
  // Errors: unauthorized (401), forbidden (403). Neither says which part was wrong.
  Result<Caller> allow(Scope scope, std::string_view authorization, bool loopback) const;
  // Signing: also the key and the operation (signing type, upper case). Errors: forbidden.
  Result<void> allow_signing(const Caller& caller, const BlsPublicKey& key, std::string_view operation) const;

 private:
  using TokenMac = std::array<std::uint8_t, 32>;
  struct Rule {
    std::string name;
    TokenMac token_mac{};
    std::set<Scope> scopes;
    std::optional<std::set<BlsPublicKey>> keys;
    std::optional<std::set<std::string, std::less<>>> operations;
  };

  explicit Policies(Random& random);
  static Result<Rule> rule_of(PolicyConfig config);
  Result<void> add(PolicyConfig config);
  TokenMac mac_of(ByteView token) const;
  const Rule* rule_with(const TokenMac& mac) const;
  const Rule* rule_named(std::string_view name) const;
  bool is_admin(const TokenMac& mac) const;
  Result<Caller> allow_anonymous(Scope scope) const;

  std::vector<Rule> rules_;
  std::optional<Rule> unauthenticated_;
  std::optional<Rule> admin_;  // set: no policies, and the signing scopes are open
  Secret<32> mac_key_;
};

}  // namespace cc::access
