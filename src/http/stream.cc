#include "http/stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace cc::http {
namespace {

class SocketStream final : public Stream {
 public:
  explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

  Awaitable<bool> open() override { co_return true; }

  Awaitable<std::size_t> read_some(std::span<char> into) override {
    ErrorCode ec;
    auto token = asio::redirect_error(UseAwaitable(), ec);
    const auto buffer = asio::buffer(into.data(), into.size());
    const std::size_t size = co_await socket_.async_read_some(buffer, token);
    co_return ec ? 0 : size;
  }

  Awaitable<bool> write_all(std::string_view text) override {
    ErrorCode ec;
    auto token = asio::redirect_error(UseAwaitable(), ec);
    const auto buffer = asio::buffer(text.data(), text.size());
    co_await asio::async_write(socket_, buffer, token);
    co_return !ec;
  }

  void cancel() noexcept override {
    ErrorCode ignored;
    socket_.cancel(ignored);
  }
  void shutdown_send() noexcept override {
    ErrorCode ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void close() noexcept override {
    ErrorCode ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

}  // namespace

std::unique_ptr<Stream> socket_stream(Socket socket) { return std::make_unique<SocketStream>(std::move(socket)); }

}  // namespace cc::http
