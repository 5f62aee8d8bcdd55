#include "http/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "http/event.h"
#include "http/tls_files.h"

namespace cc::http {
namespace {

constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 60\r\n\r\nThis port speaks TLS: use https:// in the signer's address.\n";
constexpr unsigned char kHandshakeRecord = 0x16;

int fd_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool try_again(ssize_t outcome) { return outcome < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR); }

// A socket as OpenSSL sees it; unlike OpenSSL's own it never raises SIGPIPE.
int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(fd_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (try_again(sent)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(fd_of(bio), data, static_cast<std::size_t>(size), 0);
  if (try_again(got)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(got);
}

long bio_ctrl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    if (made != nullptr) {
      BIO_meth_set_write(made, &bio_write);
      BIO_meth_set_read(made, &bio_read);
      BIO_meth_set_ctrl(made, &bio_ctrl);
    }
    return made;
  }();
  return method;
}

BIO* socket_bio(int fd) {
  BIO* const bio = socket_method() == nullptr ? nullptr : BIO_new(socket_method());
  if (bio != nullptr) {
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
    BIO_set_init(bio, 1);
  }
  return bio;
}

class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, OpenSslPtr<SSL> session, TlsHandshakes& handshakes, std::string peer)
      : socket_(std::move(socket)), session_(std::move(session)), handshakes_(handshakes), peer_(std::move(peer)) {}

  Awaitable<bool> open() override {
    const bool plain = co_await begins_plainly();
    if (plain) {
      handshakes_.failed(peer_, "the caller speaks plain HTTP");
      ::send(socket_.native_handle(), kPlainAnswer.data(), kPlainAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      ErrorCode ignored;
      socket_.shutdown(Socket::shutdown_send, ignored);
      drop_input();
      co_return false;
    }
    bool more = true;
    while (more) {
      more = co_await step();
    }
    if (established_) {
      handshakes_.succeeded();
    } else {
      handshakes_.failed(peer_, reason_);
    }
    co_return established_;
  }

  Awaitable<std::size_t> read_some(std::span<char> into) override {
    while (!broken_) {
      std::size_t size = 0;
      ERR_clear_error();
      const int outcome = SSL_read_ex(session_.get(), into.data(), into.size(), &size);
      if (outcome == 1) {
        co_return size;
      }
      const bool ready = co_await wait_for(outcome);
      if (!ready) {
        co_return 0;
      }
    }
    co_return 0;
  }

  Awaitable<bool> write_all(std::string_view text) override {
    while (!text.empty() && !broken_) {
      std::size_t size = 0;
      ERR_clear_error();
      const int outcome = SSL_write_ex(session_.get(), text.data(), text.size(), &size);
      if (outcome == 1) {
        text.remove_prefix(size);
        continue;
      }
      const bool ready = co_await wait_for(outcome);
      if (!ready) {
        co_return false;
      }
    }
    co_return text.empty();
  }

  void cancel() noexcept override {
    cancelled_ = true;
    ErrorCode ignored;
    socket_.cancel(ignored);
  }

  void shutdown_send() noexcept override {
    say_goodbye();
    ErrorCode ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  // While a step is on its thread the descriptor must not be given to another connection.
  void close() noexcept override {
    ErrorCode ignored;
    if (stepping_) {
      cancelled_ = true;
      socket_.shutdown(Socket::shutdown_both, ignored);
      return;
    }
    say_goodbye();
    broken_ = true;  // the descriptor may soon be another connection's
    socket_.close(ignored);
  }

 private:
  enum class Wish { read, write };

  Awaitable<bool> ready_for(Wish wish) {
    ErrorCode ec;
    auto token = asio::redirect_error(UseAwaitable(), ec);
    co_await socket_.async_wait(wish == Wish::read ? Socket::wait_read : Socket::wait_write, token);
    co_return !ec;
  }

  // The first byte tells a TLS client from one that took the wrong address. False also at the end of input.
  Awaitable<bool> begins_plainly() {
    const bool ready = co_await ready_for(Wish::read);
    if (!ready) {
      co_return false;
    }
    unsigned char first = kHandshakeRecord;
    const ssize_t got = ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    co_return got == 1 && first >= 'A' && first <= 'Z';
  }

  // A socket closed with unread input resets the connection, and the caller may lose the answer.
  void drop_input() {
    std::array<char, 16UL * 1024> dropped{};
    ssize_t got = 1;
    for (int rounds = 0; got > 0 && rounds < 64; ++rounds) {
      got = ::recv(socket_.native_handle(), dropped.data(), dropped.size(), MSG_DONTWAIT);
    }
    OPENSSL_cleanse(dropped.data(), dropped.size());
  }

  // One step of the handshake on the handshake thread. False when it is over, well or not.
  Awaitable<bool> step() {
    if (cancelled_) {
      reason_ = "it did not end in time";
      co_return false;
    }
    Event stepped;
    int outcome = 0;
    int error = SSL_ERROR_SSL;
    stepping_ = true;
    const bool queued =
        handshakes_.add([this, &stepped, &outcome, &error, work = asio::make_work_guard(socket_.get_executor())] {
          ERR_clear_error();
          outcome = SSL_do_handshake(session_.get());
          error = SSL_get_error(session_.get(), outcome);
          if (outcome != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            reason_ = describe(error);
          }
          asio::post(work.get_executor(), [&stepped] { stepped.set(); });
        });
    if (!queued) {
      stepping_ = false;
      reason_ = "too many handshakes wait";
      co_return false;
    }
    co_await stepped.wait();
    stepping_ = false;
    established_ = outcome == 1 && !cancelled_;
    if (outcome == 1 || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)) {
      broken_ = outcome != 1;
      co_return false;
    }
    const bool ready = co_await ready_for(error == SSL_ERROR_WANT_READ ? Wish::read : Wish::write);
    if (!ready) {
      reason_ = "it did not end in time";
    }
    co_return ready;
  }

  std::string describe(int error) const {
    if (error != SSL_ERROR_SSL) {
      return "the caller hung up";
    }
    const long verdict = SSL_get_verify_result(session_.get());
    if (verdict == X509_V_ERR_APPLICATION_VERIFICATION) {
      return "the client's certificate names nobody in tls.client.allowed";
    }
    const std::string reason = openssl_reason();
    return verdict == X509_V_OK ? reason
                                : reason + " (client certificate: " + X509_verify_cert_error_string(verdict) + ")";
  }

  // After a call of OpenSSL that did not succeed. False when the stream is over.
  Awaitable<bool> wait_for(int outcome) {
    const int error = SSL_get_error(session_.get(), outcome);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      // After these OpenSSL forbids another word on this session.
      broken_ = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
      ERR_clear_error();
      co_return false;
    }
    const bool ready = co_await ready_for(error == SSL_ERROR_WANT_READ ? Wish::read : Wish::write);
    co_return ready;
  }

  void say_goodbye() noexcept {
    if (established_ && !broken_ && socket_.is_open() && (SSL_get_shutdown(session_.get()) & SSL_SENT_SHUTDOWN) == 0) {
      SSL_shutdown(session_.get());
      ERR_clear_error();
    }
  }

  Socket socket_;
  OpenSslPtr<SSL> session_;
  TlsHandshakes& handshakes_;
  const std::string peer_;
  std::string reason_;  // why the handshake failed; the handshake thread's while stepping_
  bool stepping_ = false;
  bool cancelled_ = false;  // while the handshake thread was busy
  bool broken_ = false;
  bool established_ = false;
};

}  // namespace

std::unique_ptr<Stream> tls_stream(Socket socket, const TlsIdentity& identity, TlsHandshakes& handshakes,
                                   std::string peer) {
  ErrorCode ec;
  socket.native_non_blocking(true, ec);
  OpenSslPtr<SSL> session(identity.new_session());
  BIO* const bio = session && !ec ? socket_bio(socket.native_handle()) : nullptr;
  if (bio == nullptr) {
    return nullptr;
  }
  SSL_set_bio(session.get(), bio, bio);  // takes the BIO over
  SSL_set_accept_state(session.get());
  return std::make_unique<TlsStream>(std::move(socket), std::move(session), handshakes, std::move(peer));
}

}  // namespace cc::http
