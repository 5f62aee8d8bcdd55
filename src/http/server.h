// An HTTP/1.1 server over one erased stream class. One I/O thread; handlers never block it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/router.h"

namespace cc::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free port, see Server::port()
  std::size_t max_connections = 4096;
  std::size_t max_in_flight = 4096;  // more is answered 503 with Retry-After
  std::size_t header_limit = 16 * 1024;
  Milliseconds header_timeout{10'000};  // from the first byte of a request to the end of its head
  Milliseconds body_timeout{30'000};
  Milliseconds idle_timeout{75'000};   // keep-alive
  Milliseconds reply_timeout{30'000};  // a handler that does not answer: 503
};

class Server {
 public:
  // Binds at once (SO_REUSEADDR) and serves from its own thread. Errors: unreachable naming address, port and reason.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, std::shared_ptr<const Router> router);
  ~Server();
  std::uint16_t port() const;
  // Stops accepting, lets requests under way finish for at most `patience`, closes the rest.
  void stop(Milliseconds patience);

 private:
  class Engine;
  explicit Server(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace cc::http
