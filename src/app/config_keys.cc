// The rows of the configuration table.
#include <algorithm>
#include <iterator>

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

constexpr std::uint64_t kDay = 86'400;
constexpr std::uint64_t kWeekInMinutes = 10'080;

std::vector<ConfigKey> network_keys() {
  return {
      {.path = "server.listen_address",
       .slot = CC_AT(std::string, server.listen_address),
       .standard = "127.0.0.1",
       .help = "Address of the API listener. Anything but loopback needs a private network or a TLS proxy in front."},
      {.path = "server.listen_port",
       .slot = CC_AT(std::uint64_t, server.listen_port),
       .standard = "9000",
       .help = "Port of the API listener; 0 takes any free port and logs it.",
       .maximum = 65535},
      {.path = "server.allow_plaintext_ceremonies",
       .slot = CC_AT(bool, server.allow_plaintext_ceremonies),
       .standard = "false",
       .help = "Takes passphrases, setup and registration tokens over plain HTTP from other machines too."},
      {.path = "server.max_connections",
       .slot = CC_AT(std::uint64_t, server.max_connections),
       .standard = "4096",
       .help = "Connections held open at once.",
       .minimum = 1,
       .maximum = 1'000'000},
      {.path = "server.max_in_flight",
       .slot = CC_AT(std::uint64_t, server.max_in_flight),
       .standard = "4096",
       .help = "Requests answered at once; more get 503 with Retry-After.",
       .minimum = 1,
       .maximum = 1'000'000},
      {.path = "server.header_timeout_seconds",
       .slot = CC_AT(std::uint64_t, server.header_timeout_seconds),
       .standard = "10",
       .help = "From the first byte of a request to the end of its head.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "server.body_timeout_seconds",
       .slot = CC_AT(std::uint64_t, server.body_timeout_seconds),
       .standard = "30",
       .help = "From the end of the head to the end of the body.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "server.idle_timeout_seconds",
       .slot = CC_AT(std::uint64_t, server.idle_timeout_seconds),
       .standard = "75",
       .help = "How long a kept-alive connection may be silent.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "server.reply_timeout_seconds",
       .slot = CC_AT(std::uint64_t, server.reply_timeout_seconds),
       .standard = "30",
       .help = "A request without an answer by then gets 503.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "server.drain_timeout_seconds",
       .slot = CC_AT(std::uint64_t, server.drain_timeout_seconds),
       .standard = "10",
       .help = "On SIGTERM: how long requests under way may take to finish.",
       .maximum = 600},
      {.path = "metrics.enabled",
       .slot = CC_AT(bool, metrics.enabled),
       .standard = "true",
       .help = "Serves GET /metrics on a listener of its own."},
      {.path = "metrics.listen_address",
       .slot = CC_AT(std::string, metrics.listen_address),
       .standard = "127.0.0.1",
       .help = "Address of the metrics listener."},
      {.path = "metrics.listen_port",
       .slot = CC_AT(std::uint64_t, metrics.listen_port),
       .standard = "3000",
       .help = "Port of the metrics listener; 0 takes any free port and logs it.",
       .maximum = 65535},
  };
}

std::vector<ConfigKey> chain_and_store_keys() {
  return {
      {.path = "network",
       .slot = CC_AT(std::string, network),
       .standard = "mainnet",
       .help = "Name of a public Ethereum network, or the path of a consensus-layer config.yaml."},
      {.path = "network_genesis_root",
       .slot = CC_AT(std::string, network_genesis_root),
       .standard = "",
       .help = "The genesis validators root every message must carry (0x and 64 digits).",
       .standard_note = "the network's own when `network` names a public one, else the first root signed"},
      {.path = "data_dir",
       .slot = CC_AT(std::string, data_dir),
       .standard = "",
       .help = "Where everything lives that has no path of its own. One server per data directory.",
       .standard_note = "below the user's data home; for a service /var/lib/containment-chamber"},
      {.path = "setup_token_file",
       .slot = CC_AT(std::string, setup_token_file),
       .standard = "",
       .help = "Writes the one-time setup token to this file (mode 0600) in place of the log.",
       .standard_note = "the log"},
      {.path = "signer_state.backend",
       .slot = CC_AT(std::string, signer_state.backend),
       .standard = "sqlite",
       .help = "Where the seal record lies: a file of this signer, or a table that replicas share.",
       .choices_list = "sqlite,dynamodb"},
      {.path = "signer_state.path",
       .slot = CC_AT(std::string, signer_state.path),
       .standard = "",
       .help = "SQLite file of the seal record.",
       .standard_note = "DATA_DIR/state.sqlite"},
      {.path = "signer_state.unseal_timeout_minutes",
       .slot = CC_AT(std::uint64_t, signer_state.unseal_timeout_minutes),
       .standard = "30",
       .help = "Collected operator shares are dropped this long after the first one; 0 keeps them.",
       .maximum = kWeekInMinutes,
       .old_paths_list = "key_sources.dynamodb.unseal_timeout_minutes"},
      {.path = "key_sources.sealed.path",
       .slot = CC_AT(std::string, sealed_keys_path),
       .standard = "",
       .help = "SQLite file of the sealed validator keys.",
       .standard_note = "DATA_DIR/keys.sqlite"},
      {.path = "anti_slashing.backend",
       .slot = CC_AT(std::string, anti_slashing.backend),
       .standard = "sqlite",
       .help = "Where the slashing protection history lies: a file of this signer, or a database that several share.",
       .choices_list = "sqlite,postgres,dynamodb",
       .old_paths_list = "antislashing.backend"},
      {.path = "anti_slashing.path",
       .slot = CC_AT(std::string, anti_slashing.path),
       .standard = "",
       .help = "SQLite file of the slashing protection history. Never copy or restore it by itself.",
       .standard_note = "DATA_DIR/slashing.sqlite",
       .old_paths_list = "antislashing.path"},
      {.path = "anti_slashing.strategy",
       .slot = CC_AT(std::string, anti_slashing.strategy),
       .standard = "complete",
       .help = "complete keeps the history with signing roots, so that a repeated identical request is answered again; "
               "minimal keeps watermarks only.",
       .choices_list = "complete,minimal",
       .old_paths_list = "antislashing.strategy"},
      {.path = "anti_slashing.require_history",
       .slot = CC_AT(bool, anti_slashing.require_history),
       .standard = "false",
       .help = "Refuses (412) to sign with an imported key that has no slashing history here.",
       .old_paths_list = "antislashing.require_history"},
  };
}

std::vector<ConfigKey> key_file_keys() {
  return {
      {.path = "key_sources.filesystem.paths",
       .slot = CC_AT(TextList, key_files.paths),
       .standard = "",
       .help = "Folders of key descriptors (Web3Signer's YAML: file-raw, file-keystore).",
       .standard_note = "none"},
      {.path = "key_sources.filesystem.keystores_path",
       .slot = CC_AT(std::string, key_files.keystores_path),
       .standard = "",
       .help = "Folder of EIP-2335 keystores (NAME.json).",
       .standard_note = "none"},
      {.path = "key_sources.filesystem.keystores_passwords_path",
       .slot = CC_AT(std::string, key_files.keystores_passwords_path),
       .standard = "",
       .help = "Folder of their passwords (NAME.txt).",
       .standard_note = "none"},
      {.path = "key_sources.filesystem.keystores_password_file",
       .slot = CC_AT(std::string, key_files.keystores_password_file),
       .standard = "",
       .help = "One password file for all of them, in place of the folder.",
       .standard_note = "none"},
      {.path = "key_sources.filesystem.keystore_load_concurrency",
       .slot = CC_AT(std::uint64_t, key_files.load_concurrency),
       .standard = "0",
       .help = "Keystores opened at once, never more than there are cores; each usual scrypt takes 256 MiB. 0 takes up "
               "to four.",
       .maximum = 1024},
      {.path = "key_sources.filesystem.cache",
       .slot = CC_AT(bool, key_files.cache),
       .standard = "false",
       .help =
           "Keeps a sealed cache of the opened keystores, so that the next start derives none of them. It opens with "
           "nothing but their passwords."},
      {.path = "key_sources.filesystem.cache_path",
       .slot = CC_AT(std::string, key_files.cache_path),
       .standard = "",
       .help = "File of that cache.",
       .standard_note = "DATA_DIR/keystore-cache"},
  };
}

std::vector<ConfigKey> chamber_keys() {
  return {
      {.path = "chamber.keys.generate.enabled",
       .slot = CC_AT(bool, chamber.generate),
       .standard = "true",
       .help = "POST /api/v1/chamber/keys/generate."},
      {.path = "chamber.keys.import.enabled",
       .slot = CC_AT(bool, chamber.import),
       .standard = "true",
       .help = "POST /api/v1/chamber/keys."},
      {.path = "chamber.keys.lifecycle.enabled",
       .slot = CC_AT(bool, chamber.lifecycle),
       .standard = "true",
       .help = "PATCH and DELETE /api/v1/chamber/keys."},
      {.path = "chamber.rotation_approval",
       .slot = CC_AT(std::string, chamber.rotation_approval),
       .standard = "token",
       .help = "Whether a rotation needs the scope chamber_rotate alone, or also a quorum of the operators in force. "
               "Switching to kms_only, and a new master key behind an operators lock, always need the quorum.",
       .choices_list = "token,quorum"},
      {.path = "chamber.drill_valid_days",
       .slot = CC_AT(std::uint64_t, chamber.drill_valid_days),
       .standard = "90",
       .help = "How long an operator counts as fresh after `operator drill`.",
       .minimum = 1,
       .maximum = 3650},
      {.path = "chamber.allowed_keks",
       .slot = CC_AT(TextList, chamber.allowed_keks),
       .standard = "",
       .help = "Patterns (with *) of KEK names that init and rotation may use.",
       .standard_note = "any"},
      {.path = "kek.local_dir",
       .slot = CC_AT(std::string, kek_local_dir),
       .standard = "",
       .help = "Folder of the local:// KEKs. Put it on another medium than the data: who has both opens a kms_only "
               "chamber.",
       .standard_note = "DATA_DIR/kek"},
      {.path = "aws.profile",
       .slot = CC_AT(std::string, aws.profile),
       .standard = "",
       .help = "Profile of the shared AWS files to take credentials from.",
       .standard_note = "AWS_PROFILE, else the environment and the profile default"},
      {.path = "aws.region",
       .slot = CC_AT(std::string, aws.region),
       .standard = "",
       .help = "Region of AWS STS, and of DynamoDB tables that are not named by their ARN. The region of a KMS key is "
               "in its "
               "ARN.",
       .standard_note = "AWS_REGION, AWS_DEFAULT_REGION, the profile's; for STS else us-east-1"},
      {.path = "aws.endpoints.kms",
       .slot = CC_AT(std::string, aws.kms_endpoint),
       .standard = "",
       .help = "Address in place of AWS KMS's: https, or plain http to this machine; {region} stands for the ARN's.",
       .standard_note = "AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL, else AWS's own"},
      {.path = "aws.endpoints.sts",
       .slot = CC_AT(std::string, aws.sts_endpoint),
       .standard = "",
       .help = "Address in place of AWS STS's, likewise.",
       .standard_note = "AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, else AWS's own"},
      {.path = "aws.call_timeout_seconds",
       .slot = CC_AT(std::uint64_t, aws.call_timeout_seconds),
       .standard = "15",
       .help = "Longest time of one call to AWS, its retries included.",
       .minimum = 1,
       .maximum = 300},
      {.path = "memory.lock",
       .slot = CC_AT(std::string, memory_lock),
       .standard = "prefer",
       .help = "Locking of secret memory against swap: require refuses to run without, prefer warns, off does not try.",
       .choices_list = "require,prefer,off"},
      {.path = "signing.workers",
       .slot = CC_AT(std::uint64_t, signing_workers),
       .standard = "0",
       .help = "Signing threads; 0 takes one per core.",
       .maximum = 1024},
      {.path = "signing.queue_limit",
       .slot = CC_AT(std::uint64_t, signing_queue_limit),
       .standard = "16384",
       .help = "Sign requests that may wait for a signature; more get 503 with Retry-After.",
       .minimum = 1,
       .maximum = 10'000'000},
      {.path = "signing.canary_keys",
       .slot = CC_AT(TextList, canary_keys),
       .standard = "",
       .help = "Public keys (0x…) that no client of yours uses: a sign request for one raises an alarm in log and "
               "metrics; it is answered as for any key.",
       .standard_note = "none"},
      {.path = "signing.same_message",
       .slot = CC_AT(std::string, signing_same_message),
       .standard = "on",
       .help = "Many keys over one message, or several messages at once: on signs them together from tables, off one "
               "by one.",
       .choices_list = "on,off"},
      {.path = "signing.vector_kernel",
       .slot = CC_AT(std::string, signing_vector_kernel),
       .standard = "on",
       .help = "AVX-512 IFMA for signing.same_message, where the processor has it and a self-test at start holds.",
       .choices_list = "on,off"},
      {.path = "log.level",
       .slot = CC_AT(std::string, log_level),
       .standard = "info",
       .help = "Least level that is logged. RUST_LOG is understood too (containment_chamber=debug).",
       .choices_list = "trace,debug,info,warn,error"},
      {.path = "log.access_level",
       .slot = CC_AT(std::string, access_level),
       .standard = "debug",
       .help = "Level of the line that each answered request gets (written when log.level lets it through); off writes "
               "none.",
       .choices_list = "off,trace,debug,info,warn,error"},
      {.path = "log.format",
       .slot = CC_AT(std::string, log_format),
       .standard = "text",
       .help = "Log lines for people or for machines.",
       .choices_list = "text,json"},
  };
}

std::vector<ConfigKey> pruning_keys() {
  return {
      {.path = "anti_slashing.pruning.enabled",
       .slot = CC_AT(bool, anti_slashing.pruning),
       .standard = "false",
       .help = "Forgets old slashing history now and then, and raises the watermarks over it."},
      {.path = "anti_slashing.pruning.keep_epochs",
       .slot = CC_AT(std::uint64_t, anti_slashing.keep_epochs),
       .standard = "250",
       .help = "What pruning keeps of each validator: its newest epochs, and at least as many blocks and votes.",
       .minimum = 1,
       .maximum = 10'000'000},
      {.path = "anti_slashing.pruning.interval_minutes",
       .slot = CC_AT(std::uint64_t, anti_slashing.pruning_interval_minutes),
       .standard = "720",
       .help = "How long after the start, and after each pruning, the next one begins.",
       .minimum = 1,
       .maximum = kWeekInMinutes},
  };
}

std::vector<ConfigKey> keymanager_keys() {
  return {
      {.path = "http.key_manager_api.enabled",
       .slot = CC_AT(bool, key_manager_api.enabled),
       .standard = "false",
       .help = "Serves the Ethereum keymanager API, /eth/v1/keystores: list, import and delete keys.",
       .old_paths_list = "key_sources.key_manager_api.enabled"},
      {.path = "http.key_manager_api.max_items_per_request",
       .slot = CC_AT(std::uint64_t, key_manager_api.work.max_items),
       .standard = "100",
       .help = "Keystores imported or keys deleted in one request; more is 400.",
       .minimum = 1,
       .maximum = 10000,
       .old_paths_list = "key_sources.key_manager_api.max_items_per_request"},
      {.path = "http.key_manager_api.request_timeout_seconds",
       .slot = CC_AT(std::uint64_t, key_manager_api.work.timeout_seconds),
       .standard = "600",
       .help = "A request without an answer by then gets 503; the work goes on, and sending it again is harmless.",
       .minimum = 1,
       .maximum = kDay,
       .old_paths_list = "key_sources.key_manager_api.request_timeout_seconds"},
  };
}

std::vector<ConfigKey> key_work_keys() {
  return {
      {.path = "chamber.keys.generate.max_items_per_request",
       .slot = CC_AT(std::uint64_t, chamber.generate_work.max_items),
       .standard = "100",
       .help = "Keys generated in one request; more is 400.",
       .minimum = 1,
       .maximum = 10000},
      {.path = "chamber.keys.generate.request_timeout_seconds",
       .slot = CC_AT(std::uint64_t, chamber.generate_work.timeout_seconds),
       .standard = "600",
       .help = "A request without an answer by then gets 503; the work goes on: list the keys before asking again.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "chamber.keys.import.max_items_per_request",
       .slot = CC_AT(std::uint64_t, chamber.import_work.max_items),
       .standard = "100",
       .help = "Keys imported in one request; more is 400.",
       .minimum = 1,
       .maximum = 10000},
      {.path = "chamber.keys.import.request_timeout_seconds",
       .slot = CC_AT(std::uint64_t, chamber.import_work.timeout_seconds),
       .standard = "600",
       .help = "A request without an answer by then gets 503; the work goes on, and sending it again is harmless.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "chamber.keys.lifecycle.max_items_per_request",
       .slot = CC_AT(std::uint64_t, chamber.lifecycle_work.max_items),
       .standard = "500",
       .help = "Keys changed or removed in one request; more is 400.",
       .minimum = 1,
       .maximum = 10000},
      {.path = "chamber.keys.lifecycle.request_timeout_seconds",
       .slot = CC_AT(std::uint64_t, chamber.lifecycle_work.timeout_seconds),
       .standard = "600",
       .help = "A request without an answer by then gets 503; the work goes on, and sending it again is harmless.",
       .minimum = 1,
       .maximum = kDay},
  };
}

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
#undef CC_AT
#undef CC_POLICY_AT
#undef CC_ANYONE_AT

}  // namespace

std::span<const ConfigKey> config_table() {
  static const std::vector<ConfigKey> table = [] {
    std::vector<ConfigKey> all;
    for (auto* group : {&network_keys, &tls_keys, &chain_and_store_keys, &postgres_keys, &dynamodb_keys, &pruning_keys,
                        &key_file_keys, &keymanager_keys, &key_work_keys, &chamber_keys, &access_keys}) {
      std::vector<ConfigKey> keys = group();
      std::move(keys.begin(), keys.end(), std::back_inserter(all));
    }
    return all;
  }();
  return table;
}

}  // namespace cc::app
