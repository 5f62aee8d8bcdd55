// guard::SlashingTransaction over one transaction of PostgreSQL.
//
// Two ways to begin. begin_ahead() locks the rows of the validators announced, in order of their keys, and reads all
// that the checks on them will ask for, in one round trip; transactions on other validators run beside it.
// begin_alone() keeps every other transaction of the store out. Either way what is read stays true until the end.
// Writes wait in memory until something is asked that needs them on the server, at the latest until finish().
// Threads: one at a time. No secret passes.
#pragma once

#include <map>
#include <unordered_map>

#include "adapters/postgres/connection.h"
#include "guard/slashing_store.h"

namespace cc::postgres {

class PostgresSlashingTransaction final : public guard::SlashingTransaction {
 public:
  PostgresSlashingTransaction(Connection& connection, Deadline deadline)
      : connection_(connection), deadline_(deadline) {}

  Result<void> begin_ahead(std::span<const guard::LookAhead> ahead);
  Result<void> begin_alone();
  // A reading transaction that sees one moment of the store and keeps nobody waiting; writes fail.
  Result<void> begin_reading();

  bool changed() const { return changed_; }
  // The caller changed something on the connection itself.
  void mark_changed() { changed_ = true; }
  Deadline deadline() const { return deadline_; }
  // Sends the writes and counts the transaction; the new count. The caller commits.
  Result<std::uint64_t> finish();

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
  using Vote = guard::SignedAttestation;
  struct Common {
    std::optional<Root> genesis_validators_root;
    guard::Watermarks floor;
  };
  // What the server said of one vote to come.
  struct AheadVote {
    std::vector<Vote> same_target;
    std::optional<Vote> outer, inner;
  };
  using VoteKey = std::pair<std::int64_t, std::pair<std::uint64_t, std::uint64_t>>;  // validator, source, target
  using BlockKey = std::pair<std::int64_t, std::uint64_t>;

  // Locks and reads the validators of `ahead`; with `create`, those without a row get one first.
  Result<void> read_ahead(std::span<const guard::LookAhead> ahead, bool create, std::vector<Query> queries);
  void take_common(const Rows& rows);
  void take_validators(const Rows& rows);
  void take_ahead(std::span<const guard::LookAhead> ahead, const Rows& blocks, const Rows& votes);
  Result<Rows> ask(Statement statement, Values values);
  Result<void> flush();
  std::vector<Query> pending() const;

  Connection& connection_;
  Deadline deadline_;
  bool changed_ = false;
  bool read_only_ = false;
  std::optional<Common> common_;
  bool common_changed_ = false;
  std::unordered_map<BlsPublicKey, guard::ValidatorRow, BlsPublicKeyHash> rows_;
  std::unordered_map<std::int64_t, BlsPublicKey> keys_;  // of the rows above
  std::map<BlockKey, std::vector<guard::SignedBlock>> ahead_blocks_;
  std::map<VoteKey, AheadVote> ahead_votes_;
  // Everything added in this transaction; what the server was asked ahead does not know of it.
  std::unordered_map<std::int64_t, std::vector<guard::SignedBlock>> added_blocks_;
  std::unordered_map<std::int64_t, std::vector<Vote>> added_votes_;
  // Of these, what was not sent yet.
  std::vector<std::pair<std::int64_t, guard::SignedBlock>> pending_blocks_;
  std::vector<std::pair<std::int64_t, Vote>> pending_votes_;
  std::map<std::int64_t, guard::ValidatorRow> pending_rows_;
};

}  // namespace cc::postgres
