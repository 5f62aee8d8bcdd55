#include "http/browser_guard.h"

#include <gtest/gtest.h>

namespace cc::http {
namespace {

struct Ask {
  std::string host = "localhost:9000";
  std::string origin{};
  std::string site{};
  bool encrypted = false;
};

bool taken(const BrowserRules& rules, const Ask& ask) {
  Request head;
  if (!ask.host.empty()) {
    head.headers["host"] = ask.host;
  }
  if (!ask.origin.empty()) {
    head.headers["origin"] = ask.origin;
  }
  if (!ask.site.empty()) {
    head.headers["sec-fetch-site"] = ask.site;
  }
  head.encrypted = ask.encrypted;
  const std::optional<Response> refusal = (*browser_guard(rules))(head);
  EXPECT_TRUE(!refusal || refusal->status == 403);
  return !refusal;
}

const BrowserRules kOpen{.open = true, .hosts = {}, .origins = {}};
const BrowserRules kGuarded{};

TEST(BrowserGuard, WithoutPoliciesOnlyNamesThatDnsCannotMoveAreTaken) {
  for (const std::string host : {"localhost", "LOCALHOST:9000", "127.0.0.1:9000", "10.1.2.3", "[::1]:9000", "signer",
                                 "web3signer:9000", "a.localhost", "localhost.", ""}) {
    EXPECT_TRUE(taken(kOpen, {.host = host})) << host;
  }
  for (const std::string host :
       {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example:9000", "evil.example.", "1.2.3", "[::1",
        "[evil.example]", "a b", "x@localhost", "localhost:x", ":9000"}) {
    EXPECT_FALSE(taken(kOpen, {.host = host})) << host;
  }
  EXPECT_TRUE(taken(kOpen, {.host = "signer.example", .encrypted = true}));
  EXPECT_TRUE(taken(kGuarded, {.host = "signer.example"}));
}

TEST(BrowserGuard, AListTakesItsNamesAndNoOthers) {
  for (const bool open : {false, true}) {
    const BrowserRules rules{.open = open, .hosts = {"Signer.example", "127.0.0.1"}, .origins = {}};
    EXPECT_TRUE(taken(rules, {.host = "signer.EXAMPLE:9000"}));
    EXPECT_TRUE(taken(rules, {.host = "127.0.0.1"}));
    EXPECT_FALSE(taken(rules, {.host = "localhost"}));
    EXPECT_FALSE(taken(rules, {.host = "signer.example.evil.example"}));
    EXPECT_FALSE(taken(rules, {.host = "signer.examples", .encrypted = true}));
    EXPECT_FALSE(taken(rules, {.host = ""}));
    EXPECT_TRUE(taken({.open = open, .hosts = {"*"}, .origins = {}}, {.host = "anything.example"}));
  }
}

TEST(BrowserGuard, PagesOfOtherOriginsAreRefusedWithAndWithoutPolicies) {
  for (const BrowserRules& rules : {kOpen, kGuarded}) {
    EXPECT_TRUE(taken(rules, {.origin = "http://localhost:9000"}));
    EXPECT_FALSE(taken(rules, {.origin = "http://localhost:8080"}));
    EXPECT_FALSE(taken(rules, {.origin = "https://evil.example"}));
    EXPECT_FALSE(taken(rules, {.origin = "null"}));
    EXPECT_FALSE(taken(rules, {.origin = "://"}));
    EXPECT_FALSE(taken(rules, {.site = "cross-site"}));
    EXPECT_FALSE(taken(rules, {.site = "same-site"}));
    EXPECT_TRUE(taken(rules, {.site = "same-origin"}));
    EXPECT_TRUE(taken(rules, {.site = "none"}));
  }
  const BrowserRules listed{.open = true, .hosts = {}, .origins = {"https://UI.example"}};
  EXPECT_TRUE(taken(listed, {.origin = "https://ui.example", .site = "cross-site"}));
  EXPECT_FALSE(taken(listed, {.origin = "https://ui.example.evil.example"}));
  // A rebound name is its own origin; Host gives it away.
  EXPECT_FALSE(
      taken(kOpen, {.host = "evil.example:9000", .origin = "http://evil.example:9000", .site = "same-origin"}));
}

TEST(BrowserGuard, HostNamesAreReadStrictly) {
  EXPECT_EQ(host_name("Signer.Example.:9443"), "signer.example");
  EXPECT_EQ(host_name("[2001:DB8::1]:1"), "[2001:db8::1]");
  for (const std::string bad :
       {"", ".", "a:", "a:1234567", "a:1:2", "[::1]x", "[]", "a/b", "a\tb", "\xc3\xa4.example"}) {
    EXPECT_FALSE(host_name(bad)) << bad;
  }
  EXPECT_FALSE(host_name(std::string(254, 'a')));
  EXPECT_FALSE(host_name(std::string("[::1\0]", 6)));
}

}  // namespace
}  // namespace cc::http
