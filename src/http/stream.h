// The one erased stream class: whatever carries bytes between a caller and us. A connection is compiled once, against
// this, and not once per transport. A transport is the socket (TCP, unix) or TLS over a socket (http/tls_stream.h).
//
// One thread, the I/O thread. No exceptions: a failure is an end.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "http/asio_types.h"

namespace cc::http {

class Stream {
 public:
  Stream() = default;
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // What has to happen before the first byte: a handshake. False when the connection has to end.
  virtual Awaitable<bool> open() = 0;
  // At least one byte, or 0 at the end of input, after cancel() and on any failure.
  virtual Awaitable<std::size_t> read_some(std::span<char> into) = 0;
  // False when not everything could be sent. The text lives until then.
  virtual Awaitable<bool> write_all(std::string_view text) = 0;
  // Ends what is under way; the stream stays usable.
  virtual void cancel() noexcept = 0;
  // Tells the other side that nothing more will come.
  virtual void shutdown_send() noexcept = 0;
  virtual void close() noexcept = 0;
};

std::unique_ptr<Stream> socket_stream(Socket socket);

}  // namespace cc::http
