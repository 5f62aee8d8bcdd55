#include "http/listener.h"

#include <sys/stat.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "http/listen_address.h"

namespace cc::http {
namespace {

using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;
template <class Protocol>
using Acceptor = asio::basic_socket_acceptor<Protocol, Executor>;
template <class Protocol>
using SocketOf = asio::basic_stream_socket<Protocol, Executor>;

// The caller's address; IPv4 callers of an IPv6 listener look like IPv4 callers.
asio::ip::address plain_address(asio::ip::address address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

std::optional<Accepted> describe(SocketOf<Tcp> socket) {
  ErrorCode ec;
  const Tcp::endpoint remote = socket.remote_endpoint(ec);
  if (ec) {
    return std::nullopt;  // gone again
  }
  ErrorCode ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  const asio::ip::address address = plain_address(remote.address());
  return Accepted{Socket(std::move(socket)), address.to_string(), address.is_loopback(), false};
}

std::optional<Accepted> describe(SocketOf<Unix> socket) {
  return Accepted{Socket(std::move(socket)), "unix", true, true};
}

template <class Protocol>
class ListenerOf final : public Listener {
 public:
  ListenerOf(Acceptor<Protocol> acceptor, std::uint16_t port) : acceptor_(std::move(acceptor)), port_(port) {}
  Awaitable<std::optional<Accepted>> accept() override {
    ErrorCode ec;
    auto token = asio::redirect_error(UseAwaitable(), ec);
    SocketOf<Protocol> socket(acceptor_.get_executor());
    co_await acceptor_.async_accept(socket, token);
    starved_ = ec == asio::error::no_descriptors || ec == boost::system::errc::too_many_files_open_in_system ||
               ec == asio::error::no_memory || ec == asio::error::no_buffer_space;
    if (ec) {
      co_return std::nullopt;
    }
    co_return describe(std::move(socket));
  }
  bool open() const override { return acceptor_.is_open(); }
  bool starved() const override { return starved_; }
  void close() noexcept override {
    ErrorCode ignored;
    acceptor_.close(ignored);
  }
  std::uint16_t port() const override { return port_; }

 private:
  Acceptor<Protocol> acceptor_;
  std::uint16_t port_;
  bool starved_ = false;
};

tl::unexpected<Error> cannot_listen(const std::string& where, const ErrorCode& ec) {
  const std::string advice = ec == asio::error::address_in_use
                                 ? " Another program, perhaps a second signer, listens there: stop it, or choose "
                                   "another port."
                                 : "";
  return fail(ErrorKind::config_invalid, "Cannot listen on " + where + ": " + ec.message() + "." + advice);
}

Result<std::unique_ptr<Listener>> listen_tcp(asio::io_context& io, const std::string& address, std::uint16_t port) {
  ErrorCode ec;
  const Tcp::endpoint endpoint(asio::ip::make_address(address), port);
  const std::string where = address + " port " + std::to_string(port);
  Acceptor<Tcp> acceptor(io.get_executor());
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) {
    acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  }
  if (!ec) {
    acceptor.bind(endpoint, ec);
  }
  if (!ec) {
    acceptor.listen(asio::socket_base::max_listen_connections, ec);
  }
  const Tcp::endpoint bound = ec ? endpoint : acceptor.local_endpoint(ec);
  if (ec) {
    return cannot_listen(where, ec);
  }
  return std::make_unique<ListenerOf<Tcp>>(std::move(acceptor), bound.port());
}

// A socket file that refuses connections was left by a process that is gone.
void remove_abandoned(asio::io_context& io, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return;
  }
  ErrorCode ec;
  SocketOf<Unix> probe(io.get_executor());
  probe.connect(Unix::endpoint(path), ec);
  if (ec == asio::error::connection_refused) {
    ::unlink(path.c_str());
  }
}

Result<std::unique_ptr<Listener>> listen_unix(asio::io_context& io, const std::string& path) {
  remove_abandoned(io, path);
  ErrorCode ec;
  const Unix::endpoint endpoint(path);
  Acceptor<Unix> acceptor(io.get_executor());
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) {
    acceptor.bind(endpoint, ec);
  }
  // Nobody can connect before listen(), so that the wider mode of bind() is never usable.
  if (!ec && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    ec = ErrorCode(errno, boost::system::system_category());
  }
  if (!ec) {
    acceptor.listen(asio::socket_base::max_listen_connections, ec);
  }
  if (ec) {
    return cannot_listen(path, ec);
  }
  return std::make_unique<ListenerOf<Unix>>(std::move(acceptor), std::uint16_t{0});
}

}  // namespace

Result<std::unique_ptr<Listener>> listen_on(asio::io_context& io, const std::string& address, std::uint16_t port) {
  CC_TRY(check_listen_address(address));
  if (address.starts_with(kUnixPrefix)) {
    return listen_unix(io, address.substr(kUnixPrefix.size()));
  }
  return listen_tcp(io, address, port);
}

}  // namespace cc::http
