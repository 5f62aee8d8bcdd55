#include "http/connection.h"

#include <cstring>
#include <new>

#include "base/log.h"
#include "http/tls_stream.h"

namespace cc::http {
namespace {

constexpr Milliseconds kLinger{2'000};
constexpr std::size_t kLargestSkippedBody = 64UL * 1024;
constexpr std::size_t kKeptReplyCapacity = 64UL * 1024;

std::span<std::uint8_t> bytes(std::span<char> text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

Response not_routed(const Router::Match& match) {
  if (!match.path_known) {
    return problem({ErrorKind::not_found, "There is nothing under this path."});
  }
  std::string allow;
  for (const std::string& method : match.allow) {
    allow += (allow.empty() ? "" : ", ") + method;
  }
  Response response = problem({ErrorKind::method_not_allowed, "This path takes " + allow + "."});
  response.headers.emplace_back("Allow", allow);
  return response;
}

Response handler_failed() {
  return problem(
      {ErrorKind::internal, "The request failed inside the signer; its log has the reason under X-Request-Id."});
}

Response overload() {
  Response response = problem({ErrorKind::overloaded, "Too many requests are under way; send this one again."});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::unique_ptr<Stream> stream_over(Shared& shared, Accepted& accepted) {
  if (!shared.options.tls) {
    return socket_stream(std::move(accepted.socket));
  }
  auto stream = tls_stream(std::move(accepted.socket), *shared.options.tls, *shared.handshakes, accepted.peer);
  if (!stream) {
    throw std::bad_alloc();
  }
  return stream;
}

}  // namespace

Connection::Connection(Shared& shared, Accepted accepted, bool crowded, const Executor& executor)
    : shared_(shared),
      stream_(stream_over(shared, accepted)),
      peer_(std::move(accepted.peer)),
      loopback_(accepted.loopback),
      encrypted_(accepted.encrypted || shared.options.tls != nullptr),
      crowded_(crowded),
      deadline_(executor, [this] { on_deadline(); }),
      parser_(shared.options.header_limit),
      buffer_(shared.options.header_limit) {
  shared_.connections.insert(this);
  begin_waiting();
  shared_.open_connections.fetch_add(1);
}

Connection::~Connection() {
  wipe(bytes(buffer_));
  wipe(out_);
  wipe(reply_.body);
  shared_.connections.erase(this);
  end_waiting();
  const std::scoped_lock lock(shared_.all_closed_mutex);
  if (shared_.open_connections.fetch_sub(1) == 1) {
    shared_.all_closed.notify_all();
  }
}

Awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  // g++ 12 miscompiles a co_await inside a loop's condition.
  self->deadline_.set(self->shared_.options.handshake_timeout);
  bool more = co_await self->stream_->open();
  more = more && !self->aborted_;
  while (more) {
    more = co_await self->serve_one();
  }
  self->stream_->close();
}

// One request and its answer. False when the connection has to end.
Awaitable<bool> Connection::serve_one() {
  parser_.begin();
  phase_ = Phase::idle;
  head_only_ = false;
  begin_waiting();
  request_id_ = shared_.request_ids.next();
  method_ = route_ = "none";
  begun_ = std::chrono::steady_clock::now();
  if (shared_.draining && begin_ == end_) {
    co_return false;
  }
  deadline_.set(shared_.options.idle_timeout);
  Outcome outcome = co_await advance();
  if (outcome != Outcome::head) {
    co_return co_await refuse(outcome);
  }
  end_waiting();
  take_head();
  Router::Match match = shared_.router->match(parser_.request().method, parser_.request().path);
  route_ = match.path_known && match.handler != nullptr ? match.pattern : "none";
  if (body_over_limit(match)) {
    Response response = match.handler != nullptr
                            ? problem({ErrorKind::body_too_large, "The body is over the limit of this route."})
                            : not_routed(match);
    co_await send(std::move(response), false);
    co_await linger();
    co_return false;
  }
  if (std::optional<Response> refused = refusal_of_head(match)) {
    co_return co_await refuse_head(*std::move(refused));
  }
  parser_.set_body_limit(match.options.body_limit);
  outcome = co_await read_body();
  if (outcome != Outcome::complete) {
    co_return co_await refuse(outcome);
  }
  co_return co_await answer_request(std::move(match));
}

void Connection::begin_waiting() {
  if (!place_ && !gives_way_) {
    place_ = shared_.waiting.insert(shared_.waiting.end(), this);
  }
}

void Connection::end_waiting() {
  if (place_) {
    shared_.waiting.erase(*place_);
    place_.reset();
  }
}

// What is known once the head is there.
void Connection::take_head() {
  const Request& request = parser_.request();
  head_only_ = request.method == "HEAD";
  method_ = known_method(request.method);
  begun_ = std::chrono::steady_clock::now();
  if (const std::string_view given = request.header("x-request-id"); is_request_id(given)) {
    request_id_ = given;
  }
}

// Everything that can be said of a request before its body is read.
std::optional<Response> Connection::refusal_of_head(const Router::Match& match) {
  if (match.handler == nullptr || match.options.always) {
    return std::nullopt;
  }
  if (overloaded(match)) {
    shared_.requests_total.fetch_add(1, std::memory_order_relaxed);
    shared_.shed_total.fetch_add(1, std::memory_order_relaxed);
    return overload();
  }
  identify(parser_.request());
  parser_.request().captures = match.captures;
  for (const auto& admission : {shared_.options.admission, match.options.admission}) {
    if (std::optional<Response> refused = admission ? (*admission)(parser_.request()) : std::nullopt) {
      return refused;
    }
  }
  return std::nullopt;
}

// A small body that is on its way already is read and dropped, so that the connection can go on; a larger one costs the
// connection.
Awaitable<bool> Connection::refuse_head(Response response) {
  const bool small =
      !parser_.has_body() || (parser_.content_length().value_or(kLargestSkippedBody + 1) <= kLargestSkippedBody &&
                              !parser_.expects_continue());
  const bool stays = small && parser_.keep_alive() && !crowded_;
  const bool sent = co_await send(std::move(response), stays);
  if (!stays) {
    co_await linger();
    co_return false;
  }
  if (!sent) {
    co_return false;
  }
  phase_ = Phase::reading;
  parser_.set_body_limit(kLargestSkippedBody);
  const Outcome outcome = co_await read_body();
  co_return outcome == Outcome::complete;
}

// Feeds the parser until it takes a step, reading as needed.
Awaitable<Connection::Outcome> Connection::advance() {
  bool clock_started = phase_ != Phase::idle;
  for (;;) {
    const RequestParser::Progress progress = parser_.feed(std::span(buffer_).subspan(begin_, end_ - begin_));
    begin_ += progress.consumed;
    switch (progress.step) {
      case RequestParser::Step::header_done:
        phase_ = Phase::reading;
        co_return Outcome::head;
      case RequestParser::Step::complete:
        co_return Outcome::complete;
      case RequestParser::Step::refused:
        co_return Outcome::refused;
      case RequestParser::Step::need_more:
        break;
    }
    drop_consumed();
    if (!clock_started && parser_.started()) {
      clock_started = true;
      phase_ = Phase::reading;
      deadline_.set(shared_.options.header_timeout);
    }
    std::size_t size = 0;
    const bool leaving = gives_way_ || (shared_.draining && phase_ == Phase::idle);
    if (!deadline_.expired() && !aborted_ && !leaving) {
      size = co_await stream_->read_some(std::span(buffer_).subspan(end_));
    }
    if (size == 0) {
      co_return deadline_.expired() && parser_.started() ? Outcome::timed_out : Outcome::closed;
    }
    end_ += size;
  }
}

Awaitable<Connection::Outcome> Connection::read_body() {
  deadline_.set(shared_.options.body_timeout);
  if (parser_.expects_continue() && begin_ == end_) {
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await stream_->write_all(go_on);
    if (!sent) {
      co_return Outcome::closed;
    }
  }
  const Outcome outcome = co_await advance();
  drop_consumed();
  co_return outcome;
}

bool Connection::body_over_limit(const Router::Match& match) const {
  return parser_.content_length().value_or(0) > match.options.body_limit;
}

bool Connection::overloaded(const Router::Match& match) const {
  return !match.options.always &&
         (crowded_ || shared_.mailbox->in_flight.load(std::memory_order_relaxed) >= shared_.options.max_in_flight);
}

Awaitable<bool> Connection::answer_request(Router::Match match) {
  const bool keep_alive = parser_.keep_alive() && !crowded_;
  shared_.requests_total.fetch_add(1, std::memory_order_relaxed);
  if (match.handler == nullptr) {
    co_return co_await send(not_routed(match), keep_alive);
  }
  if (overloaded(match)) {
    shared_.shed_total.fetch_add(1, std::memory_order_relaxed);
    co_return co_await send(overload(), keep_alive);
  }
  phase_ = Phase::replying;
  replied_.reset();
  ++sequence_;
  shared_.handed_total.fetch_add(1, std::memory_order_relaxed);
  deadline_.set(match.options.reply_timeout.value_or(shared_.options.reply_timeout));
  dispatch(match);
  co_await replied_.wait();
  if (aborted_) {
    co_return false;
  }
  co_return co_await send(std::move(reply_), keep_alive);
}

void Connection::identify(Request& request) const {
  request.peer = peer_;
  request.loopback = loopback_;
  request.encrypted = encrypted_;
  request.id = request_id_;
}

void Connection::dispatch(const Router::Match& match) {
  Request request = parser_.take();
  request.captures = match.captures;
  identify(request);
  const Responder respond = make_responder(shared_.mailbox, weak_from_this(), sequence_);
  dispatching_ = true;
  try {
    (*match.handler)(std::move(request), respond);
  } catch (const std::exception& thrown) {
    log::error("A handler failed", {{"request_id", request_id_}, {"reason", thrown.what()}});
    respond(handler_failed());
  } catch (...) {
    log::error("A handler failed", {{"request_id", request_id_}});
    respond(handler_failed());
  }
  dispatching_ = false;
}

void Connection::take_reply(std::uint64_t sequence, Response response) {
  if (phase_ != Phase::replying || sequence != sequence_) {
    wipe(response.body);
    return;
  }
  phase_ = Phase::writing;
  reply_ = std::move(response);
  replied_.set();
}

// Answers what cannot be served and ends the connection; a connection that just ended needs no answer.
Awaitable<bool> Connection::refuse(Outcome outcome) {
  if (outcome == Outcome::closed) {
    co_return false;
  }
  const Error error = outcome == Outcome::timed_out
                          ? Error{ErrorKind::request_timeout, "The request did not arrive in time."}
                          : parser_.failure();
  co_await send(problem(error), false);
  co_await linger();
  co_return false;
}

Awaitable<bool> Connection::send(Response response, bool keep_alive) {
  phase_ = Phase::writing;
  const int status = response.status;
  ReplyFrame frame;
  frame.request_id = request_id_;
  frame.keep_alive = keep_alive && !shared_.draining && !gives_way_;
  frame.head_only = head_only_;
  write_reply(response, frame, shared_.date.now(), out_);
  wipe(response.body);
  deadline_.set(shared_.options.body_timeout);
  const bool sent = co_await stream_->write_all(out_);
  wipe(out_);
  report(status);
  if (out_.capacity() > kKeptReplyCapacity) {
    out_ = std::string();
  }
  co_return sent&& frame.keep_alive;
}

void Connection::report(int status) const {
  if (shared_.options.on_answer) {
    Exchange exchange;
    exchange.request_id = request_id_;
    exchange.method = method_;
    exchange.route = route_;
    exchange.peer = peer_;
    exchange.encrypted = encrypted_;
    exchange.status = status;
    exchange.duration = std::chrono::steady_clock::now() - begun_;
    shared_.options.on_answer(exchange);
  }
}

// A socket closed with unread input resets the connection, and the client may lose the answer; so the rest is read and
// dropped.
Awaitable<void> Connection::linger() {
  phase_ = Phase::closing;
  stream_->shutdown_send();
  deadline_.set(kLinger);
  std::size_t size = 1;
  while (size != 0 && !deadline_.expired() && !aborted_) {
    size = co_await stream_->read_some(std::span(buffer_));
    wipe(bytes(std::span(buffer_).first(size)));
  }
  begin_ = end_ = 0;
}

// Moves the unread rest to the front of the buffer and wipes what lies behind it.
void Connection::drop_consumed() {
  if (begin_ == 0) {
    return;
  }
  const std::size_t rest = end_ - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, rest);
  wipe(bytes(std::span(buffer_).subspan(rest, end_ - rest)));
  begin_ = 0;
  end_ = rest;
}

void Connection::on_deadline() {
  if (phase_ == Phase::replying) {
    take_reply(sequence_,
               problem({ErrorKind::reply_timeout, "The request was not answered in time; it may yet be done."}));
    return;
  }
  stream_->cancel();
}

void Connection::drain() {
  if (phase_ == Phase::idle) {
    stream_->cancel();
  }
}

void Connection::give_way() {
  gives_way_ = true;
  shared_.evicted_total.fetch_add(1, std::memory_order_relaxed);
  end_waiting();
  stream_->cancel();
}

void Connection::abort() {
  aborted_ = true;
  stream_->close();
  if (phase_ == Phase::replying) {
    phase_ = Phase::closing;
    replied_.set();
  }
}

}  // namespace cc::http
