#include "http/server.h"

#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <thread>

#include "base/log.h"
#include "http/connection.h"
#include "http/turn.h"

namespace cc::http {
namespace {

// Connections taken beyond max_connections: those asked to leave need a moment, and /upcheck still answers when all are
// busy.
constexpr std::uint64_t kSpareConnections = 64;
constexpr Milliseconds kAcceptPause{50};

// What a coroutine of this room does with an exception that nobody caught: it costs one connection and is logged.
void log_failure(const std::exception_ptr& failure) {
  if (!failure) {
    return;
  }
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& thrown) {
    log::error("A connection failed", {{"reason", thrown.what()}});
  }
}

}  // namespace

class Server::Engine {
 public:
  Engine(ServerOptions options, std::shared_ptr<const Router> router) {
    shared_.options = std::move(options);
    shared_.router = std::move(router);
    shared_.mailbox = std::make_shared<Mailbox>(io_);
    if (shared_.options.tls) {
      shared_.handshakes = std::make_unique<TlsHandshakes>();
    }
  }
  ~Engine() { end(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Result<void> start() {
    CC_ASSIGN(listener_, listen_on(io_, shared_.options.address, shared_.options.port));
    asio::co_spawn(io_.get_executor(), accept_loop(), log_failure);
    thread_ = std::thread([this] { serve(); });
    return {};
  }

  std::uint16_t port() const { return listener_->port(); }

  ServerCounters counters() const {
    ServerCounters out;
    out.connections = shared_.open_connections.load();
    out.in_flight = shared_.mailbox->in_flight.load();
    out.requests_total = shared_.requests_total.load();
    out.handed_total = shared_.handed_total.load();
    out.shed_total = shared_.shed_total.load();
    out.evicted_total = shared_.evicted_total.load();
    if (shared_.handshakes) {
      out.handshakes_total = shared_.handshakes->done_total();
      out.handshakes_failed_total = shared_.handshakes->failed_total();
    }
    return out;
  }

  void begin_drain() {
    const std::scoped_lock lock(stop_mutex_);
    if (thread_.joinable()) {
      asio::post(io_, [this] { drain(); });
    }
  }

  void stop(Milliseconds patience) {
    const std::scoped_lock lock(stop_mutex_);
    if (!thread_.joinable()) {
      return;
    }
    asio::post(io_, [this] { drain(); });
    {
      std::unique_lock all_closed_lock(shared_.all_closed_mutex);
      shared_.all_closed.wait_for(all_closed_lock, patience,
                                  [this] { return drained_ && shared_.open_connections.load() == 0; });
    }
    asio::post(io_, [this] { abort_all(); });
    thread_.join();
    shared_.mailbox->close();
  }

 private:
  void end() noexcept {
    try {
      stop(Milliseconds(0));
    } catch (const std::exception& thrown) {
      // The thread must not outlive this object, and only it can end it.
      std::fputs(thrown.what(), stderr);
      std::abort();
    }
  }

  void serve() {
    ::pthread_setname_np(::pthread_self(), "cc-http");
    shared_.mailbox->serve_on_this_thread();
    const Turn turns(io_);
    // No exception of a handler reaches this; one from the library costs what it came from, never the server.
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& thrown) {
        log::error("The HTTP server went on after a failure", {{"reason", thrown.what()}});
      }
    }
  }

  Awaitable<void> accept_loop() {
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> pause(
        io_.get_executor());
    while (listener_->open()) {
      auto accepted = co_await listener_->accept();
      if (accepted) {
        take(*std::move(accepted));
      } else if (listener_->open()) {
        // Out of file descriptors, most likely: wait for one instead of spinning.
        if (listener_->starved()) {
          make_room();
        }
        ErrorCode ignored;
        auto token = asio::redirect_error(UseAwaitable(), ignored);
        pause.expires_after(kAcceptPause);
        co_await pause.async_wait(token);
      }
    }
  }

  // Keeps the accept loop alive whatever happens.
  void take(Accepted accepted) noexcept {
    const std::uint64_t open = shared_.open_connections.load();
    if (open >= shared_.options.max_connections + kSpareConnections) {
      make_room();
      return;
    }
    try {
      const bool crowded = open >= shared_.options.max_connections && !make_room();
      auto connection = std::make_shared<Connection>(shared_, std::move(accepted), crowded, io_.get_executor());
      asio::co_spawn(io_.get_executor(), Connection::run(std::move(connection)), log_failure);
    } catch (const std::exception& thrown) {
      log::error("A connection could not be served", {{"reason", thrown.what()}});
    }
  }

  // Whether somebody could be asked to leave.
  bool make_room() {
    if (shared_.waiting.empty()) {
      return false;
    }
    shared_.waiting.front()->give_way();
    return true;
  }

  void drain() {
    shared_.draining = true;
    listener_->close();
    for (Connection* connection : shared_.connections) {
      connection->drain();
    }
    const std::scoped_lock lock(shared_.all_closed_mutex);
    drained_ = true;
    shared_.all_closed.notify_all();
  }

  // abort() may end a connection from within, which takes it off the set: so a copy.
  void abort_all() {
    std::vector<std::shared_ptr<Connection>> all;
    all.reserve(shared_.connections.size());
    for (Connection* connection : shared_.connections) {
      all.push_back(connection->shared_from_this());
    }
    for (const auto& connection : all) {
      connection->abort();
    }
  }

  Shared shared_;
  asio::io_context io_{1};  // dies before what its coroutines refer to
  std::unique_ptr<Listener> listener_;
  std::thread thread_;
  std::mutex stop_mutex_;
  bool drained_ = false;  // guarded by shared_.all_closed_mutex
};

Server::Server(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, std::shared_ptr<const Router> router) {
  try {
    auto engine = std::make_unique<Engine>(std::move(options), std::move(router));
    CC_TRY(engine->start());
    return std::unique_ptr<Server>(new Server(std::move(engine)));
  } catch (const std::exception& thrown) {
    return fail(ErrorKind::unreachable, std::string("The HTTP server cannot start: ") + thrown.what() + ".");
  }
}

std::uint16_t Server::port() const { return engine_->port(); }
ServerCounters Server::counters() const { return engine_->counters(); }
void Server::drain() { engine_->begin_drain(); }
void Server::stop(Milliseconds patience) { engine_->stop(patience); }

}  // namespace cc::http
