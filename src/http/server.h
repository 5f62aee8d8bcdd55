// An HTTP/1.1 server over one erased stream class (http/stream.h). One I/O thread; handlers are called on it and never
// block it: they answer at once or move the request and its responder to another thread.
//
// Requests of one connection are answered in order, one at a time; what a client pipelines waits in the socket. A slow,
// broken or unfinished request costs its connection, never the server: 400, 408, 413, 431 and the end. The server logs
// no paths, headers or bodies.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/router.h"
#include "http/tls_identity.h"

namespace cc::http {

// One request and its answer, without anything the caller could fill a log with. The views last for the call.
struct Exchange {
  std::string_view request_id;
  std::string_view method;  // "other" for one we do not know, "none" when the head was not read
  std::string_view route;   // the pattern; "none" when nothing is routed there
  std::string_view peer;
  bool encrypted = false;
  int status = 0;
  std::chrono::nanoseconds duration{};  // from the head to the end of sending
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IP address, or "unix:" and a path
  std::uint16_t port = 0;             // 0: any free port, see Server::port()
  // Beyond, when no connection waits that could make room: routes marked always are answered, others 503, and the
  // connection ends.
  std::size_t max_connections = 4096;
  std::size_t max_in_flight = 4096;                  // more is answered 503 with Retry-After
  std::size_t header_limit = 16UL * 1024;            // request line and headers; also the read buffer of a connection
  Milliseconds header_timeout{10'000};               // from the first byte of a request to the end of its head
  Milliseconds body_timeout{30'000};                 // for the body, and for the client to take the reply
  Milliseconds idle_timeout{75'000};                 // keep-alive
  Milliseconds reply_timeout{30'000};                // a handler that does not answer: 503
  Milliseconds handshake_timeout{10'000};            // of TLS
  std::shared_ptr<const TlsIdentity> tls = nullptr;  // set: every connection is TLS
  // Asked with the head of every request but those of routes marked always, before the route's own admission.
  std::shared_ptr<const Admission> admission = nullptr;
  // Told of every answer once it is sent, on the I/O thread: it must not block and must not throw.
  std::function<void(const Exchange&)> on_answer = nullptr;
};

struct ServerCounters {
  std::uint64_t connections = 0;  // open now
  std::uint64_t in_flight = 0;    // handed to a handler, not yet answered by it
  std::uint64_t requests_total = 0;
  std::uint64_t handed_total = 0;                                   // to a handler
  std::uint64_t shed_total = 0;                                     // answered 503 for overload
  std::uint64_t evicted_total = 0;                                  // waiting connections that had to make room
  std::uint64_t handshakes_total = 0, handshakes_failed_total = 0;  // of TLS
};

class Server {
 public:
  // Binds at once (SO_REUSEADDR) and serves from its own thread. Errors: unreachable naming address, port and reason;
  // config_invalid for an address that is none.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, std::shared_ptr<const Router> router);
  // stop() without patience.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  std::uint16_t port() const;
  ServerCounters counters() const;
  // Stops accepting and ends what waits between two requests; returns at once. stop() waits for the rest.
  void drain();
  // Stops accepting, lets requests under way finish for at most `patience`, closes the rest. Returns when the I/O
  // thread has ended. From any thread but that one; again is harmless.
  void stop(Milliseconds patience);

 private:
  class Engine;
  explicit Server(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace cc::http
