// Where connections come from: a TCP port or a unix socket.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/asio_types.h"

namespace cc::http {

struct Accepted {
  Socket socket;
  std::string peer;  // address without the port; "unix" for a unix socket
  bool loopback = false;
  bool encrypted = false;
};

class Listener {
 public:
  Listener() = default;
  virtual ~Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Nothing when this one connection could not be taken; go on while open().
  virtual Awaitable<std::optional<Accepted>> accept() = 0;
  virtual bool open() const = 0;
  // The last accept() failed for want of file descriptors or memory.
  virtual bool starved() const = 0;
  virtual void close() noexcept = 0;
  virtual std::uint16_t port() const = 0;
};

// `address`: an IP address, or "unix:" and a path (made 0600; a socket that nobody serves any more is replaced).
// Errors: config_invalid for an address that is neither, unreachable naming address, port and reason.
Result<std::unique_ptr<Listener>> listen_on(asio::io_context& io, const std::string& address, std::uint16_t port);

}  // namespace cc::http
