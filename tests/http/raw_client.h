// A caller that sends bytes as they are, for what no proper client would send.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace cc::http::testing {

struct RawReply {
  int status = 0;  // 0: the connection ended, or nothing came
  std::string head;
  std::string body;
  // The value of a header, by its exact name; empty when absent.
  std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
      return {};
    }
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), pending_(std::move(other.pending_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  bool connected() const { return connected_; }

  // False when the server stopped reading; what was sent until then is sent.
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }

  // The next reply with its body. `head_only`: the answer to HEAD.
  RawReply read_reply(bool head_only = false) {
    RawReply reply;
    std::size_t end = std::string::npos;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) {
        return reply;
      }
    }
    reply.head = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    const std::string length_text = reply.header("Content-Length");
    std::size_t length = 0;
    std::from_chars(length_text.data(), length_text.data() + length_text.size(), length);
    while (!head_only && pending_.size() < length) {
      if (!receive()) {
        return reply;
      }
    }
    reply.body = head_only ? "" : pending_.substr(0, length);
    pending_.erase(0, reply.body.size());
    std::from_chars(reply.head.data() + 9, reply.head.data() + 12, reply.status);
    return reply;
  }

  // Everything until the server ends the connection.
  std::string read_to_end() {
    while (receive()) {
    }
    return std::exchange(pending_, {});
  }

 private:
  static constexpr int kPatienceMs = 60'000;
  bool receive() {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, kPatienceMs) <= 0) {
      ADD_FAILURE() << "the server neither answered nor ended the connection";
      return false;
    }
    char buffer[16384];
    // The analyzer does not see that std::unique_lock unlocks when it dies.
    const ssize_t size = ::recv(fd_, buffer, sizeof(buffer), 0);  // NOLINT(clang-analyzer-unix.BlockInCriticalSection)
    if (size <= 0) {
      return false;
    }
    pending_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }

  int fd_;
  bool connected_ = false;
  std::string pending_;
};

inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: signer\r\n\r\n";
}
inline std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: signer\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace cc::http::testing
