// Slashing protection in a DynamoDB table, shared by any number of signers (items in docs/spec/dynamodb.md; rules in
// guard/rules.h).
//
// Invariants: a message is released only after a transaction of DynamoDB recorded it on the condition that its
// validator's row is still the one that was judged. Of two signers that race for one validator, one is refused. What
// gets no answer is store_in_doubt. A table that comes back with another id, with a row older than this process has
// seen, or with fewer commits, is refused from then on (slashing_store_mismatch).
//
// transact(): when another signer was faster and nothing was kept, `work` runs again (at most a few times); it must
// bear that. A `work` too large for one transaction of DynamoDB may be kept in part when something fails on the way:
// the error says so, and doing it again does no harm.
//
// Threads: safe; announced transactions run side by side, all others alone in this process. No secret passes.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "adapters/dynamodb/slashing_commit.h"
#include "guard/store_in_parts.h"

namespace cc::dynamodb {

using ChamberId = std::array<std::uint8_t, 16>;
enum class OpenMode { open_or_create, existing_only };

struct SlashingOptions {
  std::size_t parallel = 16;  // requests at once
};

class DynamoSlashingStore final : public guard::SlashingStore, public guard::StoreInParts {
 public:
  // `owner` keeps alive what the table stands on. `chamber`: the one this signer serves, if it has one already.
  // Errors: not_found with existing_only and no store there; config_invalid for a table of another kind;
  // store_unavailable.
  static Result<std::unique_ptr<DynamoSlashingStore>> open(std::shared_ptr<Table> table, OpenMode mode,
                                                           const std::optional<ChamberId>& chamber,
                                                           SlashingOptions options);

  Result<void> transact(const Work& work) override;
  Result<void> transact_ahead(std::span<const guard::LookAhead> ahead, const Work& work) override;
  Result<void> transact_in_parts(std::span<const guard::LookAhead> ahead, const Work& work,
                                 std::map<BlsPublicKey, Error>& lost) override;
  Result<void> look(const Work& work) override;
  Result<guard::StoreIdentity> identity() override;
  Result<guard::StoreIdentity> begin_run() override;
  Result<void> name_chamber(const ChamberId& chamber, std::uint64_t epoch, const Root& core_digest) override;

 private:
  DynamoSlashingStore(std::shared_ptr<Table> table, SlashingOptions options)
      : table_(std::move(table)), options_(options) {}

  Result<void> recognise(const StoreItem& found);
  Result<void> recognise_row(const BlsPublicKey& key, const StoredRow& row);
  Result<void> run(DynamoSlashingTransaction& tx, std::span<const guard::LookAhead> ahead, const Work& work);
  DynamoSlashingTransaction::Watch watch();
  Result<StoreItem> read_store();
  Result<std::uint64_t> read_commits();
  void remember(const DynamoSlashingTransaction& tx, const CommitOutcome& outcome);
  tl::unexpected<Error> mismatch(const std::string& what) const;

  std::shared_ptr<Table> table_;
  SlashingOptions options_;
  std::shared_mutex alone_;
  std::mutex mutex_;
  std::optional<ChamberId> chamber_;
  std::optional<std::array<std::uint8_t, 16>> id_;
  std::uint64_t run_seen_ = 0, commits_seen_ = 0;
  std::unordered_map<BlsPublicKey, std::uint64_t, BlsPublicKeyHash> versions_seen_;
};

}  // namespace cc::dynamodb
