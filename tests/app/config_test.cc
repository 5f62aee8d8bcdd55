#include "app/config.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "adapters/dynamodb/permissions.h"
#include "app/cautions.h"
#include "app/config_table.h"
#include "app/iam_reference.h"
#include "app/nearest.h"

namespace cc::app {
namespace {

namespace fs = std::filesystem;

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() / ("cc-config-" + std::to_string(::getpid()) + "-" +
                                         testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { fs::remove(path_); }

  Result<Config> load(const std::string& yaml, Environment environment = {}, std::vector<FlagValue> flags = {}) {
    std::ofstream(path_) << yaml;
    return load_config({path_.string(), std::move(environment), std::move(flags)});
  }
  std::string message(const std::string& yaml, Environment environment = {}) {
    const auto loaded = load(yaml, std::move(environment));
    EXPECT_FALSE(loaded);
    if (loaded) {
      return {};
    }
    EXPECT_EQ(loaded.error().kind, ErrorKind::config_invalid);
    return loaded.error().message;
  }
  fs::path path_;
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Config, WorksWithoutAnySource) {
  const auto config = load_config({std::nullopt, {{"HOME", "/home/someone"}}, {}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.listen_address, "127.0.0.1");
  EXPECT_EQ(config->server.listen_port, 9000U);
  EXPECT_EQ(config->metrics.listen_address, "127.0.0.1");
  EXPECT_EQ(config->metrics.listen_port, 3000U);
  EXPECT_EQ(config->network, "mainnet");
  EXPECT_EQ(config->data_dir, "/home/someone/.local/share/containment-chamber");
  EXPECT_EQ(config->anti_slashing.path, "/home/someone/.local/share/containment-chamber/slashing.sqlite");
  EXPECT_EQ(config->anti_slashing.strategy, "complete");
  EXPECT_FALSE(config->anti_slashing.require_history);
  EXPECT_TRUE(config->chamber.generate && config->chamber.import && config->chamber.lifecycle);
  EXPECT_EQ(config->signer_state.unseal_timeout_minutes, 30U);
  EXPECT_TRUE(config->auth_policies.empty());
  EXPECT_FALSE(config->unauthenticated_policy);
  EXPECT_TRUE(config->given.empty());
}

TEST(Config, FindsTheDataDirectoryInTheOrderDocumented) {
  EXPECT_EQ(default_data_dir({{"STATE_DIRECTORY", "/var/lib/a:/var/lib/b"}, {"HOME", "/h"}}), "/var/lib/a");
  EXPECT_EQ(default_data_dir({{"XDG_DATA_HOME", "/data"}, {"HOME", "/h"}}), "/data/containment-chamber");
  EXPECT_EQ(default_data_dir({{"XDG_DATA_HOME", "relative"}, {"HOME", "/h"}}), "/h/.local/share/containment-chamber");
  EXPECT_EQ(default_data_dir({}), "/var/lib/containment-chamber");
}

TEST_F(ConfigFile, LaterSourcesWin) {
  const std::string yaml = "server:\n  listen_port: 1\n";
  EXPECT_EQ(load(yaml)->server.listen_port, 1U);
  EXPECT_EQ(load(yaml, {{"CONTAINMENT_SERVER__LISTEN_PORT", "2"}})->server.listen_port, 2U);
  EXPECT_EQ(load(yaml, {{"CONTAINMENT_SERVER__LISTEN_PORT", "2"}}, {{"server.listen_port", "3"}})->server.listen_port,
            3U);
}

TEST_F(ConfigFile, AnAddressThatIsNoneIsRefusedByItsKey) {
  EXPECT_TRUE(load("server:\n  listen_address: unix:/run/cc.sock\nmetrics:\n  listen_address: '::1'\n"));
  EXPECT_TRUE(holds(message("server:\n  listen_address: 127.0.0.1.9\n"), "server.listen_address: \"127.0.0.1.9\""));
  EXPECT_TRUE(holds(message("metrics:\n  listen_address: localhost\n"), "metrics.listen_address"));
  EXPECT_TRUE(holds(message("tls:\n  listen_address: 'unix:'\n"), "tls.listen_address"));
}

TEST_F(ConfigFile, CautionsNameWhatHadBetterNotBe) {
  const auto told = [this](const std::string& yaml) {
    std::string out;
    for (const std::string& caution : cautions(load(yaml).value())) {
      out.append(caution).append("\n");
    }
    return out;
  };
  const std::string policy = "auth_policies:\n  vc:\n    token: ";
  EXPECT_EQ(told("data_dir: /nowhere\n"), "");
  EXPECT_TRUE(holds(told("server:\n  listen_address: 0.0.0.0\n"), "may sign without a token"));
  EXPECT_TRUE(holds(told("server:\n  listen_address: 0.0.0.0\nunauthenticated_policy:\n  allowed_scopes: [sign]\n"),
                    "may sign without a token"));
  EXPECT_EQ(told("server:\n  listen_address: 127.0.0.9\n" + policy + "env:T\n"), "");
  EXPECT_TRUE(holds(told("server:\n  listen_address: 10.0.0.9\n" + policy + "env:T\n"), "unencrypted to 10.0.0.9"));
  fs::permissions(path_, fs::perms::others_read, fs::perm_options::add);
  EXPECT_TRUE(holds(told(policy + "a-token-of-16-chars\n"), "other users of this machine can read it"));
  fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(told(policy + "a-token-of-16-chars\n"), "");
  EXPECT_TRUE(holds(told("key_sources:\n  filesystem:\n    paths: [/nowhere/keys]\n"), "/nowhere/keys"));
}

TEST_F(ConfigFile, AnUnknownKeyIsRefusedWithPlaceAndNearestKey) {
  const std::string text = message("server:\n  listen_port: 1\n  listen_adress: 127.0.0.1\n");
  EXPECT_TRUE(holds(text, ":3:3: ")) << text;
  EXPECT_TRUE(holds(text, "server.listen_adress")) << text;
  EXPECT_TRUE(holds(text, "server.listen_address")) << text;
  EXPECT_TRUE(holds(message("sever:\n  listen_port: 1\n"), "the nearest known one is server"));
  EXPECT_TRUE(holds(message("auth_policies:\n  ops:\n    tokne: x\n"), "auth_policies.ops.token"));
}

TEST_F(ConfigFile, ADuplicateKeyIsRefused) {
  const std::string text = message("server:\n  listen_port: 1\n  listen_port: 2\n");
  EXPECT_TRUE(holds(text, ":3:3: server.listen_port is given twice")) << text;
  EXPECT_TRUE(holds(message("network: mainnet\nserver:\nnetwork: hoodi\n"), ":3:1: network is given twice"));
  EXPECT_TRUE(holds(message("signer_state:\n  unseal_timeout_minutes: 1\n"
                            "key_sources:\n  dynamodb:\n    unseal_timeout_minutes: 2\n"),
                    "given twice, once under an old spelling"));
}

TEST_F(ConfigFile, AWrongTypeIsRefusedWithItsPlace) {
  EXPECT_TRUE(holds(message("server:\n  listen_port: many\n"), ":2:16: server.listen_port must be a whole number"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: \"9000\"\n"), "without quotes"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: 010\n"), "leading zeros"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: -1\n"), "whole number"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: 1e3\n"), "whole number"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: 65536\n"), "between 0 and 65535"));
  EXPECT_TRUE(holds(message("server:\n  max_in_flight: 99999999999999999999999\n"), "between 1 and"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: [1]\n"), "one value, not a list"));
  EXPECT_TRUE(holds(message("server:\n  listen_port:\n"), "has no value"));
  EXPECT_TRUE(holds(message("server:\n  listen_port: {a: 1}\n"), "takes no keys"));
  EXPECT_TRUE(holds(message("server: 3\n"), "must be a section"));
  EXPECT_TRUE(holds(message("metrics:\n  enabled: yes\n"), "true or false"));
  EXPECT_TRUE(holds(message("chamber:\n  allowed_keks: local://a\n"), "must be a list"));
  EXPECT_TRUE(holds(message("anti_slashing:\n  strategy: none\n"), "complete, minimal"));
  EXPECT_TRUE(holds(message("anti_slashing:\n  backend: noop\n"), "one of: sqlite"));
  EXPECT_TRUE(holds(message("network_genesis_root: 0x12\n"), "64 hexadecimal digits"));
}

TEST_F(ConfigFile, BrokenYamlIsRefusedWithItsPlace) {
  EXPECT_TRUE(holds(message("server: [1\n"), ":2:1: "));
  EXPECT_TRUE(holds(message("a: 1\n---\nb: 2\n"), "more than one YAML document"));
  EXPECT_TRUE(holds(message(std::string(20'000, '[')), path_.string()));
  EXPECT_TRUE(holds(message("? [a, b]\n: 1\n"), "a key must be one word"));
  EXPECT_TRUE(holds(message("just text\n"), "must be a section"));
}

TEST_F(ConfigFile, AnEmptyFileAndEmptySectionsMeanTheDefaults) {
  EXPECT_EQ(load("")->server.listen_port, 9000U);
  EXPECT_EQ(load("# nothing\n")->server.listen_port, 9000U);
  EXPECT_EQ(load("server:\nmetrics: {}\n")->server.listen_port, 9000U);
}

TEST_F(ConfigFile, OldSpellingsAreAccepted) {
  const auto config = load(
      "antislashing:\n  strategy: minimal\n"
      "key_sources:\n  dynamodb:\n    unseal_timeout_minutes: 7\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->anti_slashing.strategy, "minimal");
  EXPECT_EQ(config->signer_state.unseal_timeout_minutes, 7U);
  EXPECT_EQ(load("", {{"CONTAINMENT_ANTISLASHING__STRATEGY", "minimal"}})->anti_slashing.strategy, "minimal");
}

TEST_F(ConfigFile, AnUnknownVariableIsRefusedWithTheNearest) {
  const std::string text = message("", {{"CONTAINMENT_SERVER__LISTEN_PROT", "1"}});
  EXPECT_TRUE(holds(text, "CONTAINMENT_SERVER__LISTEN_PROT")) << text;
  EXPECT_TRUE(holds(text, "CONTAINMENT_SERVER__LISTEN_PORT")) << text;
  EXPECT_TRUE(holds(message("", {{"CONTAINMENT_METRICS__ENABLED", "maybe"}}), "environment variable"));
}

TEST_F(ConfigFile, VariablesOfAKubernetesServiceArePassedOver) {
  EXPECT_TRUE(load("", {{"CONTAINMENT_CHAMBER_SERVICE_HOST", "10.0.0.1"},
                        {"CONTAINMENT_CHAMBER_PORT_9000_TCP", "tcp://10.0.0.1:9000"},
                        {"CONTAINMENT_CHAMBER_METRICS_SERVICE_PORT", "3000"},
                        {"OTHER", "x"}}));
  EXPECT_FALSE(load("", {{"CONTAINMENT_CHAMBER__SERVICE_HOST", "10.0.0.1"}}));
}

TEST_F(ConfigFile, PoliciesAreReadAndAVariableReachesOneWithDashes) {
  const auto config = load(
      "auth_policies:\n"
      "  ops-team:\n    token: \"env:OPS\"\n    allowed_scopes:\n    - chamber_seal\n    - chamber_status\n"
      "  client:\n    token: abcdefghijklmnopqrst\n    denied_scopes: [reload]\n"
      "unauthenticated_policy:\n  allowed_scopes: [public_keys]\n",
      {{"CONTAINMENT_AUTH_POLICIES__OPS_TEAM__ALLOWED_SCOPES", "chamber_rotate, chamber_seal"}});
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->auth_policies.size(), 2U);
  EXPECT_EQ(config->auth_policies.at("ops-team").allowed_scopes, (TextList{"chamber_rotate", "chamber_seal"}));
  EXPECT_EQ(config->auth_policies.at("ops-team").name, "ops-team");
  EXPECT_FALSE(config->auth_policies.at("client").allowed_scopes);
  EXPECT_EQ(config->auth_policies.at("client").denied_scopes, TextList{"reload"});
  EXPECT_EQ(config->unauthenticated_policy->allowed_scopes, TextList{"public_keys"});
}

TEST_F(ConfigFile, AnEmptyAllowedListAllowsNothing) {
  const auto config = load("auth_policies:\n  a:\n    token: abcdefghijklmnopqrst\n    allowed_scopes: []\n");
  ASSERT_TRUE(config);
  ASSERT_TRUE(config->auth_policies.at("a").allowed_scopes);
  EXPECT_TRUE(config->auth_policies.at("a").allowed_scopes->empty());
}

TEST_F(ConfigFile, APolicyWithoutTokenIsRefused) {
  EXPECT_TRUE(holds(message("auth_policies:\n  a:\n    allowed_scopes: [sign]\n"), "auth_policies.a needs a token"));
  EXPECT_TRUE(holds(message("auth_policies:\n  a:\n"), "auth_policies.a needs a token"));
}

TEST_F(ConfigFile, CallersWithoutATokenGetNothingThatIsNotNamed) {
  EXPECT_TRUE(holds(message("unauthenticated_policy:\n  denied_scopes: [sign]\n"), "needs allowed_scopes"));
  EXPECT_FALSE(load("unauthenticated_policy:\n")->unauthenticated_policy);
}

TEST_F(ConfigFile, SecretsComeFromTheEnvironmentOrStandForThemselves) {
  const std::string yaml = "auth_policies:\n  a:\n    token: \"env:T\"\n  b:\n    token: literal-token-of-b\n";
  auto config = load(yaml);
  ASSERT_TRUE(config);
  const auto missing = resolve_secrets(*config, {});
  ASSERT_FALSE(missing);
  EXPECT_TRUE(holds(missing.error().message, "auth_policies.a.token")) << missing.error().message;
  EXPECT_TRUE(holds(missing.error().message, "variable T, which is not set")) << missing.error().message;
  EXPECT_FALSE(resolve_secrets(*config, {{"T", ""}}));
  ASSERT_TRUE(resolve_secrets(*config, {{"T", "the-value-of-t-1234"}}));
  EXPECT_EQ(config->auth_policies.at("a").token, SecretBytes::copy_of("the-value-of-t-1234"));
  EXPECT_EQ(config->auth_policies.at("b").token, SecretBytes::copy_of("literal-token-of-b"));
}

TEST_F(ConfigFile, NoErrorRepeatsASecret) {
  EXPECT_FALSE(holds(message("auth_policies:\n  a:\n    token: [super-secret-word]\n"), "super-secret-word"));
}

TEST_F(ConfigFile, RustLogIsAnAliasThatOurOwnVariableBeats) {
  EXPECT_EQ(load("", {{"RUST_LOG", "containment_chamber=debug"}})->log_level, "debug");
  EXPECT_EQ(load("", {{"RUST_LOG", "debug"}, {"CONTAINMENT_LOG__LEVEL", "warn"}})->log_level, "warn");
}

TEST_F(ConfigFile, PathsBecomeAbsolute) {
  const auto config = load("data_dir: relative/dir\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data_dir, (fs::current_path() / "relative/dir").string());
  EXPECT_EQ(config->kek_local_dir, (fs::current_path() / "relative/dir/kek").string());
}

TEST(Config, AMissingFileIsNamed) {
  const auto config = load_config({"/nonexistent/config.yaml", {}, {}});
  ASSERT_FALSE(config);
  EXPECT_TRUE(holds(config.error().message, "/nonexistent/config.yaml"));
}

TEST(ConfigTable, EveryKeyIsFoundByItsPathItsVariableAndItsOldSpellings) {
  for (const ConfigKey& key : config_table()) {
    const auto found = find_key(split_path(key.path));
    ASSERT_TRUE(found) << key.path;
    EXPECT_EQ(found->key, &key);
    EXPECT_FALSE(is_section(split_path(key.path))) << key.path;
    EXPECT_FALSE(key.help.empty()) << key.path;
    for (const auto spelling : key.old_paths()) {
      EXPECT_EQ(find_key(split_path(spelling))->key, &key) << spelling;
    }
    EXPECT_TRUE(key.variable().starts_with("CONTAINMENT_"));
  }
}

TEST(ConfigTable, TheReferencePageIsWhatTheProgramPrints) {
  std::ifstream in(fs::path(CC_SOURCE_DIR) / "docs/reference/configuration.md");
  std::stringstream page;
  page << in.rdbuf();
  EXPECT_EQ(page.str(), config_reference())
      << "run: containment-chamber config reference > docs/reference/configuration.md";
}

TEST(ConfigTable, ThePageOfIamPermissionsIsWhatTheProgramPrints) {
  std::ifstream in(fs::path(CC_SOURCE_DIR) / "docs/reference/aws-iam.md");
  std::stringstream page;
  page << in.rdbuf();
  EXPECT_EQ(page.str(), iam_reference()) << "run: containment-chamber config iam > docs/reference/aws-iam.md";
}

template <std::size_t N>
std::string as_list(const std::array<std::string_view, N>& actions) {
  std::string out;
  for (const std::string_view action : actions) {
    out.append(out.empty() ? "[\"" : ", \"").append(action).append("\"");
  }
  return out + "]";
}

TEST(ConfigTable, TheTerraformModuleAllowsWhatThePageSays) {
  std::ifstream in(fs::path(CC_SOURCE_DIR) / "infra/terraform/iam.tf");
  std::stringstream text;
  text << in.rdbuf();
  const std::string module = text.str();
  for (const std::string& list : {as_list(dynamodb::kStatePermissions), as_list(dynamodb::kKeysPermissions),
                                  as_list(dynamodb::kSlashingPermissions)}) {
    EXPECT_TRUE(holds(module, "actions   = " + list + "\n")) << list;
  }
  EXPECT_TRUE(holds(module, R"(["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"])"));
}

TEST_F(ConfigFile, StoresInDynamoDbMustFitTogether) {
  const std::string state = "signer_state: {backend: dynamodb, table: state-table}\n";
  const std::string keys = "key_sources: {dynamodb: {table: keys-table}}\n";
  const std::string slashing = "anti_slashing: {backend: dynamodb, table: slashing-table}\n";
  EXPECT_TRUE(load(state + keys + slashing));
  EXPECT_TRUE(load(slashing));
  EXPECT_TRUE(load(state + keys + "anti_slashing: {backend: postgres, postgres: {host: h, database: d, user: u}}\n"));
  EXPECT_TRUE(holds(message("anti_slashing: {backend: dynamodb}"), "needs anti_slashing.dynamodb.table"));
  EXPECT_TRUE(holds(message("signer_state: {backend: dynamodb}"), "needs signer_state.table"));
  EXPECT_TRUE(holds(message(keys), "belong together"));
  EXPECT_TRUE(holds(message(state + slashing), "belong together"));
  EXPECT_TRUE(holds(message(state + keys), "a SQLite history knows only what this one signed"));
  EXPECT_TRUE(holds(message(slashing + state + "key_sources: {dynamodb: {table: state-table}}\n"), "named twice"));
  EXPECT_TRUE(holds(message(slashing + state + "key_sources: {dynamodb: {table: keys, status_filter: [inactive]}}\n"),
                    "status_filter must be"));
}

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("abcd", "abdc"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  const std::vector<std::string> words{"seal", "unseal", "status"};
  EXPECT_EQ(nearest("sael", words), "seal");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace cc::app
