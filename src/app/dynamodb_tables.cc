#include "app/dynamodb_tables.h"

#include "adapters/dynamodb/key_store.h"
#include "adapters/dynamodb/state_store.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/state_store.h"

namespace cc::app {

Result<std::shared_ptr<DynamoTables>> DynamoTables::make(const Config& config, const Environment& environment) {
  std::shared_ptr<DynamoTables> out(new DynamoTables());
  out->chain_ = {environment, config.aws.profile, config.aws.region};
  aws::AwsOptions options;
  options.credentials = out->chain_;
  options.endpoints = {{"sts", config.aws.sts_endpoint}, {"dynamodb", config.dynamodb.endpoint}};
  options.patience.budget = std::chrono::seconds(config.aws.call_timeout_seconds);
  // DynamoDB answers within milliseconds: what hangs is given up early and tried again.
  options.patience.attempt = Milliseconds(3000);
  options.patience.connect = Milliseconds(1500);
  options.patience.first_pause = Milliseconds(50);
  options.patience.longest_pause = Milliseconds(2000);
  options.patience.attempts = 12;
  CC_ASSIGN(out->aws_, aws::Aws::make(std::move(options), out->clock_, out->random_));
  return out;
}

Result<std::shared_ptr<dynamodb::Table>> DynamoTables::table(const std::shared_ptr<DynamoTables>& tables,
                                                             const std::string& text) {
  CC_ASSIGN(const dynamodb::TableName name, dynamodb::TableName::parse(text));
  std::string region = name.region;
  if (region.empty()) {
    CC_ASSIGN(region, aws::region_of(tables->chain_));
  }
  // A default would quietly look for the table, or make its contents, in the wrong place.
  if (region.empty()) {
    return fail(ErrorKind::config_invalid, "the region of the DynamoDB table " + name.name +
                                               " is not known: set aws.region or AWS_REGION, or name the table by its "
                                               "ARN");
  }
  struct Kept {
    std::shared_ptr<DynamoTables> tables;
    dynamodb::Table table;
  };
  aws::Aws& aws = *tables->aws_;
  const auto kept =
      std::make_shared<Kept>(Kept{tables, dynamodb::Table(aws.client(), aws.credentials(), name, region)});
  return std::shared_ptr<dynamodb::Table>(kept, &kept->table);
}

Result<std::optional<seal::Document>> look_up_in_state(const Config& config, const std::string& name) {
  if (config.signer_state.backend != "dynamodb") {
    return sqlite::SqliteStateStore::look_up(config.signer_state.path, name);
  }
  CC_ASSIGN(const auto tables, DynamoTables::make(config, process_environment()));
  CC_ASSIGN(const auto table, DynamoTables::table(tables, config.dynamodb.state_table));
  return dynamodb::DynamoStateStore::look_up(*table, name);
}

Result<StateAndKeys> open_state_and_keys(const Config& config) {
  StateAndKeys out;
  if (config.signer_state.backend != "dynamodb") {
    CC_ASSIGN(out.state, sqlite::SqliteStateStore::open(config.signer_state.path));
    CC_ASSIGN(out.keys, sqlite::SqliteKeyStore::open(config.sealed_keys_path));
    return out;
  }
  CC_ASSIGN(const auto tables, DynamoTables::make(config, process_environment()));
  CC_ASSIGN(auto state, DynamoTables::table(tables, config.dynamodb.state_table));
  CC_ASSIGN(out.state, dynamodb::DynamoStateStore::open(std::move(state)));
  CC_ASSIGN(auto keys, DynamoTables::table(tables, config.dynamodb.keys_table));
  CC_ASSIGN(out.keys, dynamodb::DynamoKeyStore::open(std::move(keys), config.dynamodb.concurrent_reads));
  return out;
}

}  // namespace cc::app
