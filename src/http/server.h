// An HTTP/1.1 server over one erased stream class (http/stream.h). One I/O thread; handlers are called on it and never
// block it: they answer at once or move the request and its responder to another thread.
//
// Requests of one connection are answered in order, one at a time; what a client pipelines waits in the socket. A slow,
// broken or unfinished request costs its connection, never the server: 400, 408, 413, 431 and the end. The server logs
// no paths, headers or bodies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/router.h"

namespace cc::http {

struct ServerOptions {
  std::string address = "127.0.0.1";   // an IP address, or "unix:" and a path
  std::uint16_t port = 0;              // 0: any free port, see Server::port()
  std::size_t max_connections = 4096;  // beyond: routes marked always are answered, others 503, and the connection ends
  std::size_t max_in_flight = 4096;    // more is answered 503 with Retry-After
  std::size_t header_limit = 16UL * 1024;  // request line and headers; also the read buffer of a connection
  Milliseconds header_timeout{10'000};     // from the first byte of a request to the end of its head
  Milliseconds body_timeout{30'000};       // for the body, and for the client to take the reply
  Milliseconds idle_timeout{75'000};       // keep-alive
  Milliseconds reply_timeout{30'000};      // a handler that does not answer: 503
};

struct ServerCounters {
  std::uint64_t connections = 0;  // open now
  std::uint64_t in_flight = 0;    // handed to a handler, not yet answered by it
  std::uint64_t requests_total = 0, shed_total = 0;
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
  // Stops accepting, lets requests under way finish for at most `patience`, closes the rest. Returns when the I/O
  // thread has ended. From any thread but that one; again is harmless.
  void stop(Milliseconds patience);

 private:
  class Engine;
  explicit Server(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace cc::http
