// What the configuration says of DynamoDB: the tables of keys and slashing protection. The table of the signer state is
// signer_state.table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace cc::app {

struct Config;

struct DynamoConfig {
  std::string endpoint;  // aws.endpoints.dynamodb
  std::string state_table, keys_table, slashing_table;
  std::vector<std::string> status_filter;
  std::uint64_t keys_refresh_seconds = 0, concurrent_reads = 0, concurrent_requests = 0;
};

// Whether the stores that were chosen fit together. Errors: config_invalid.
Result<void> check_dynamodb(const Config& config);

}  // namespace cc::app
