#include "http/client.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "http/raw_client.h"
#include "http/test_server.h"
#include "http/wiping_allocators.h"

namespace cc::http {
namespace {

using testing::TestServer;

// Accepts one caller, reads until the head is there, sends `answer` and ends.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const int caller = ::accept(fd_, nullptr, nullptr);
      if (caller < 0) {
        return;
      }
      char buffer[4096];
      while (request_.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(caller, buffer, sizeof(buffer), 0);
        if (got <= 0) {
          break;
        }
        request_.append(buffer, static_cast<std::size_t>(got));
      }
      std::string_view rest = answer;
      while (!rest.empty()) {
        const ssize_t sent = ::send(caller, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
          break;
        }
        rest.remove_prefix(static_cast<std::size_t>(sent));
      }
      ::close(caller);
    });
  }
  ~OneAnswer() {
    finish();
    ::close(fd_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  const std::string& finish() {
    if (thread_.joinable()) {
      thread_.join();
    }
    return request_;
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

ClientRequest to(const TestServer& server, const std::string& path) {
  ClientRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
  return request;
}

TEST(Client, SendsAndReceives) {
  TestServer server;
  ClientRequest request = to(server, "/echo");
  request.method = "POST";
  request.body = std::string("with\0nul", 8);
  const auto response = send(request);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(response->body, request.body);
  EXPECT_EQ(send(to(server, "/unknown"))->status, 404);
}

TEST(Client, SendsHeadersAndDeletesWithABody) {
  OneAnswer peer("HTTP/1.1 204 No Content\r\n\r\n");
  ClientRequest request;
  request.url = peer.url();
  request.method = "DELETE";
  request.headers = {{"Authorization", "Bearer 0123456789abcdef"}};
  request.body = "{}";
  ASSERT_TRUE(send(request).has_value());
  const std::string seen = peer.finish();
  EXPECT_TRUE(seen.starts_with("DELETE / HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("\r\nAuthorization: Bearer 0123456789abcdef\r\n"), std::string::npos);
  EXPECT_NE(seen.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(seen.find("Expect"), std::string::npos);
}

TEST(Client, DoesNotFollowRedirects) {
  TestServer elsewhere;
  OneAnswer peer("HTTP/1.1 302 Found\r\nLocation: " + to(elsewhere, "/upcheck").url + "\r\nContent-Length: 0\r\n\r\n");
  ClientRequest request;
  request.url = peer.url();
  EXPECT_EQ(send(request)->status, 302);
}

TEST(Client, IgnoresProxiesOfTheEnvironment) {
  ASSERT_EQ(::setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
  TestServer server;
  const auto response = send(to(server, "/upcheck"));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "OK");
}

TEST(Client, StopsReadingAt16MiB) {
  OneAnswer peer("HTTP/1.1 200 OK\r\n\r\n" + std::string(16UL * 1024 * 1024 + 1, 'x'));
  ClientRequest request;
  request.url = peer.url();
  const auto response = send(request);
  ASSERT_FALSE(response.has_value());
  EXPECT_NE(response.error().message.find("larger than 16 MiB"), std::string::npos);
}

TEST(Client, TimesOutOnASilentServer) {
  TestServer server;
  ClientRequest request = to(server, "/held");
  request.method = "POST";
  request.timeout = Milliseconds(100);
  const auto response = send(request);
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind, ErrorKind::unreachable);
}

TEST(Client, NamesTheHostAndNeverTheToken) {
  ClientRequest request;
  request.url = "http://policy:0123456789abcdef@127.0.0.1:1/api";
  const auto response = send(request);
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind, ErrorKind::unreachable);
  EXPECT_NE(response.error().message.find("http://127.0.0.1:1:"), std::string::npos) << response.error().message;
  EXPECT_EQ(response.error().message.find("0123456789abcdef"), std::string::npos);
}

TEST(Client, TakesOnlyHttpAndHttps) {
  for (const char* url :
       {"file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:9000", "", "http://", "gopher://127.0.0.1/"}) {
    ClientRequest request;
    request.url = url;
    const auto response = send(request);
    ASSERT_FALSE(response.has_value()) << url;
    EXPECT_EQ(response.error().kind, ErrorKind::usage) << url;
  }
}

TEST(Client, RefusesAHeaderWithALineBreak) {
  TestServer server;
  ClientRequest request = to(server, "/upcheck");
  request.headers = {{"Authorization", "Bearer x\r\nX-Other: y"}};
  EXPECT_EQ(send(request).error().kind, ErrorKind::usage);
}

TEST(WipingAllocators, ALiveBlockIsOverwrittenWhole) {
  for (const std::size_t size : {1UL, 24UL, 100UL, 5000UL, 200'000UL}) {
    auto* block = static_cast<unsigned char*>(std::malloc(size));
    if (block == nullptr) {
      FAIL() << "out of memory";
    }
    std::memset(block, 0xA5, size);
    wipe_heap_block(block);
    EXPECT_TRUE(std::all_of(block, block + size, [](unsigned char byte) { return byte == 0; })) << size;
    std::free(block);
  }
  wipe_heap_block(nullptr);
}

// In a process of its own, where it can be the first call. The exit code of that process.
int work_on_wiping_allocators() {
  if (!install_wiping_allocators()) {
    return 3;
  }
  void* block = OPENSSL_malloc(10);
  std::memcpy(block, "0123456789", 10);
  block = OPENSSL_realloc(block, 100'000);
  const bool kept = std::memcmp(block, "0123456789", 10) == 0;
  block = OPENSSL_realloc(block, 5);
  OPENSSL_free(block);
  TestServer server;
  ClientRequest request = to(server, "/echo");
  request.method = "POST";
  request.body = std::string(300'000, 'x');
  const auto response = send(request);
  return kept && response.has_value() && response->body == request.body ? 0 : 4;
}

TEST(WipingAllocatorsDeathTest, ServeOpensslAndCurl) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::exit(work_on_wiping_allocators()), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace cc::http
