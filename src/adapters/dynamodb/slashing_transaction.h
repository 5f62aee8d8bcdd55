// guard::SlashingTransaction over a slashing table: reads come from the table, writes wait in memory until the store
// commits them (slashing_commit.h), each validator's on the condition that its row is still the one read here.
//
// Threads: one at a time. No secret passes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "adapters/dynamodb/slashing_items.h"

namespace cc::dynamodb {

class DynamoSlashingTransaction final : public guard::SlashingTransaction {
 public:
  // One validator as this transaction sees it.
  struct Subject {
    BlsPublicKey key{};
    StoredRow stored;  // as read
    StoredRow now;
    bool exists = false;                          // for the guard: there, or made here
    bool changed = false;                         // the row must be written
    std::vector<guard::SignedBlock> blocks;       // added here
    std::vector<guard::SignedAttestation> votes;  // added here
    std::vector<Key> forgotten;
    // Read ahead: the blocks at `slots`, the votes with a target from `votes_from` on.
    std::map<std::uint64_t, std::vector<guard::SignedBlock>> ahead_blocks;
    std::optional<std::uint64_t> votes_from;
    std::vector<guard::SignedAttestation> ahead_votes;
  };
  // `recognise` holds what is read against what this process has seen; its error ends the transaction.
  using Recognise = std::function<Result<void>(const StoreItem&)>;
  using RecogniseRow = std::function<Result<void>(const BlsPublicKey&, const StoredRow&)>;
  struct Watch {
    Recognise store;
    RecogniseRow row;
  };

  DynamoSlashingTransaction(Table& table, Watch watch, std::size_t parallel)
      : table_(table), watch_(std::move(watch)), parallel_(parallel) {}

  // Reads the store's item, and, side by side, all that checks on `ahead` will ask for.
  Result<void> begin(std::span<const guard::LookAhead> ahead);
  // Nothing of it will be committed: whoever reads a validator's records must find its row as it was.
  void only_looks() { only_looks_ = true; }

  const std::deque<Subject>& subjects() const { return subjects_; }
  const StoreItem& store_before() const { return before_; }
  const StoreItem& store_now() const { return now_; }
  const std::vector<guard::Origin>& origins_added() const { return origins_; }
  bool changed() const;

  Result<std::optional<guard::ValidatorRow>> validator(const BlsPublicKey& key, bool create) override;
  Result<void> update_validator(const guard::ValidatorRow& row) override;
  Result<std::vector<guard::SignedBlock>> blocks_at(std::int64_t validator, Slot slot) override;
  Result<std::vector<guard::SignedAttestation>> attestations_at(std::int64_t validator, Epoch target) override;
  Result<guard::VotesNear> votes_near(std::int64_t validator, Epoch source, Epoch target) override;
  Result<void> add_block(std::int64_t validator, const guard::SignedBlock& block) override;
  Result<void> add_attestation(std::int64_t validator, const guard::SignedAttestation& attestation) override;
  Result<std::uint64_t> forget_below(std::int64_t validator, const guard::Watermarks& low) override;
  Result<std::optional<Root>> genesis_validators_root() override { return now_.genesis_validators_root; }
  Result<void> set_genesis_validators_root(const Root& root) override;
  Result<guard::Watermarks> floor() override { return now_.floor; }
  Result<void> raise_floor(const guard::Watermarks& floor) override;
  Result<std::vector<BlsPublicKey>> validators() override;
  Result<std::vector<guard::SignedBlock>> all_blocks(std::int64_t validator) override;
  Result<std::vector<guard::SignedAttestation>> all_attestations(std::int64_t validator) override;
  Result<void> add_origin(const guard::Origin& origin) override;
  Result<std::vector<guard::Origin>> origins(std::size_t limit) override;

 private:
  using Vote = guard::SignedAttestation;
  Result<Subject*> subject(std::int64_t id);
  Subject& place_for(const BlsPublicKey& key);
  Result<void> take_row(Subject& subject, const Item& item);
  Result<void> read_rows(const std::vector<BlsPublicKey>& keys);
  Result<void> read_records(std::span<const guard::LookAhead> ahead);
  // Votes with from ≤ target ≤ to, those added here included, those forgotten here not.
  Result<std::vector<Vote>> votes(const Subject& subject, std::uint64_t from, std::uint64_t to);
  Result<std::optional<Vote>> surrounding(const Subject& subject, Epoch source, Epoch target);
  Result<std::optional<Vote>> surrounded(const Subject& subject, Epoch source, Epoch target);
  Result<std::vector<guard::SignedBlock>> blocks(const Subject& subject, std::uint64_t from, std::uint64_t to);
  Result<void> still_the_same(const Subject& subject);

  Table& table_;
  Watch watch_;
  std::size_t parallel_;
  bool only_looks_ = false;
  StoreItem before_, now_;
  std::deque<Subject> subjects_;  // place + 1 is the id the guard sees
  std::unordered_map<BlsPublicKey, std::size_t, BlsPublicKeyHash> places_;
  std::vector<guard::Origin> origins_;
};

}  // namespace cc::dynamodb
