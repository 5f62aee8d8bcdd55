// A caller over TLS, with OpenSSL itself and nothing of the server's code.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/raw_client.h"
#include "support/certificates.h"

namespace cc::http::testing {

struct TlsCallerOptions {
  const test::Certificate* certificate = nullptr;  // shown to the server
  int version = 0;                                 // this one and no other; 0: any
  std::string alpn{};                              // wire form; empty: none offered
};

class TlsCaller {
 public:
  explicit TlsCaller(std::uint16_t port, const TlsCallerOptions& options = {})
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), context_(SSL_CTX_new(TLS_client_method())) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    SSL_CTX_set_security_level(context_.get(), 0);
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context_.get(), options.version);
      SSL_CTX_set_max_proto_version(context_.get(), options.version);
    }
    if (options.certificate != nullptr) {
      SSL_CTX_use_certificate(context_.get(), options.certificate->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), options.certificate->key.get());
    }
    session_.reset(SSL_new(context_.get()));
    if (!options.alpn.empty()) {
      SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
    }
    SSL_set_fd(session_.get(), fd_);
    connected_ = SSL_connect(session_.get()) == 1;
  }
  ~TlsCaller() { hang_up(); }
  TlsCaller(const TlsCaller&) = delete;
  TlsCaller& operator=(const TlsCaller&) = delete;

  bool connected() const { return connected_; }
  SSL* session() const { return session_.get(); }
  int fd() const { return fd_; }
  std::string alpn() const {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &text, &size);
    return {reinterpret_cast<const char*>(text), size};
  }
  std::string server_fingerprint() const {
    const OpenSslPtr<X509> shown(SSL_get1_peer_certificate(session_.get()));
    return shown ? fingerprint_of(shown.get()) : std::string();
  }

  bool send(std::string_view text) const {
    return SSL_write(session_.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
  }
  // What comes until `size` bytes are there or the server ends.
  std::string read(std::size_t size) const {
    std::string out;
    char buffer[16384];
    while (out.size() < size) {
      const int got = SSL_read(session_.get(), buffer, sizeof(buffer));
      if (got <= 0) {
        break;
      }
      out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }
  // One answer with a Content-Length; empty when there is none.
  std::string exchange(std::string_view request) const {
    if (!connected_ || !send(request)) {
      return {};
    }
    std::string out;
    std::size_t wanted = 1;
    while (out.size() < wanted) {
      const std::string more = read(1);
      if (more.empty()) {
        return {};
      }
      out += more;
      const std::size_t end = out.find("\r\n\r\n");
      const std::size_t length = out.find("Content-Length: ");
      wanted = end == std::string::npos ? out.size() + 1 : end + 4 + std::stoul(out.substr(length + 16));
    }
    return out;
  }
  void hang_up() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }

 private:
  int fd_;
  OpenSslPtr<SSL_CTX> context_;
  OpenSslPtr<SSL> session_;
  bool connected_ = false;
};

}  // namespace cc::http::testing
