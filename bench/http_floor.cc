// What HTTP itself costs, plain and under TLS, with connections that stay: an answer that needs no work (/upcheck)
// against a signature of one slot's message, which every key signs once. Processor time per answer, the callers' own
// left out; both sides take turns.
//
// http_floor      processor time of a signature's answer / of the floor's, plain
// tls_keep_alive  signatures per second under TLS 1.3 / plain
// Usage: bench_http_floor [connections] [requests per connection] [rounds]
#include <openssl/ssl.h>

#include <thread>

#include "base/log.h"
#include "bench/bench_signer.h"
#include "bench/contender.h"
#include "http/tls_files.h"

namespace cc::bench {
namespace {

namespace fs = std::filesystem;

// One connection that waits for each answer.
class Caller {
 public:
  Caller(std::uint16_t port, SSL_CTX* tls) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      give_up("cannot connect");
    }
    if (tls != nullptr) {
      session_.reset(SSL_new(tls));
      SSL_set_fd(session_.get(), socket_);
      if (SSL_connect(session_.get()) != 1) {
        give_up("no TLS");
      }
    }
  }
  ~Caller() { ::close(socket_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  void exchange(const std::string& request) {
    if (write(request) != static_cast<long>(request.size())) {
      give_up("cannot send");
    }
    std::size_t have = 0;
    do {
      const long count = read(buffer_.data() + have, buffer_.size() - have);
      if (count <= 0) {
        give_up("the signer closed a connection");
      }
      have += static_cast<std::size_t>(count);
    } while (!is_whole({buffer_.data(), have}));
    if (std::string_view(buffer_.data() + 9, 3) != "200") {
      give_up("refused");
    }
  }

 private:
  long write(const std::string& text) {
    return session_ ? SSL_write(session_.get(), text.data(), static_cast<int>(text.size()))
                    : ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  long read(char* to, std::size_t size) {
    return session_ ? SSL_read(session_.get(), to, static_cast<int>(size)) : ::recv(socket_, to, size, 0);
  }

  int socket_;
  http::OpenSslPtr<SSL> session_;
  std::array<char, 4096> buffer_;
};

// A side of the comparison: its request, over plain sockets or TLS.
struct Side {
  const char* name;
  std::uint16_t port;
  SSL_CTX* tls;
  std::function<void(std::size_t connection, std::size_t turn, std::string& out)> next;
  std::function<void()> begin = [] {};
  std::vector<double> rates{}, microseconds{};

  void run(std::size_t connections, std::size_t requests) {
    begin();
    std::vector<std::unique_ptr<Caller>> callers;
    for (std::size_t i = 0; i < connections; ++i) {
      callers.push_back(std::make_unique<Caller>(port, tls));
    }
    std::atomic<double> own{0};
    const double processor = processor_seconds();
    const auto start = SteadyClock::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < connections; ++i) {
      threads.emplace_back([&, i] {
        const double before = processor_seconds(RUSAGE_THREAD);
        std::string request;
        for (std::size_t turn = 0; turn < requests; ++turn) {
          request.clear();
          next(i, turn, request);
          callers[i]->exchange(request);
        }
        own += processor_seconds(RUSAGE_THREAD) - before;
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    const auto answers = static_cast<double>(connections * requests);
    rates.push_back(answers / seconds);
    microseconds.push_back((processor_seconds() - processor - own) * 1e6 / answers);
  }
  void print() const {
    std::printf("%-22s %8.0f /s   %6.1f us of the signer's processor time per answer\n", name, median(rates),
                median(microseconds));
  }
};

std::shared_ptr<http::TlsIdentity> identity_in(const fs::path& folder) {
  const std::string certificate = (folder / "tls.crt").string(), key = (folder / "tls.key").string();
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench"
      " -keyout " +
      key + " -out " + certificate + " 2>/dev/null";
  if (std::system(make.c_str()) != 0) {
    give_up("openssl made no certificate");
  }
  http::TlsOptions options;
  options.certificate_path = certificate;
  options.key_path = key;
  return http::TlsIdentity::load(std::move(options)).value();
}

int run(int argc, char** argv) {
  log::configure(log::Level::error, log::Format::text);
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? std::max<std::size_t>(1, std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  const std::size_t connections = number(1, 16), requests = number(2, 200), rounds = number(3, 7);
  const BenchFolder folder(fs::temp_directory_path());
  const BenchSigner signer(folder.path(), connections * requests);
  http::ServerOptions over_tls;
  over_tls.tls = identity_in(folder.path());
  const auto encrypted = http::Server::start(std::move(over_tls), signer.router()).value();
  const http::OpenSslPtr<SSL_CTX> tls(SSL_CTX_new(TLS_client_method()));

  const Posts posts(signer.public_keys);
  std::uint64_t epoch = 0;
  std::string body;
  const auto next_slot = [&] {
    ++epoch;
    body = attestation(epoch, epoch);
  };
  const auto upcheck = [](std::size_t, std::size_t, std::string& out) {
    out += "GET /upcheck HTTP/1.1\r\nHost: localhost\r\n\r\n";
  };
  const auto vote = [&](std::size_t connection, std::size_t turn, std::string& out) {
    posts.write(connection * requests + turn, body, out);
  };
  Side floor{"floor", signer.server->port(), nullptr, upcheck};
  Side floor_tls{"floor, TLS", encrypted->port(), tls.get(), upcheck};
  Side sign{"signature", signer.server->port(), nullptr, vote, next_slot};
  Side sign_tls{"signature, TLS", encrypted->port(), tls.get(), vote, next_slot};
  for (std::size_t round = 0; round < rounds; ++round) {
    for (Side* side : {&floor, &floor_tls, &sign, &sign_tls}) {
      side->run(connections, requests);
    }
  }
  std::printf("%zu connections that stay, %zu requests on each, %zu rounds\n", connections, requests, rounds);
  for (const Side* side : {&floor, &floor_tls, &sign, &sign_tls}) {
    side->print();
  }
  std::printf("ratio http_floor %.2f\n", median(sign.microseconds) / median(floor.microseconds));
  std::printf("ratio tls_keep_alive %.2f\n", median(sign_tls.rates) / median(sign.rates));
  return 0;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
