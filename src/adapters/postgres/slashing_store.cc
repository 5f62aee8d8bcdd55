#include "adapters/postgres/slashing_store.h"

#include <algorithm>
#include <limits>

#include "base/log.h"

namespace cc::postgres {

class PostgresSlashingStore::Lease {
 public:
  Lease(PostgresSlashingStore& store, std::unique_ptr<Connection> connection)
      : store_(store), connection_(std::move(connection)) {}
  ~Lease() { store_.give_back(std::move(connection_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Connection& operator*() { return *connection_; }
  // Another connection in the place of a dead one.
  Result<void> renew(Deadline by) {
    connection_.reset();
    CC_ASSIGN(connection_, store_.connect(by));
    return {};
  }

 private:
  PostgresSlashingStore& store_;
  std::unique_ptr<Connection> connection_;
};

PostgresSlashingStore::~PostgresSlashingStore() = default;

Result<std::unique_ptr<PostgresSlashingStore>> PostgresSlashingStore::open(std::shared_ptr<const Options> options,
                                                                           OpenMode mode,
                                                                           const std::optional<ChamberId>& chamber,
                                                                           Random& random) {
  if (options->unauthenticated_server) {
    log::warn("the certificate of the PostgreSQL server is not checked (sslmode require): use verify-full",
              {{"place", options->place}});
  }
  std::unique_ptr<PostgresSlashingStore> out(new PostgresSlashingStore(std::move(options)));
  out->chamber_ = chamber;
  const Deadline by = out->deadline();
  CC_ASSIGN(auto connection, Connection::open(out->options_, by));
  CC_TRY(migrate(*connection, out->options_, mode, slashing_migrations(), random.array<16>(), by));
  CC_TRY(out->recognise(*connection, by));
  out->idle_.push_back(std::move(connection));
  out->open_ = 1;
  return out;
}

Result<std::unique_ptr<Connection>> PostgresSlashingStore::take(Deadline by) {
  std::unique_lock lock(mutex_);
  const bool free = free_.wait_until(lock, by, [this] { return !idle_.empty() || open_ < options_.pool_size; });
  if (!free) {
    return fail(ErrorKind::store_unavailable,
                options_.place + ": all " + std::to_string(options_.pool_size) + " connections are busy");
  }
  if (!idle_.empty()) {
    std::unique_ptr<Connection> out = std::move(idle_.back());
    idle_.pop_back();
    return out;
  }
  ++open_;
  lock.unlock();
  Result<std::unique_ptr<Connection>> fresh = connect(by);
  if (!fresh) {
    give_back(nullptr);
  }
  return fresh;
}

void PostgresSlashingStore::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    if (connection && !connection->dead()) {
      idle_.push_back(std::move(connection));
    } else {
      --open_;
    }
  }
  free_.notify_one();
}

Result<std::unique_ptr<Connection>> PostgresSlashingStore::connect(Deadline by) {
  CC_ASSIGN(auto connection, Connection::open(options_, by));
  CC_TRY(recognise(*connection, by));
  return connection;
}

void PostgresSlashingStore::saw(std::uint64_t commits) {
  std::uint64_t before = commits_seen_;
  while (before < commits && !commits_seen_.compare_exchange_weak(before, commits)) {
  }
}

Result<guard::StoreIdentity> PostgresSlashingStore::read_identity(Connection& connection, Deadline by) {
  std::optional<ChamberId> chamber;
  {
    const std::lock_guard lock(mutex_);
    chamber = chamber_;
  }
  const Value ours = chamber ? Value(text_of(ByteView(*chamber))) : std::nullopt;
  CC_ASSIGN(const Rows rows,
            connection.run({{"cc_identity",
                             "SELECT i.id, i.run, i.commits, c.chamber, c.highest_epoch, c.core_digest FROM identity i"
                             " LEFT JOIN chambers c ON c.chamber = $1::bytea"},
                            {ours}},
                           by));
  if (rows.size() != 1) {
    return fail(ErrorKind::store_unavailable,
                options_.place + ": the slashing store has lost its identity row: restore a backup");
  }
  guard::StoreIdentity out;
  out.id = to_array<16>(rows.bytes(0, 0));
  out.run = static_cast<std::uint64_t>(rows.integer(0, 1));
  out.commits = static_cast<std::uint64_t>(rows.integer(0, 2));
  if (!rows.is_null(0, 3)) {
    out.chamber = to_array<16>(rows.bytes(0, 3));
    out.highest_epoch = static_cast<std::uint64_t>(rows.integer(0, 4));
    out.core_digest = to_array<32>(rows.bytes(0, 5));
  }
  return out;
}

Result<void> PostgresSlashingStore::recognise(Connection& connection, Deadline by) {
  const std::uint64_t seen = commits_seen_;
  CC_ASSIGN(const guard::StoreIdentity found, read_identity(connection, by));
  const std::lock_guard lock(mutex_);
  if (!id_) {
    id_ = found.id;
  }
  if (*id_ != found.id || found.commits < seen) {
    const std::string what = *id_ != found.id
                                 ? "is another store than the one this signer signs with"
                                 : "has lost commits that this signer has seen (a standby that was behind, "
                                   "or a restored backup)";
    open_ -= idle_.size();
    idle_.clear();
    free_.notify_all();
    return fail(ErrorKind::slashing_store_mismatch,
                options_.place + " " + what +
                    ". Nothing is signed. Put the right database back, or stop every signer and run "
                    "`containment-chamber slashing adopt` with watermarks above everything that may have been signed");
  }
  saw(found.commits);
  return {};
}

// Begins, works once, ends. As long as the work did not run, a connection that turns out to be lost is renewed and a
// broken-up deadlock tried again.
Result<void> PostgresSlashingStore::run(const Begin& begin, const Inside& inside, bool reading) {
  const Deadline by = deadline();
  CC_ASSIGN(auto taken, take(by));
  Lease lease(*this, std::move(taken));
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    PostgresSlashingTransaction tx(*lease, by);
    if (Result<void> begun = begin(tx); !begun) {
      const std::string& state = (*lease).last_state();
      const bool again = attempt < kTries && std::chrono::steady_clock::now() < by &&
                         ((*lease).dead() ? state.empty() || state.starts_with("57P") || state == "25P03"
                                          : state == "40P01" || state == "40001");
      (*lease).rollback();
      if (!again) {
        return begun;
      }
      if ((*lease).dead()) {
        CC_TRY(lease.renew(by));
      }
      continue;
    }
    Result<void> worked;
    try {
      worked = inside(*lease, tx);
    } catch (const std::exception& error) {
      worked = fail(ErrorKind::internal, std::string("the work in the slashing store broke off: ") + error.what());
    } catch (...) {
      worked = fail(ErrorKind::internal, "the work in the slashing store broke off");
    }
    return end(*lease, tx, std::move(worked), reading);
  }
}

Result<void> PostgresSlashingStore::end(Connection& connection, PostgresSlashingTransaction& tx, Result<void> worked,
                                        bool reading) {
  if (!worked || reading || !tx.changed()) {
    connection.rollback();
    return worked;
  }
  const Result<std::uint64_t> commits = tx.finish();
  if (!commits) {
    connection.rollback();
    return fail(commits.error());
  }
  CC_TRY(connection.commit(tx.deadline()));
  saw(*commits);
  return {};
}

Result<void> PostgresSlashingStore::transact(const Work& work) {
  return run([](PostgresSlashingTransaction& tx) { return tx.begin_alone(); },
             [&](Connection&, PostgresSlashingTransaction& tx) { return work(tx); }, false);
}

Result<void> PostgresSlashingStore::transact_ahead(std::span<const guard::LookAhead> ahead, const Work& work) {
  return run([&](PostgresSlashingTransaction& tx) { return tx.begin_ahead(ahead); },
             [&](Connection&, PostgresSlashingTransaction& tx) { return work(tx); }, false);
}

Result<void> PostgresSlashingStore::look(const Work& work) {
  return run([](PostgresSlashingTransaction& tx) { return tx.begin_reading(); },
             [&](Connection&, PostgresSlashingTransaction& tx) { return work(tx); }, true);
}

Result<guard::StoreIdentity> PostgresSlashingStore::identity() {
  guard::StoreIdentity out;
  CC_TRY(run([](PostgresSlashingTransaction& tx) { return tx.begin_reading(); },
             [&](Connection& connection, PostgresSlashingTransaction& tx) -> Result<void> {
               CC_ASSIGN(out, read_identity(connection, tx.deadline()));
               return {};
             },
             true));
  saw(out.commits);
  return out;
}

Result<guard::StoreIdentity> PostgresSlashingStore::begin_run() {
  CC_TRY(run([](PostgresSlashingTransaction& tx) { return tx.begin_alone(); },
             [](Connection& connection, PostgresSlashingTransaction& tx) -> Result<void> {
               CC_TRY(connection.run({{"", "UPDATE identity SET run = run + 1"}, {}}, tx.deadline()));
               tx.mark_changed();
               return {};
             },
             false));
  return identity();
}

Result<void> PostgresSlashingStore::name_chamber(const ChamberId& chamber, std::uint64_t epoch,
                                                 const Root& core_digest) {
  if (epoch > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fail(ErrorKind::record_malformed, "the epoch of the seal record is out of range");
  }
  CC_TRY(run(
      [](PostgresSlashingTransaction& tx) { return tx.begin_alone(); },
      [&](Connection& connection, PostgresSlashingTransaction& tx) -> Result<void> {
        CC_ASSIGN(const Rows now,
                  connection.run({{"", "SELECT highest_epoch, core_digest FROM chambers WHERE chamber = $1::bytea"},
                                  {text_of(ByteView(chamber))}},
                                 tx.deadline()));
        const auto highest = now.size() == 0 ? 0 : static_cast<std::uint64_t>(now.integer(0, 0));
        if (now.size() == 1 && epoch < highest) {
          return fail(ErrorKind::record_older, "the slashing store has seen epoch " + std::to_string(highest) +
                                                   " of this chamber, and the seal record is at epoch " +
                                                   std::to_string(epoch) + ": restore the newer seal record");
        }
        if (now.size() == 1 && epoch == highest && to_array<32>(now.bytes(0, 1)) == core_digest) {
          return {};
        }
        CC_TRY(connection.run(
            {{"",
              "INSERT INTO chambers (chamber, highest_epoch, core_digest) VALUES ($1::bytea, $2::bigint, $3::bytea)"
              " ON CONFLICT (chamber) DO UPDATE SET highest_epoch = $2::bigint, core_digest = $3::bytea"},
             {text_of(ByteView(chamber)), text_of(static_cast<std::int64_t>(epoch)), text_of(ByteView(core_digest))}},
            tx.deadline()));
        tx.mark_changed();
        return {};
      },
      false));
  const std::lock_guard lock(mutex_);
  chamber_ = chamber;
  return {};
}

}  // namespace cc::postgres
