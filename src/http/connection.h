// One connection: reads requests, hands them to the router, sends the answers in order. Everything happens on the I/O
// thread.
//
// The read buffer is wiped as requests leave it, the reply text once it is sent.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <unordered_set>

#include "http/deadline.h"
#include "http/event.h"
#include "http/listener.h"
#include "http/mailbox.h"
#include "http/reply_text.h"
#include "http/request_id.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/tls_handshakes.h"

namespace cc::http {

class Connection;

// What the connections of one server share.
struct Shared {
  ServerOptions options;
  std::shared_ptr<const Router> router;
  std::shared_ptr<Mailbox> mailbox;
  std::unique_ptr<TlsHandshakes> handshakes;  // when options.tls is set
  DateText date;
  std::unordered_set<Connection*> connections;
  // Those that have not finished a request's head, handshakes among them; the one that waits longest comes first.
  std::list<Connection*> waiting;
  bool draining = false;
  RequestIds request_ids;
  std::atomic<std::uint64_t> open_connections{0}, requests_total{0}, handed_total{0}, shed_total{0}, evicted_total{0};
  std::mutex all_closed_mutex;
  std::condition_variable all_closed;
};

class Connection final : public ReplyTarget, public std::enable_shared_from_this<Connection> {
 public:
  // `shared` outlives the connection. `crowded`: accepted beyond max_connections.
  Connection(Shared& shared, Accepted accepted, bool crowded, const Executor& executor);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves until the end of the connection.
  static Awaitable<void> run(std::shared_ptr<Connection> self);
  // Between two requests: ends. Else after the present one.
  void drain();
  // Ends now, whatever is under way.
  void abort();
  // Ends a connection of Shared::waiting, so that another finds room.
  void give_way();

  void take_reply(std::uint64_t sequence, Response response) override;
  bool dispatching() const override { return dispatching_; }

 private:
  enum class Outcome { head, complete, refused, closed, timed_out };
  enum class Phase { idle, reading, replying, writing, closing };

  Awaitable<bool> serve_one();
  Awaitable<Outcome> advance();
  Awaitable<Outcome> read_body();
  Awaitable<bool> answer_request(Router::Match match);
  Awaitable<bool> refuse(Outcome outcome);
  Awaitable<bool> refuse_head(Response response);
  std::optional<Response> refusal_of_head(const Router::Match& match);
  void begin_waiting();
  void end_waiting();
  void take_head();
  void report(int status) const;
  Awaitable<bool> send(Response response, bool keep_alive);
  Awaitable<void> linger();
  bool overloaded(const Router::Match& match) const;
  bool body_over_limit(const Router::Match& match) const;
  void identify(Request& request) const;
  void dispatch(const Router::Match& match);
  void drop_consumed();
  void on_deadline();

  Shared& shared_;
  std::unique_ptr<Stream> stream_;
  std::string peer_;
  bool loopback_;
  bool encrypted_;
  bool crowded_;
  Deadline deadline_;
  RequestParser parser_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // what is read and not yet consumed: [begin_, end_)
  std::size_t end_ = 0;
  std::string out_;
  Phase phase_ = Phase::idle;
  bool head_only_ = false;
  bool dispatching_ = false;
  bool aborted_ = false;
  bool gives_way_ = false;
  std::optional<std::list<Connection*>::iterator> place_;  // in Shared::waiting
  std::uint64_t sequence_ = 0;                             // of the request being answered
  std::string request_id_;
  std::string_view method_;  // of the request being answered, for the log
  std::string_view route_;
  std::chrono::steady_clock::time_point begun_{};
  Event replied_;
  Response reply_;
};

}  // namespace cc::http
