#include "adapters/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/log.h"

namespace cc::postgres {
namespace {

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') {
    text.pop_back();
  }
  return text;
}

// What the operator can do about an error of the server.
std::string_view advice(std::string_view state) {
  struct Row {
    std::string_view state, text;
  };
  static constexpr Row kRows[] = {
      {"25006",
       "the server is read-only (a standby, or default_transaction_read_only): point the signer at the primary"},
      {"53300",
       "the server is at its connection limit: raise max_connections or lower anti_slashing.postgres.pool_size"},
      {"53100", "the server's disk is full: free some space"},
      {"53200", "the server is out of memory"},
      {"55P03", "another signer holds the same validators for too long"},
      {"57014", "the server did not finish in time"},
      {"57P01", "the server shuts down"},
      {"57P02", "the server crashed"},
      {"57P03", "the server is not ready"},
      {"25P03", "the transaction was idle for too long"},
      {"28P01", "wrong password"},
      {"28000", "the server does not let this user in"},
      {"3D000", "there is no such database: create it"},
      {"42501", "the user lacks a right: grant it the schema and its tables (docs/reference/slashing-stores.md)"},
      {"42P01", "a table is missing: restore the database from a backup, do not let it be made anew"},
      {"42703", "a column is missing: restore the database from a backup"},
      {"40P01", "a deadlock was broken up"},
  };
  for (const Row& row : kRows) {
    if (row.state == state) {
      return row.text;
    }
  }
  return {};
}

void blot_out(std::string& text, const SecretBytes& secret) {
  const auto raw = expose_secret_bytes(secret);
  const std::string_view word(reinterpret_cast<const char*>(raw.data()), raw.size());
  for (auto at = word.empty() ? std::string::npos : text.find(word); at != std::string::npos; at = text.find(word)) {
    text.replace(at, word.size(), "…");
  }
}

}  // namespace

Rows::Rows(pg_result* result) : result_(result, &PQclear) {}
int Rows::size() const { return PQntuples(result_.get()); }
bool Rows::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}
std::int64_t Rows::integer(int row, int column) const {
  std::int64_t out = 0;
  const std::string_view digits = text(row, column);
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}
Bytes Rows::bytes(int row, int column) const {
  std::string_view digits = text(row, column);
  digits.remove_prefix(digits.starts_with("\\x") ? 2 : 0);
  Result<Bytes> out = from_hex(digits);
  return out ? *std::move(out) : Bytes();
}
std::int64_t Rows::affected() const {
  std::int64_t out = 0;
  const std::string_view digits = PQcmdTuples(result_.get());
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

Connection::~Connection() { PQfinish(raw_); }

tl::unexpected<Error> Connection::lost(const std::string& what) {
  dead_ = true;
  last_state_.clear();
  last_fatal_ = true;
  return fail(ErrorKind::store_unavailable, place_ + ": " + what);
}

Error Connection::explain(const PGresult* result) {
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  last_state_ = field(PG_DIAG_SQLSTATE);
  const std::string severity = field(PG_DIAG_SEVERITY_NONLOCALIZED);
  last_fatal_ = severity != "ERROR";
  std::string text = place_ + ": ";
  const std::string_view known = advice(last_state_);
  if (!known.empty()) {
    text += std::string(known) + "; the server says: ";
  }
  text += field(PG_DIAG_MESSAGE_PRIMARY);
  if (last_state_.empty()) {
    text += one_line(PQerrorMessage(raw_));
  }
  if (last_fatal_) {
    dead_ = true;
  }
  return {ErrorKind::store_unavailable, std::move(text)};
}

bool Connection::wait(bool writing, Deadline deadline) const {
  pollfd about{PQsocket(raw_), static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
  while (true) {
    const int ready = ::poll(&about, 1, milliseconds_until(deadline));
    if (ready > 0) {
      return true;
    }
    if (ready == 0 || errno != EINTR) {
      return false;
    }
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options, Deadline deadline) {
  std::vector<const char*> words;
  std::vector<const char*> values;
  for (const auto& [word, value] : options.keywords) {
    words.push_back(word.c_str());
    values.push_back(value.c_str());
  }
  const auto raw = expose_secret_bytes(options.password);
  std::string password(raw.begin(), raw.end());
  if (!password.empty()) {
    words.push_back("password");
    values.push_back(password.c_str());
  }
  words.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* const started = PQconnectStartParams(words.data(), values.data(), 0);
  wipe(password);
  if (started == nullptr) {
    return fail(ErrorKind::store_unavailable, "not enough memory for a connection to PostgreSQL");
  }
  std::unique_ptr<Connection> out(new Connection(started, options.place));
  const Deadline connected_by = std::min(deadline, std::chrono::steady_clock::now() + options.connect_timeout);
  CC_TRY(out->shake_hands(options, connected_by));
  CC_TRY(out->settle_session(options, deadline));
  return out;
}

Result<void> Connection::shake_hands(const Options& options, Deadline deadline) {
  PQsetNoticeReceiver(
      raw_,
      [](void* self, const PGresult* notice) {
        const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (severity != nullptr && std::string_view(severity) == "WARNING") {
          const char* text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
          static_cast<Connection*>(self)->note_warning(text == nullptr ? "a warning" : text);
        }
      },
      this);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(raw_) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) {
      break;
    }
    pollfd about{PQsocket(raw_), static_cast<short>(state == PGRES_POLLING_WRITING ? POLLOUT : POLLIN), 0};
    const int ready = ::poll(&about, 1, milliseconds_until(deadline));
    if (ready == 0) {
      return lost("no connection within the time allowed (connect_timeout_seconds)");
    }
    state = PQconnectPoll(raw_);
  }
  if (PQstatus(raw_) != CONNECTION_OK) {
    std::string reason = one_line(PQerrorMessage(raw_));
    blot_out(reason, options.password);
    return lost("cannot connect: " + reason);
  }
  const char* mode = PQsslInUse(raw_) != 0 ? "tls" : "plain";
  log::debug("connected to PostgreSQL", {{"place", place_}, {"transport", mode}});
  return PQsetnonblocking(raw_, 1) == 0 ? Result<void>() : lost("the connection cannot be made non-blocking");
}

// A commit that returns before its flush would let a signature out that the server may forget.
Result<void> Connection::settle_session(const Options& options, Deadline deadline) {
  const std::string ms = std::to_string(options.timeout.count());
  const Query queries[] = {
      {{"",
        "SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),"
        " current_setting('server_version_num')::bigint"},
       {}},
      {{"",
        "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),"
        " set_config('idle_in_transaction_session_timeout', $1, false), set_config('bytea_output', 'hex', false),"
        " set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),"
        " set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false),"
        " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply'"
        " THEN 'remote_apply' ELSE 'on' END, false), set_config('search_path', $2, false),"
        " set_config('client_min_messages', 'warning', false)"},
       {ms, "pg_catalog, " + quoted(options.schema)}},
  };
  CC_ASSIGN(const std::vector<Rows> rows, run(queries, deadline));
  constexpr std::int64_t kOldest = 120000;
  if (rows[0].integer(0, 3) < kOldest) {
    return lost("the server is older than PostgreSQL 12");
  }
  if (rows[0].text(0, 1) == "off") {
    log::error(
        "PostgreSQL runs with fsync = off: a power cut loses what was signed, and a slashing can follow. Switch fsync "
        "on",
        {{"place", place_}});
  }
  if (rows[0].text(0, 2) == "off") {
    log::warn("PostgreSQL runs with full_page_writes = off: a power cut can damage the slashing history",
              {{"place", place_}});
  }
  if (rows[0].text(0, 0) == "off") {
    log::warn("the server's synchronous_commit is off; this signer switches it on for its own sessions",
              {{"place", place_}});
  }
  return {};
}

std::string Connection::quoted(const std::string& identifier) const {
  const std::unique_ptr<char, decltype(&PQfreemem)> text(PQescapeIdentifier(raw_, identifier.data(), identifier.size()),
                                                         &PQfreemem);
  return text ? std::string(text.get()) : std::string();
}

Result<void> Connection::flush(Deadline deadline) {
  while (true) {
    const int left = PQflush(raw_);
    if (left == 0) {
      return {};
    }
    if (left < 0) {
      return lost("the connection was lost: " + one_line(PQerrorMessage(raw_)));
    }
    if (!wait(true, deadline)) {
      return lost("no answer within the time allowed (timeout_seconds)");
    }
    if (PQconsumeInput(raw_) == 0) {
      return lost("the connection was lost: " + one_line(PQerrorMessage(raw_)));
    }
  }
}

Result<PGresult*> Connection::next_result(Deadline deadline) {
  while (PQisBusy(raw_) != 0) {
    if (!wait(false, deadline)) {
      return lost("no answer within the time allowed (timeout_seconds)");
    }
    if (PQconsumeInput(raw_) == 0) {
      return lost("the connection was lost: " + one_line(PQerrorMessage(raw_)));
    }
  }
  return PQgetResult(raw_);
}

Result<void> Connection::send(const Query& query, std::vector<std::string>& preparing) {
  std::vector<const char*> values;
  values.reserve(query.values.size());
  for (const Value& value : query.values) {
    values.push_back(value ? value->c_str() : nullptr);
  }
  const std::string name = query.statement.name;
  const int count = static_cast<int>(values.size());
  if (name.empty()) {
    preparing.emplace_back();
    return PQsendQueryParams(raw_, query.statement.sql, count, nullptr, values.data(), nullptr, nullptr, 0) != 0
               ? Result<void>()
               : lost(one_line(PQerrorMessage(raw_)));
  }
  const bool known = prepared_.contains(name) || std::ranges::find(preparing, name) != preparing.end();
  if (!known) {
    preparing.push_back(name);
    if (PQsendPrepare(raw_, name.c_str(), query.statement.sql, count, nullptr) == 0) {
      return lost(one_line(PQerrorMessage(raw_)));
    }
  }
  preparing.emplace_back();
  return PQsendQueryPrepared(raw_, name.c_str(), count, values.data(), nullptr, nullptr, 0) != 0
             ? Result<void>()
             : lost(one_line(PQerrorMessage(raw_)));
}

// The answers to everything sent, one step after the other, then the mark of the end. `plan` holds the name of a
// statement where a step prepares one.
Result<void> Connection::drain(std::size_t steps, Deadline deadline, std::vector<Rows>& rows,
                               const std::vector<std::string>& plan) {
  std::optional<Error> failed;
  for (std::size_t step = 0; step < steps;) {
    CC_ASSIGN(PGresult* const raw, next_result(deadline));
    if (raw == nullptr) {
      // The end of one step; two in a row mean that the connection is gone.
      if (PQstatus(raw_) == CONNECTION_BAD) {
        return failed ? Result<void>(fail(*failed)) : lost("the connection was lost");
      }
      ++step;
      continue;
    }
    Rows answer(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      failed = failed ? failed : std::optional<Error>(explain(raw));
      if (dead_) {
        return fail(*failed);
      }
    } else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (plan[step].empty()) {
        rows.push_back(std::move(answer));
      } else {
        prepared_.insert(plan[step]);
      }
    }
  }
  while (true) {
    CC_ASSIGN(PGresult* const raw, next_result(deadline));
    if (raw == nullptr) {
      if (PQstatus(raw_) == CONNECTION_BAD) {
        return failed ? Result<void>(fail(*failed)) : lost("the connection was lost");
      }
      continue;
    }
    const Rows answer(raw);
    if (PQresultStatus(raw) == PGRES_PIPELINE_SYNC) {
      return failed ? Result<void>(fail(*failed)) : Result<void>();
    }
  }
}

Result<std::vector<Rows>> Connection::run(std::span<const Query> queries, Deadline deadline) {
  if (dead_ || PQenterPipelineMode(raw_) == 0) {
    return lost("the connection was lost");
  }
  std::vector<std::string> plan;
  for (const Query& query : queries) {
    CC_TRY(send(query, plan));
  }
  if (PQpipelineSync(raw_) == 0) {
    return lost("the connection was lost: " + one_line(PQerrorMessage(raw_)));
  }
  CC_TRY(flush(deadline));
  std::vector<Rows> rows;
  const Result<void> done = drain(plan.size(), deadline, rows, plan);
  if (!dead_ && PQexitPipelineMode(raw_) == 0) {
    return lost("the connection is out of step");
  }
  CC_TRY(done);
  if (rows.size() != queries.size()) {
    return lost("the server gave fewer answers than were asked for");
  }
  return rows;
}

Result<Rows> Connection::run(const Query& query, Deadline deadline) {
  CC_ASSIGN(std::vector<Rows> rows, run(std::span(&query, 1), deadline));
  return std::move(rows.front());
}

Result<void> Connection::script(const std::string& sql, Deadline deadline) {
  if (dead_ || PQsendQuery(raw_, sql.c_str()) == 0) {
    return lost("the connection was lost");
  }
  CC_TRY(flush(deadline));
  std::optional<Error> failed;
  while (true) {
    CC_ASSIGN(PGresult* const raw, next_result(deadline));
    if (raw == nullptr) {
      return failed ? Result<void>(fail(*failed)) : Result<void>();
    }
    const Rows answer(raw);
    if (PQresultStatus(raw) == PGRES_FATAL_ERROR) {
      failed = failed ? failed : std::optional<Error>(explain(raw));
    }
  }
}

Result<void> Connection::commit(Deadline deadline) {
  const auto doubt = [&](const std::string& why) {
    dead_ = true;
    return fail(ErrorKind::store_in_doubt,
                why + "; whether the transaction was kept is unknown, and nothing was released");
  };
  warning_.clear();
  last_fatal_ = false;
  if (dead_ || PQsendQuery(raw_, "COMMIT") == 0) {
    return lost("the connection was lost before the commit");
  }
  if (const Result<void> sent = flush(deadline); !sent) {
    return doubt(sent.error().message);
  }
  Result<void> outcome = doubt(place_ + ": no answer to the commit");
  dead_ = false;
  while (true) {
    const Result<PGresult*> raw = next_result(deadline);
    if (!raw) {
      return doubt(raw.error().message);
    }
    if (*raw == nullptr) {
      break;
    }
    const Rows answer(*raw);
    if (PQresultStatus(*raw) != PGRES_COMMAND_OK) {
      const Error error = explain(*raw);
      outcome = last_fatal_ ? doubt(error.message) : fail(error);
    } else if (std::string_view(PQcmdStatus(*raw)) == "COMMIT") {
      outcome =
          warning_.empty() ? Result<void>() : doubt(place_ + ": the server committed with a warning: " + warning_);
    } else {
      outcome = fail(ErrorKind::store_unavailable, place_ + ": the server rolled the transaction back");
    }
  }
  return outcome;
}

void Connection::rollback() {
  constexpr std::chrono::seconds kPatience(2);
  if (!dead_ && !script("ROLLBACK", std::chrono::steady_clock::now() + kPatience)) {
    dead_ = true;
  }
}

}  // namespace cc::postgres
