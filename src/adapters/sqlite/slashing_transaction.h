// guard::SlashingTransaction over the tables: each method one cached statement, each look-up bounded by an index. Lives
// inside one transaction of the database.
#pragma once

#include "adapters/sqlite/database.h"
#include "guard/slashing_store.h"

namespace cc::sqlite {

class SqliteSlashingTransaction final : public guard::SlashingTransaction {
 public:
  explicit SqliteSlashingTransaction(Database& database) : database_(database) {}

  Result<std::optional<guard::ValidatorRow>> validator(const BlsPublicKey& key, bool create) override;
  Result<void> update_validator(const guard::ValidatorRow& row) override;
  Result<std::vector<guard::SignedBlock>> blocks_at(std::int64_t validator, Slot slot) override;
  Result<std::vector<guard::SignedAttestation>> attestations_at(std::int64_t validator, Epoch target) override;
  Result<guard::VotesNear> votes_near(std::int64_t validator, Epoch source, Epoch target) override;
  Result<void> add_block(std::int64_t validator, const guard::SignedBlock& block) override;
  Result<void> add_attestation(std::int64_t validator, const guard::SignedAttestation& attestation) override;
  Result<std::uint64_t> forget_below(std::int64_t validator, const guard::Watermarks& low) override;
  Result<std::optional<Root>> genesis_validators_root() override;
  Result<void> set_genesis_validators_root(const Root& root) override;
  Result<guard::Watermarks> floor() override;
  Result<void> raise_floor(const guard::Watermarks& floor) override;
  Result<std::vector<BlsPublicKey>> validators() override;
  Result<std::vector<guard::SignedBlock>> all_blocks(std::int64_t validator) override;
  Result<std::vector<guard::SignedAttestation>> all_attestations(std::int64_t validator) override;
  Result<void> add_origin(const guard::Origin& origin) override;
  Result<std::vector<guard::Origin>> origins(std::size_t limit) override;

 private:
  Result<std::vector<guard::SignedBlock>> blocks(Statement& query);
  Result<std::vector<guard::SignedAttestation>> attestations(Statement& query);

  // What the identity row says of all validators alike; read once per transaction.
  struct Common {
    std::optional<Root> genesis_validators_root;
    guard::Watermarks floor;
  };
  Result<const Common*> common();

  Database& database_;
  std::optional<Common> common_;
};

}  // namespace cc::sqlite
