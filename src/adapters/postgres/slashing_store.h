// Slashing protection in PostgreSQL, shared by any number of signers (tables in docs/spec/postgres.md; rules in
// guard/rules.h).
//
// Invariants: a transaction is check and record of all its messages, under the row locks of their validators, and
// returns after the server's flush (synchronous_commit is never off). `work` runs once. What a lost connection leaves
// unknown is store_in_doubt. A database that comes back with another id, or with fewer commits than this process has
// seen, is refused from then on (slashing_store_mismatch): a standby that missed commits must not sign.
// Threads: safe; up to `pool_size` transactions at once. Connections are opened anew when they are lost.
// Secrets: the database password (options.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "adapters/postgres/slashing_schema.h"
#include "adapters/postgres/slashing_transaction.h"
#include "base/random.h"
#include "guard/slashing_store.h"

namespace cc::postgres {

using ChamberId = std::array<std::uint8_t, 16>;

class PostgresSlashingStore final : public guard::SlashingStore {
 public:
  // `chamber`: the one this signer serves, if it has one already; identity() speaks of it alone.
  // Errors: not_found with existing_only and no store there; store_unavailable.
  static Result<std::unique_ptr<PostgresSlashingStore>> open(std::shared_ptr<const Options> options, OpenMode mode,
                                                             const std::optional<ChamberId>& chamber, Random& random);
  ~PostgresSlashingStore() override;

  Result<void> transact(const Work& work) override;
  Result<void> transact_ahead(std::span<const guard::LookAhead> ahead, const Work& work) override;
  Result<void> look(const Work& work) override;
  Result<guard::StoreIdentity> identity() override;
  Result<guard::StoreIdentity> begin_run() override;
  Result<void> name_chamber(const ChamberId& chamber, std::uint64_t epoch, const Root& core_digest) override;

 private:
  explicit PostgresSlashingStore(std::shared_ptr<const Options> options)
      : shared_options_(std::move(options)), options_(*shared_options_) {}

  // A connection of the pool for the time of one transaction; a dead one is not given back.
  class Lease;
  using Begin = std::function<Result<void>(PostgresSlashingTransaction&)>;
  using Inside = std::function<Result<void>(Connection&, PostgresSlashingTransaction&)>;

  Deadline deadline() const { return std::chrono::steady_clock::now() + options_.timeout; }
  Result<std::unique_ptr<Connection>> take(Deadline by);
  void give_back(std::unique_ptr<Connection> connection);
  Result<std::unique_ptr<Connection>> connect(Deadline by);
  // Holds what a fresh connection shows against what this process has seen.
  Result<void> recognise(Connection& connection, Deadline by);
  Result<guard::StoreIdentity> read_identity(Connection& connection, Deadline by);
  void saw(std::uint64_t commits);
  Result<void> run(const Begin& begin, const Inside& inside, bool reading);
  Result<void> end(Connection& connection, PostgresSlashingTransaction& tx, Result<void> worked, bool reading);

  std::shared_ptr<const Options> shared_options_;
  const Options& options_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t open_ = 0;
  std::optional<ChamberId> chamber_;
  std::optional<std::array<std::uint8_t, 16>> id_;
  std::atomic<std::uint64_t> commits_seen_ = 0;
};

}  // namespace cc::postgres
