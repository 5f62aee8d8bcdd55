// One connection to PostgreSQL over libpq: non-blocking, every wait bounded by a deadline, several statements per round
// trip (pipeline mode).
//
// Invariants: after an error of the transport or a deadline the connection is dead() and good for nothing but its
// destructor. Statements with a name are prepared on the server with their first use.
// Threads: one at a time. Secrets: the password, in libpq's memory. Error texts are the server's primary message and
// our advice; libpq's own texts pass through with the password blotted out.
// Errors: store_unavailable everywhere; store_in_doubt from commit().
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapters/postgres/options.h"
#include "adapters/postgres/text_form.h"

struct pg_conn;
struct pg_result;

namespace cc::postgres {

using Deadline = std::chrono::steady_clock::time_point;

struct Statement {
  const char* name;  // "": not kept on the server
  const char* sql;
};
struct Query {
  Statement statement;
  Values values;
};

// The rows of one statement.
class Rows {
 public:
  explicit Rows(pg_result* result);
  int size() const;
  bool is_null(int row, int column) const;
  std::string_view text(int row, int column) const;
  std::int64_t integer(int row, int column) const;
  bool boolean(int row, int column) const { return text(row, column) == "t"; }
  Bytes bytes(int row, int column) const;
  // How many rows an INSERT or UPDATE changed.
  std::int64_t affected() const;

 private:
  std::shared_ptr<pg_result> result_;
};

class Connection {
 public:
  // Connects and settles the session: durable commits, timeouts, schema, plain index plans.
  static Result<std::unique_ptr<Connection>> open(const Options& options, Deadline deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // All queries in one round trip. With the first that fails the rest are skipped by the server, and its error is
  // returned.
  Result<std::vector<Rows>> run(std::span<const Query> queries, Deadline deadline);
  Result<Rows> run(const Query& query, Deadline deadline);
  // One or more statements without parameters.
  Result<void> script(const std::string& sql, Deadline deadline);

  // Ends the transaction. store_unavailable: the server said that nothing was kept. store_in_doubt: nobody knows.
  Result<void> commit(Deadline deadline);
  // Gives the transaction up; a connection that cannot do that is dead.
  void rollback();

  bool dead() const { return dead_; }
  // SQLSTATE of the last error of the server; empty when it was none of the server's.
  const std::string& last_state() const { return last_state_; }
  // A warning during the last commit (a wait for a standby that was broken off).
  void note_warning(std::string text) { warning_ = std::move(text); }
  const std::string& place() const { return place_; }
  std::string quoted(const std::string& identifier) const;

 private:
  Connection(pg_conn* raw, std::string place) : raw_(raw), place_(std::move(place)) {}
  Result<void> shake_hands(const Options& options, Deadline deadline);
  Result<void> settle_session(const Options& options, Deadline deadline);
  Result<void> send(const Query& query, std::vector<std::string>& preparing);
  // Waits for the socket; false at the deadline.
  bool wait(bool writing, Deadline deadline) const;
  Result<void> flush(Deadline deadline);
  Result<pg_result*> next_result(Deadline deadline);
  Result<void> drain(std::size_t steps, Deadline deadline, std::vector<Rows>& rows,
                     const std::vector<std::string>& plan);
  tl::unexpected<Error> lost(const std::string& what);
  Error explain(const pg_result* result);

  pg_conn* raw_;
  std::string place_;
  std::set<std::string> prepared_;
  std::string last_state_;
  bool last_fatal_ = false;
  std::string warning_;
  bool dead_ = false;
};

}  // namespace cc::postgres
