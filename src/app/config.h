// The configuration: one typed struct, filled from a YAML file, then the environment, then flags (later wins).
//
// Every key has one definition, in config_table.cc: path, type, default, range, help. Parsing, --help and
// docs/reference/configuration.md all read that table. Without any source the defaults make a working signer.
//
// Secrets: policy tokens, in locked memory. They stay as written (`env:NAME`) until resolve_secrets().
// Errors are config_invalid; each names its place (file:line:column, variable or flag) and the nearest known key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "access/policies.h"
#include "adapters/postgres/options.h"
#include "app/config_dynamodb.h"
#include "app/config_tls.h"
#include "base/log.h"
#include "base/result.h"

namespace cc::app {

using Environment = std::map<std::string, std::string>;

struct Config {
  std::string file;  // it was read from; empty when there was none
  // What one kind of change to the keys may cost.
  struct KeyWork {
    std::uint64_t max_items = 0, timeout_seconds = 0;
  };
  struct Server {
    std::string listen_address;
    std::uint64_t listen_port = 0;
    bool allow_plaintext_ceremonies = false;
    std::uint64_t max_connections = 0, max_in_flight = 0;
    std::uint64_t header_timeout_seconds = 0, body_timeout_seconds = 0, idle_timeout_seconds = 0,
                  reply_timeout_seconds = 0, drain_timeout_seconds = 0;
  } server;
  struct Metrics {
    bool enabled = true;
    std::string listen_address;
    std::uint64_t listen_port = 0;
  } metrics;
  TlsConfig tls;
  HttpConfig http;
  std::string network;
  std::string network_genesis_root;  // "" or 0x + 64 hexadecimal digits
  std::string data_dir;              // absolute once loaded
  std::string setup_token_file;
  struct SignerState {
    std::string backend, path;
    std::uint64_t unseal_timeout_minutes = 0, refresh_interval_seconds = 0, max_stale_seconds = 0;
  } signer_state;
  std::string sealed_keys_path;
  struct KeyFiles {
    std::vector<std::string> paths;  // folders of descriptors
    std::string keystores_path, keystores_passwords_path, keystores_password_file;
    std::uint64_t load_concurrency = 0;
    bool cache = false;
    std::string cache_path;
  } key_files;
  struct AntiSlashing {
    std::string backend, path, strategy;
    bool require_history = false;
    bool pruning = false;
    std::uint64_t keep_epochs = 0, pruning_interval_minutes = 0;
    postgres::Settings postgres;
  } anti_slashing;
  struct Chamber {
    bool generate = true, import = true, lifecycle = true;
    KeyWork generate_work, import_work, lifecycle_work;
    std::vector<std::string> allowed_keks;
    std::string rotation_approval;
    std::uint64_t drill_valid_days = 90;
  } chamber;
  struct KeyManagerApi {
    bool enabled = false;
    KeyWork work;
  } key_manager_api;
  DynamoConfig dynamodb;
  std::string kek_local_dir;
  struct Aws {
    std::string profile, region, kms_endpoint, sts_endpoint;
    std::uint64_t call_timeout_seconds = 0;
  } aws;
  std::map<std::string, access::PolicyConfig> auth_policies;
  std::optional<access::PolicyConfig> unauthenticated_policy;
  std::string memory_lock;
  std::string log_level, log_format, access_level;
  std::uint64_t signing_workers = 0, signing_queue_limit = 0;
  std::vector<std::string> canary_keys;
  std::string signing_same_message, signing_vector_kernel;
  std::set<std::string> given;  // paths of the table that some source set
};

struct FlagValue {
  std::string path;  // of the table, e.g. "server.listen_port"
  std::string text;
};

struct ConfigSources {
  std::optional<std::string> file;
  Environment environment;
  std::vector<FlagValue> flags;
};

// Reads all sources, checks every value and fills in the paths below the data directory.
Result<Config> load_config(const ConfigSources& sources);
// Replaces `env:NAME` in every secret by the variable's value; a missing or empty variable is an error.
Result<void> resolve_secrets(Config& config, const Environment& environment);
// The process's own environment.
Environment process_environment();

// What `env:NAME` means wherever a secret is taken: any other text stands for itself. `where` names it in the error.
Result<SecretBytes> resolve_secret(std::string_view text, const Environment& environment, std::string_view where);

// Where the data lies when data_dir says nothing: $STATE_DIRECTORY (systemd), $XDG_DATA_HOME/containment-chamber,
// $HOME/.local/share/containment-chamber, else /var/lib/containment-chamber.
std::string default_data_dir(const Environment& environment);

// docs/reference/configuration.md, from the table.
std::string config_reference();

}  // namespace cc::app
