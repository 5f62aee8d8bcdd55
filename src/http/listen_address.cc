#include "http/listen_address.h"

#include <boost/asio/ip/address.hpp>

namespace cc::http {

Result<void> check_listen_address(const std::string& address) {
  constexpr std::size_t kLongestPath = 107;  // sun_path without its terminator
  if (address.starts_with(kUnixPrefix)) {
    const std::size_t length = address.size() - kUnixPrefix.size();
    if (length == 0 || length > kLongestPath) {
      return fail(ErrorKind::config_invalid, "The path of a unix socket has 1 to 107 bytes.");
    }
    return {};
  }
  boost::system::error_code ec;
  boost::asio::ip::make_address(address, ec);
  if (ec) {
    return fail(ErrorKind::config_invalid,
                "\"" + address + "\" is not an IP address to listen on (such as 127.0.0.1), nor unix: and a path.");
  }
  return {};
}

bool within_this_machine(const std::string& address) {
  boost::system::error_code ec;
  const auto ip = boost::asio::ip::make_address(address, ec);
  return address.starts_with(kUnixPrefix) || (!ec && ip.is_loopback());
}

}  // namespace cc::http
