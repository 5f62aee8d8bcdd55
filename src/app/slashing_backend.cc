#include "app/slashing_backend.h"

#include "adapters/dynamodb/slashing_store.h"
#include "adapters/postgres/slashing_store.h"
#include "adapters/sqlite/slashing_store.h"
#include "app/dynamodb_tables.h"
#include "seal/record.h"

namespace cc::app {
namespace {

Result<std::optional<postgres::ChamberId>> chamber_of(seal::StateStore& state) {
  CC_ASSIGN(const auto document, state.read(seal::kSealRecordDocument));
  if (!document) {
    return std::nullopt;
  }
  CC_ASSIGN(const seal::StoredRecord stored, seal::decode(document->content));
  const auto* record = std::get_if<seal::SealRecord>(&stored);
  return record == nullptr ? std::nullopt : std::optional<postgres::ChamberId>(record->core.chamber);
}

SlashingBackend sqlite_backend(const std::string& path, Random& random) {
  const auto open = [path, &random](bool create) -> Result<std::unique_ptr<guard::SlashingStore>> {
    CC_ASSIGN(auto store,
              sqlite::SqliteSlashingStore::open(
                  path, create ? sqlite::OpenMode::open_or_create : sqlite::OpenMode::existing_only, random));
    return std::unique_ptr<guard::SlashingStore>(std::move(store));
  };
  return {path, false, open};
}

Result<SlashingBackend> dynamodb_backend(const Config& config, seal::StateStore& state) {
  CC_ASSIGN(const auto tables, DynamoTables::make(config, process_environment()));
  CC_ASSIGN(const auto table, DynamoTables::table(tables, config.dynamodb.slashing_table));
  const dynamodb::SlashingOptions options{config.dynamodb.concurrent_requests};
  const auto open = [table, options, &state](bool create) -> Result<std::unique_ptr<guard::SlashingStore>> {
    CC_ASSIGN(const auto chamber, chamber_of(state));
    const auto mode = create ? dynamodb::OpenMode::open_or_create : dynamodb::OpenMode::existing_only;
    CC_ASSIGN(auto store, dynamodb::DynamoSlashingStore::open(table, mode, chamber, options));
    return std::unique_ptr<guard::SlashingStore>(std::move(store));
  };
  return SlashingBackend{table->place(), true, open};
}

postgres::Settings copy_of(const postgres::Settings& from) {
  return {.url = from.url.clone(),
          .host = from.host,
          .port = from.port,
          .database = from.database,
          .user = from.user,
          .password = from.password.clone(),
          .password_file = from.password_file,
          .sslmode = from.sslmode,
          .sslrootcert = from.sslrootcert,
          .sslcert = from.sslcert,
          .sslkey = from.sslkey,
          .schema = from.schema,
          .pool_size = from.pool_size,
          .connect_timeout_seconds = from.connect_timeout_seconds,
          .timeout_seconds = from.timeout_seconds};
}

}  // namespace

Result<SlashingBackend> make_slashing_backend(const Config& config, seal::StateStore& state, Random& random) {
  if (config.anti_slashing.backend == "dynamodb") {
    return dynamodb_backend(config, state);
  }
  if (config.anti_slashing.backend != "postgres") {
    return sqlite_backend(config.anti_slashing.path, random);
  }
  CC_ASSIGN(postgres::Options checked, postgres::check(copy_of(config.anti_slashing.postgres)));
  const std::string place = checked.place;
  const auto options = std::make_shared<const postgres::Options>(std::move(checked));
  const auto open = [options, &state, &random](bool create) -> Result<std::unique_ptr<guard::SlashingStore>> {
    CC_ASSIGN(const auto chamber, chamber_of(state));
    const auto mode = create ? postgres::OpenMode::open_or_create : postgres::OpenMode::existing_only;
    CC_ASSIGN(auto store, postgres::PostgresSlashingStore::open(options, mode, chamber, random));
    return std::unique_ptr<guard::SlashingStore>(std::move(store));
  };
  return SlashingBackend{place, true, open};
}

Result<void> resolve_database_secrets(Config& config, const Environment& environment) {
  postgres::Settings& settings = config.anti_slashing.postgres;
  const std::pair<const char*, SecretBytes*> secrets[] = {{"url", &settings.url}, {"password", &settings.password}};
  for (const auto& [name, secret] : secrets) {
    if (config.anti_slashing.backend != "postgres" || secret->empty()) {
      continue;
    }
    const auto raw = expose_secret_bytes(std::as_const(*secret));
    const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
    CC_ASSIGN(SecretBytes value, resolve_secret(text, environment, std::string("anti_slashing.postgres.") + name));
    *secret = std::move(value);
  }
  return {};
}

}  // namespace cc::app
