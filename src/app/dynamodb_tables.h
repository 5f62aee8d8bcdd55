// The DynamoDB tables that the configuration names, each with the AWS client it stands on.
//
// Thread-safe. Secrets: AWS credentials, inside the client.
#pragma once

#include <memory>

#include "adapters/aws/aws.h"
#include "adapters/dynamodb/table.h"
#include "app/config.h"
#include "base/random.h"
#include "keys/key_store.h"
#include "seal/ports.h"

namespace cc::app {

class DynamoTables {
 public:
  // Asks nobody yet. Errors: config_invalid.
  static Result<std::shared_ptr<DynamoTables>> make(const Config& config, const Environment& environment);
  // `text`: a table's name or ARN. The table keeps this alive. Errors: config_invalid, also when no region is set.
  static Result<std::shared_ptr<dynamodb::Table>> table(const std::shared_ptr<DynamoTables>& tables,
                                                        const std::string& text);

 private:
  DynamoTables() = default;
  SystemClock clock_;
  SystemRandom random_;
  aws::ChainOptions chain_;
  std::unique_ptr<aws::Aws> aws_;
};

// The stores of seal record and sealed keys: SQLite files, or DynamoDB tables.
struct StateAndKeys {
  std::unique_ptr<seal::StateStore> state;
  std::unique_ptr<keys::KeyStore> keys;
};
Result<StateAndKeys> open_state_and_keys(const Config& config);
// One document of the signer state, whatever it lies in. Nothing is written and no lock is taken: the signer may run.
// Errors: not_found without a file; store_unavailable; config_invalid.
Result<std::optional<seal::Document>> look_up_in_state(const Config& config, const std::string& name);

}  // namespace cc::app
