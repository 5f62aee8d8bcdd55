// Putting the sources together, and what depends on more than one value.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/config_table.h"
#include "app/slashing_backend.h"
#include "base/bytes.h"
#include "base/chain.h"
#include "http/listen_address.h"

namespace cc::app {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t kMaxFileBytes = 1024UL * 1024;

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) {
    return fail(ErrorKind::config_invalid, "the configuration file " + path + " cannot be read: " + error.message());
  }
  if (size > kMaxFileBytes) {
    return fail(ErrorKind::config_invalid, "the configuration file " + path + " is larger than 1 MiB");
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(size == 0 || text << in.rdbuf())) {
    return fail(ErrorKind::config_invalid, "the configuration file " + path + " cannot be read");
  }
  return std::move(text).str();
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// Paths not given lie below the data directory; all are made absolute, so that a later change of folder moves nothing.
Result<void> settle_paths(Config& config, const Environment& environment) {
  if (config.data_dir.empty()) {
    config.data_dir = default_data_dir(environment);
  }
  const auto below = [&config](std::string& path, const char* name) {
    path = path.empty() ? (fs::path(config.data_dir) / name).string() : path;
  };
  below(config.signer_state.path, "state.sqlite");
  below(config.sealed_keys_path, "keys.sqlite");
  below(config.anti_slashing.path, "slashing.sqlite");
  below(config.kek_local_dir, "kek");
  below(config.key_files.cache_path, "keystore-cache");
  std::vector<std::string*> paths{&config.data_dir,
                                  &config.signer_state.path,
                                  &config.sealed_keys_path,
                                  &config.anti_slashing.path,
                                  &config.kek_local_dir,
                                  &config.setup_token_file,
                                  &config.key_files.keystores_path,
                                  &config.key_files.keystores_passwords_path,
                                  &config.key_files.keystores_password_file,
                                  &config.key_files.cache_path,
                                  &config.tls.file.cert_path,
                                  &config.tls.file.key_path,
                                  &config.tls.client.ca_path,
                                  &config.tls.client.known_clients_path};
  for (std::string& folder : config.key_files.paths) {
    paths.push_back(&folder);
  }
  for (std::string* path : paths) {
    std::error_code error;
    if (!path->empty()) {
      *path = fs::absolute(*path, error).lexically_normal().string();
    }
    if (error) {
      return fail(ErrorKind::config_invalid, "the path " + *path + " cannot be resolved: " + error.message());
    }
  }
  return {};
}

Result<void> check_tls(const TlsConfig& tls) {
  if (tls.enabled() && (tls.file.cert_path.empty() || tls.file.key_path.empty())) {
    return fail(ErrorKind::config_invalid, "tls.mode: file needs tls.file.cert_path and tls.file.key_path");
  }
  const bool names_clients =
      !tls.client.ca_path.empty() || !tls.client.known_clients_path.empty() || !tls.client.allowed.empty();
  if (tls.client.mode == "none" && names_clients) {
    return fail(ErrorKind::config_invalid,
                "tls.client names clients, but tls.client.mode is none and would let everybody in: say required (or "
                "optional)");
  }
  if (!tls.client.allowed.empty() && tls.client.ca_path.empty()) {
    return fail(ErrorKind::config_invalid,
                "tls.client.allowed needs tls.client.ca_path, whose authorities vouch for "
                "those names");
  }
  return {};
}

// `key`: of the configuration, for the error.
Result<void> check_address(const char* key, const std::string& address) {
  const Result<void> checked = http::check_listen_address(address);
  return checked ? checked : fail(ErrorKind::config_invalid, std::string(key) + ": " + checked.error().message);
}

Result<void> check_together(const Config& config) {
  CC_TRY(check_address("server.listen_address", config.server.listen_address));
  CC_TRY(check_address("metrics.listen_address", config.metrics.listen_address));
  if (!config.tls.listen_address.empty()) {
    CC_TRY(check_address("tls.listen_address", config.tls.listen_address));
  }
  CC_TRY(check_tls(config.tls));
  CC_TRY(check_dynamodb(config));
  for (const std::string& text : config.canary_keys) {
    BlsPublicKey key{};
    if (!from_hex_exact(text, key)) {
      return fail(ErrorKind::config_invalid,
                  "signing.canary_keys must hold public keys of 48 bytes (0x and 96 hexadecimal digits)");
    }
  }
  if (!config.network_genesis_root.empty()) {
    Root root{};
    if (!from_hex_exact(config.network_genesis_root, root)) {
      return fail(ErrorKind::config_invalid, "network_genesis_root must be 0x and 64 hexadecimal digits");
    }
  }
  const Config::KeyFiles& files = config.key_files;
  const bool passwords = files.keystores_passwords_path.empty() != files.keystores_password_file.empty();
  const bool none = files.keystores_passwords_path.empty() && files.keystores_password_file.empty();
  if (files.keystores_path.empty() ? !none : !passwords) {
    return fail(ErrorKind::config_invalid,
                "key_sources.filesystem: keystores_path needs one of keystores_passwords_path and "
                "keystores_password_file, and these need it");
  }
  // Without this list nothing would be limited, and callers without a token could seal or import.
  if (config.unauthenticated_policy && !config.unauthenticated_policy->allowed_scopes) {
    return fail(ErrorKind::config_invalid,
                "unauthenticated_policy needs allowed_scopes: name what callers without a token may do");
  }
  for (const auto& [name, policy] : config.auth_policies) {
    if (policy.token.empty()) {
      return fail(ErrorKind::config_invalid,
                  "auth_policies." + name + " needs a token (16 characters or more, or env:NAME)");
    }
  }
  return {};
}

}  // namespace

std::string default_data_dir(const Environment& environment) {
  // systemd lists several state directories with colons; the first is ours.
  const std::string state = variable(environment, "STATE_DIRECTORY");
  if (state.starts_with('/')) {
    return state.substr(0, state.find(':'));
  }
  const std::string data_home = variable(environment, "XDG_DATA_HOME");
  if (data_home.starts_with('/')) {
    return (fs::path(data_home) / "containment-chamber").string();
  }
  const std::string home = variable(environment, "HOME");
  if (home.starts_with('/') && home != "/") {
    return (fs::path(home) / ".local/share/containment-chamber").string();
  }
  return "/var/lib/containment-chamber";
}

Result<Config> load_config(const ConfigSources& sources) {
  Config config;
  CC_TRY(apply_defaults(config));
  if (sources.file) {
    config.file = *sources.file;
    CC_ASSIGN(std::string text, read_file(*sources.file));
    const auto applied = apply_yaml(config, text, *sources.file);
    wipe(text);
    CC_TRY(applied);
  }
  CC_TRY(apply_environment(config, sources.environment));
  CC_TRY(apply_flags(config, sources.flags));
  CC_TRY(settle_paths(config, sources.environment));
  for (auto& [name, policy] : config.auth_policies) {
    policy.name = name;
  }
  CC_TRY(check_together(config));
  return config;
}

Result<SecretBytes> resolve_secret(std::string_view text, const Environment& environment, std::string_view where) {
  constexpr std::string_view kPrefix = "env:";
  if (!text.starts_with(kPrefix)) {
    return SecretBytes::copy_of(text);
  }
  const std::string name(text.substr(kPrefix.size()));
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) {
    return fail(ErrorKind::config_invalid, std::string(where) + " takes its value from the environment variable " +
                                               name + ", which is " +
                                               (found == environment.end() ? "not set" : "empty"));
  }
  return SecretBytes::copy_of(std::string_view(found->second));
}

Result<void> resolve_secrets(Config& config, const Environment& environment) {
  CC_TRY(resolve_database_secrets(config, environment));
  for (auto& [name, policy] : config.auth_policies) {
    const auto raw = expose_secret_bytes(std::as_const(policy.token));
    const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
    CC_ASSIGN(SecretBytes value, resolve_secret(text, environment, "auth_policies." + name + ".token"));
    policy.token = std::move(value);
  }
  const auto raw = expose_secret_bytes(std::as_const(config.tls.file.key_password));
  const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
  CC_ASSIGN(config.tls.file.key_password, resolve_secret(text, environment, "tls.file.key_password"));
  return {};
}

}  // namespace cc::app
