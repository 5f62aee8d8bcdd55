#include "access/policies.h"

#include <gtest/gtest.h>

#include "access/authorization.h"
#include "base/bytes.h"

namespace cc::access {
namespace {

constexpr std::array<Scope, 14> kAll{Scope::sign,
                                     Scope::public_keys,
                                     Scope::reload,
                                     Scope::list_keys,
                                     Scope::import_keystores,
                                     Scope::delete_keys,
                                     Scope::chamber_status,
                                     Scope::chamber_seal,
                                     Scope::chamber_rotate,
                                     Scope::chamber_keys_list,
                                     Scope::chamber_keys_generate,
                                     Scope::chamber_keys_import,
                                     Scope::chamber_keys_patch,
                                     Scope::chamber_keys_delete};
const std::string kSigning = "signing-token-0123456789";
const std::string kOps = "ops-team-token-0123456789";
const std::string kAdminToken = "admin-token-0123456789";
BlsPublicKey key_of(std::uint8_t first) {
  BlsPublicKey key{};
  key[0] = first;
  return key;
}

PolicyConfig policy(const std::string& name, const std::string& token,
                    std::optional<std::vector<std::string>> allowed = std::nullopt) {
  PolicyConfig config;
  config.name = name;
  config.token = SecretBytes::copy_of(token);
  config.allowed_scopes = std::move(allowed);
  return config;
}

template <class... Configs>
std::vector<PolicyConfig> list(Configs... configs) {
  std::vector<PolicyConfig> out;
  (out.push_back(std::move(configs)), ...);
  return out;
}

Result<Policies> make(std::vector<PolicyConfig> configs, std::optional<PolicyConfig> unauthenticated = std::nullopt) {
  SystemRandom random;
  return Policies::make(std::move(configs), std::move(unauthenticated), random);
}

// The two policies that the operations guide prints.
Policies of_the_guide() {
  return *make(list(policy("signing-client", kSigning, {{"sign", "public_keys"}}),
                    policy("ops-team", kOps, {{"chamber_seal", "chamber_rotate", "chamber_status"}})));
}

std::string bearer(const std::string& token) { return "Bearer " + token; }
std::string basic(const std::string& user, const std::string& token) {
  return "Basic " + to_base64(bytes_of(user + ":" + token));
}
ErrorKind verdict(const Policies& policies, Scope scope, const std::string& authorization, bool loopback = true) {
  const auto caller = policies.allow(scope, authorization, loopback);
  return caller ? ErrorKind::internal : caller.error().kind;  // internal stands for "allowed" here
}
constexpr ErrorKind kAllowed = ErrorKind::internal;

TEST(Scopes, EveryScopeHasItsOwnName) {
  std::set<std::string_view> names;
  for (const Scope scope : kAll) {
    EXPECT_EQ(scope_named(name(scope)), scope);
    names.insert(name(scope));
  }
  EXPECT_EQ(names.size(), kAll.size());
  EXPECT_EQ(scope_named("chamber_keys_write"), std::nullopt) << "an alias of two, not a scope";
  EXPECT_EQ(scope_named(""), std::nullopt);
}

TEST(Policies, TheGuidesPoliciesAllowWhatTheySayAndNothingElse) {
  const Policies policies = of_the_guide();
  const std::set<Scope> signing{Scope::sign, Scope::public_keys};
  const std::set<Scope> ops{Scope::chamber_seal, Scope::chamber_rotate, Scope::chamber_status};
  for (const Scope scope : kAll) {
    EXPECT_EQ(verdict(policies, scope, bearer(kSigning)), signing.contains(scope) ? kAllowed : ErrorKind::forbidden)
        << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer(kOps)), ops.contains(scope) ? kAllowed : ErrorKind::forbidden)
        << name(scope);
    EXPECT_EQ(verdict(policies, scope, ""), ErrorKind::unauthorized) << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer("wrong-token-0123456789")), ErrorKind::unauthorized) << name(scope);
  }
}

TEST(Policies, BasicTakesTheTokenAsPasswordWhateverTheUserName) {
  const Policies policies = of_the_guide();
  for (const char* user : {"signing-client", "ops-team", "anything", ""}) {
    const auto caller = policies.allow(Scope::sign, basic(user, kSigning), false);
    ASSERT_TRUE(caller.has_value()) << user;
    EXPECT_EQ(caller->policy, "signing-client");
    EXPECT_TRUE(caller->authenticated);
  }
  EXPECT_EQ(verdict(policies, Scope::sign, basic(kSigning, "x")), ErrorKind::unauthorized);
  EXPECT_EQ(verdict(policies, Scope::sign, "bAsIc " + basic("u", kSigning).substr(6)), kAllowed);
  EXPECT_EQ(verdict(policies, Scope::sign, "bearer   " + kSigning), kAllowed);
}

TEST(Policies, ATokenMayHoldColons) {
  const Policies policies = *make(list(policy("p", "a:b:c:d:0123456789")));
  EXPECT_EQ(verdict(policies, Scope::sign, basic("user", "a:b:c:d:0123456789")), kAllowed);
}

TEST(Policies, EveryChangedOrCutTokenIsRefused) {
  const Policies policies = of_the_guide();
  for (std::size_t i = 0; i < kSigning.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string token = kSigning;
      token[i] = static_cast<char>(token[i] ^ (1 << bit));
      EXPECT_EQ(verdict(policies, Scope::sign, bearer(token)), ErrorKind::unauthorized);
    }
    EXPECT_EQ(verdict(policies, Scope::sign, bearer(kSigning.substr(0, i))), ErrorKind::unauthorized);
    EXPECT_EQ(verdict(policies, Scope::sign, bearer(kSigning.substr(i + 1))), ErrorKind::unauthorized);
  }
  EXPECT_EQ(verdict(policies, Scope::sign, bearer(kSigning + "x")), ErrorKind::unauthorized);
  EXPECT_EQ(verdict(policies, Scope::sign, bearer(kSigning + " ")), ErrorKind::unauthorized);
}

TEST(Policies, BrokenHeadersAreUnauthorizedAndSayNothingOfTheToken) {
  const Policies policies = of_the_guide();
  for (const std::string& header :
       {kSigning, "Digest " + kSigning, std::string("Bearer"), std::string("Bearer "), std::string("Basic"),
        std::string("Basic "), "Basic " + kSigning, std::string("Basic !!!!"), "Basic " + to_base64(bytes_of(kSigning)),
        basic("user", ""), std::string(" "),

        std::string("\xff\xfe \x01"), "Bearer" + kSigning}) {
    const auto caller = policies.allow(Scope::sign, header, true);
    ASSERT_FALSE(caller.has_value()) << header;
    EXPECT_EQ(caller.error().kind, ErrorKind::unauthorized) << header;
    EXPECT_EQ(caller.error().message.find(kSigning), std::string::npos) << header;
  }
}

TEST(Policies, NoScopeListMeansEveryScopeAndDenialsWin) {
  PolicyConfig all = policy("all", kSigning);
  PolicyConfig but_seal = policy("but-seal", kOps, {{"chamber_seal", "sign"}});
  but_seal.denied_scopes = {"chamber_seal"};
  const Policies policies = *make(list(std::move(all), std::move(but_seal)));
  for (const Scope scope : kAll) {
    EXPECT_EQ(verdict(policies, scope, bearer(kSigning)), kAllowed) << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer(kOps)), scope == Scope::sign ? kAllowed : ErrorKind::forbidden);
  }
}

TEST(Policies, AnEmptyScopeListAllowsNothing) {
  const Policies policies = *make(list(policy("none", kSigning, std::vector<std::string>{})));
  for (const Scope scope : kAll) {
    EXPECT_EQ(verdict(policies, scope, bearer(kSigning)), ErrorKind::forbidden) << name(scope);
  }
}

TEST(Policies, ChamberKeysWriteMeansImportAndPatch) {
  PolicyConfig reader = policy("reader", kOps);
  reader.denied_scopes = {"chamber_keys_write"};
  const Policies policies = *make(list(policy("writer", kSigning, {{"chamber_keys_write"}}), std::move(reader)));
  for (const Scope scope : kAll) {
    const bool write = scope == Scope::chamber_keys_import || scope == Scope::chamber_keys_patch;
    EXPECT_EQ(verdict(policies, scope, bearer(kSigning)), write ? kAllowed : ErrorKind::forbidden) << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer(kOps)), write ? ErrorKind::forbidden : kAllowed) << name(scope);
  }
}

TEST(Policies, AnUnknownScopeNamesTheNearest) {
  const auto allowed = make(list(policy("p", kSigning, {{"chamber_sael"}})));
  ASSERT_FALSE(allowed.has_value());
  EXPECT_EQ(allowed.error().kind, ErrorKind::config_invalid);
  EXPECT_NE(allowed.error().message.find("did you mean chamber_seal?"), std::string::npos) << allowed.error().message;
  PolicyConfig denying = policy("p", kSigning);
  denying.denied_scopes = {"chamber_keys_writes"};
  const auto denied = make(list(std::move(denying)));
  ASSERT_FALSE(denied.has_value());
  EXPECT_NE(denied.error().message.find("did you mean chamber_keys_write?"), std::string::npos)
      << denied.error().message;
}

TEST(Policies, StartUpRefusesWhatCannotBeMeant) {
  EXPECT_EQ(make(list(policy("p", "fifteen-chars-x"))).error().kind, ErrorKind::config_invalid);
  EXPECT_TRUE(make(list(policy("p", "sixteen-chars-xx"))).has_value());
  EXPECT_EQ(make(list(policy("p", ""))).error().kind, ErrorKind::config_invalid);
  EXPECT_EQ(make(list(policy("p", kSigning), policy("p", kOps))).error().kind, ErrorKind::config_invalid);
  EXPECT_EQ(make(list(policy("", kSigning))).error().kind, ErrorKind::config_invalid);
  const auto repeated = make(list(policy("p", kSigning), policy("q", kSigning)));
  ASSERT_FALSE(repeated.has_value());
  EXPECT_EQ(repeated.error().message.find(kSigning), std::string::npos);
  EXPECT_EQ(make({}, policy("", kSigning)).error().kind, ErrorKind::config_invalid)
      << "a token for callers without one";
  PolicyConfig bad_key = policy("p", kSigning);
  bad_key.allowed_keys = {{"0x1234"}};
  EXPECT_EQ(make(list(std::move(bad_key))).error().kind, ErrorKind::config_invalid);
}

TEST(Policies, CallersWithoutATokenGetWhatTheUnauthenticatedPolicyAllows) {
  const Policies policies =
      *make(list(policy("signing-client", kSigning, {{"sign"}})), policy("", "", {{"public_keys", "sign"}}));
  EXPECT_EQ(verdict(policies, Scope::public_keys, ""), kAllowed);
  EXPECT_EQ(verdict(policies, Scope::chamber_status, ""), ErrorKind::unauthorized);
  EXPECT_EQ(verdict(policies, Scope::public_keys, bearer("wrong-token-0123456789")), ErrorKind::unauthorized)
      << "a wrong token is not the same as none";
  EXPECT_EQ(verdict(policies, Scope::public_keys, bearer(kSigning)), ErrorKind::forbidden);
  EXPECT_FALSE(policies.allow(Scope::sign, "", false)->authenticated);
}

TEST(Policies, WithoutPoliciesSigningIsOpenAndTheRestTakesTheAdminTokenFromThisMachine) {
  SystemRandom random;
  const Policies policies = *Policies::open_with_admin(SecretBytes::copy_of(kAdminToken), random);
  for (const Scope scope : kAll) {
    const bool signing = scope == Scope::sign || scope == Scope::public_keys || scope == Scope::reload;
    const ErrorKind open = signing ? kAllowed : ErrorKind::unauthorized;
    EXPECT_EQ(verdict(policies, scope, "", true), open) << name(scope);
    EXPECT_EQ(verdict(policies, scope, "", false), open) << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer("wrong-token-0123456789"), true), open) << name(scope);
    EXPECT_EQ(verdict(policies, scope, "Digest nonsense", true), open) << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer(kAdminToken), false), open) << name(scope);
    EXPECT_EQ(verdict(policies, scope, bearer(kAdminToken), true), kAllowed) << name(scope);
    EXPECT_EQ(verdict(policies, scope, basic("x", kAdminToken), true), kAllowed) << name(scope);
  }
  EXPECT_TRUE(policies.allow_signing(*policies.allow(Scope::sign, "", false), key_of(1), "BLOCK_V2").has_value());
  EXPECT_FALSE(Policies::open_with_admin(SecretBytes::copy_of("short"), random).has_value());
}

TEST(Policies, SigningIsLimitedToKeysAndOperations) {
  PolicyConfig limited = policy("limited", kSigning);
  limited.allowed_keys = {{to_0x(key_of(1)), to_hex(key_of(2))}};
  limited.allowed_operations = {{"attestation", "BLOCK_V2"}};
  const Policies policies = *make(list(std::move(limited), policy("unlimited", kOps)));
  const Caller caller = *policies.allow(Scope::sign, bearer(kSigning), false);
  EXPECT_TRUE(policies.allow_signing(caller, key_of(1), "ATTESTATION").has_value());
  EXPECT_TRUE(policies.allow_signing(caller, key_of(2), "BLOCK_V2").has_value());
  EXPECT_EQ(policies.allow_signing(caller, key_of(3), "ATTESTATION").error().kind, ErrorKind::forbidden);
  EXPECT_EQ(policies.allow_signing(caller, key_of(1), "VOLUNTARY_EXIT").error().kind, ErrorKind::forbidden);
  const Caller other = *policies.allow(Scope::sign, bearer(kOps), false);
  EXPECT_TRUE(policies.allow_signing(other, key_of(3), "VOLUNTARY_EXIT").has_value());
}

TEST(Policies, AnonymousSigningFollowsTheUnauthenticatedPolicysLimits) {
  PolicyConfig anyone = policy("", "", {{"sign"}});
  anyone.allowed_keys = {{to_0x(key_of(1))}};
  const Policies policies = *make(list(policy("p", kSigning)), std::move(anyone));
  const Caller caller = *policies.allow(Scope::sign, "", false);
  EXPECT_TRUE(policies.allow_signing(caller, key_of(1), "ATTESTATION").has_value());
  EXPECT_FALSE(policies.allow_signing(caller, key_of(2), "ATTESTATION").has_value());
}

TEST(Policies, ACallerOfNoRuleSignsNothing) {
  const Policies policies = of_the_guide();
  EXPECT_FALSE(policies.allow_signing(Caller{}, key_of(1), "ATTESTATION").has_value());
  EXPECT_FALSE(policies.allow_signing(Caller{"gone", true}, key_of(1), "ATTESTATION").has_value());
}

TEST(Authorization, GivesTheTokenOfBothSchemes) {
  const auto text = [](const SecretBytes& token) {
    const auto bytes = expose_secret_bytes(token);
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(text(*token_of("Bearer abc")), "abc");
  EXPECT_EQ(text(*token_of("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")), "open sesame") << "the example of RFC 7617";
  EXPECT_TRUE(token_of("")->empty());
  EXPECT_TRUE(token_of("Basic dXNlcjpmdXp6ZWQtdG9rZW4tMDEyMw==").has_value());
  EXPECT_FALSE(token_of("Basic dX\xb2\x93"
                        "cjpmdXp6ZWQtdG9rZW4tMDEyMw==")
                   .has_value())
      << "bytes above 0x7f are no digits, though libsodium's decoder takes some";
}

}  // namespace
}  // namespace cc::access
