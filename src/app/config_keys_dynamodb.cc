// The rows of the configuration table for the DynamoDB stores, and what they must say together.
#include <algorithm>

#include "app/config_slots.h"

namespace cc::app {
namespace {

constexpr std::uint64_t kHour = 3600;

std::vector<ConfigKey> state_rows() {
  return {
      {.path = "signer_state.table",
       .slot = CC_AT(std::string, dynamodb.state_table),
       .standard = "",
       .help = "DynamoDB table of the signer state, by name or ARN (signer_state.backend: dynamodb).",
       .standard_note = "none"},
      {.path = "signer_state.refresh_interval_seconds",
       .slot = CC_AT(std::uint64_t, signer_state.refresh_interval_seconds),
       .standard = "1",
       .help =
           "How often the stored seal record is read, so that this replica follows what others did. 0 never reads it "
           "on its own: use that for a single signer only.",
       .maximum = kHour},
      {.path = "signer_state.max_stale_seconds",
       .slot = CC_AT(std::uint64_t, signer_state.max_stale_seconds),
       .standard = "30",
       .help = "An open signer that could not read the seal record for so long answers 503 until it can.",
       .minimum = 5,
       .maximum = kHour},
  };
}

std::vector<ConfigKey> table_rows() {
  return {
      {.path = "key_sources.dynamodb.table",
       .slot = CC_AT(std::string, dynamodb.keys_table),
       .standard = "",
       .help = "DynamoDB table of the sealed validator keys, by name or ARN, in place of key_sources.sealed.path.",
       .standard_note = "none: the SQLite file"},
      {.path = "key_sources.dynamodb.status_filter",
       .slot = CC_AT(TextList, dynamodb.status_filter),
       .standard = "active",
       .help = "Which keys are loaded: active, and inactive when it is named too. Inactive keys sign nothing."},
      {.path = "key_sources.dynamodb.refresh_interval_seconds",
       .slot = CC_AT(std::uint64_t, dynamodb.keys_refresh_seconds),
       .standard = "1",
       .help = "How often this replica asks whether others changed keys; 0 never asks.",
       .maximum = kHour},
      {.path = "key_sources.dynamodb.max_concurrent_reads",
       .slot = CC_AT(std::uint64_t, dynamodb.concurrent_reads),
       .standard = "16",
       .help = "Partitions of the key table that are read side by side.",
       .minimum = 1,
       .maximum = 64},
      {.path = "anti_slashing.dynamodb.table",
       .slot = CC_AT(std::string, dynamodb.slashing_table),
       .standard = "",
       .help =
           "DynamoDB table of the slashing protection, by name or ARN (anti_slashing.backend: dynamodb). Signers of "
           "the same validators share one; each network needs one of its own.",
       .standard_note = "none",
       .old_paths_list = "anti_slashing.table"},
      {.path = "anti_slashing.dynamodb.max_concurrent_requests",
       .slot = CC_AT(std::uint64_t, dynamodb.concurrent_requests),
       .standard = "16",
       .help = "Requests to the slashing table at once.",
       .minimum = 1,
       .maximum = 64},
      {.path = "aws.endpoints.dynamodb",
       .slot = CC_AT(std::string, dynamodb.endpoint),
       .standard = "",
       .help = "Address in place of DynamoDB's, likewise; {region} stands for the table's.",
       .standard_note = "AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, else AWS's own"},
  };
}

tl::unexpected<Error> invalid(std::string message) { return fail(ErrorKind::config_invalid, std::move(message)); }

}  // namespace

std::vector<ConfigKey> dynamodb_keys() {
  std::vector<ConfigKey> out = state_rows();
  for (ConfigKey& key : table_rows()) {
    out.push_back(key);
  }
  return out;
}

Result<void> check_dynamodb(const Config& config) {
  const DynamoConfig& dynamodb = config.dynamodb;
  const bool state = config.signer_state.backend == "dynamodb";
  const bool slashing = config.anti_slashing.backend == "dynamodb";
  if (state && dynamodb.state_table.empty()) {
    return invalid("signer_state.backend: dynamodb needs signer_state.table");
  }
  if (slashing && dynamodb.slashing_table.empty()) {
    return invalid("anti_slashing.backend: dynamodb needs anti_slashing.dynamodb.table");
  }
  if (state != !dynamodb.keys_table.empty()) {
    return invalid(
        "a seal record and the keys it opens belong together: set both signer_state.backend: dynamodb (with "
        "signer_state.table) and key_sources.dynamodb.table, or neither");
  }
  // Replicas that share keys, each with a history of its own, would sign whatever the others signed.
  if (state && config.anti_slashing.backend == "sqlite") {
    return invalid(
        "keys in DynamoDB may be loaded by several signers, and a SQLite history knows only what this one signed: set "
        "anti_slashing.backend to dynamodb or postgres");
  }
  const std::vector<std::string> tables{dynamodb.state_table, dynamodb.keys_table, dynamodb.slashing_table};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!tables[i].empty() && std::ranges::count(tables, tables[i]) > 1) {
      return invalid("signer state, keys and slashing protection need a DynamoDB table each, and " + tables[i] +
                     " is named twice");
    }
  }
  const auto known = [](const std::string& word) { return word == "active" || word == "inactive"; };
  if (!std::ranges::all_of(dynamodb.status_filter, known) ||
      std::ranges::find(dynamodb.status_filter, "active") == dynamodb.status_filter.end()) {
    return invalid("key_sources.dynamodb.status_filter must be [active] or [active, inactive]");
  }
  return {};
}

}  // namespace cc::app
