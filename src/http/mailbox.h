// How answers reach the I/O thread from any other: a list, and one wake-up per burst. Outlives the server as long as a
// handler still holds a Responder; answers after that go nowhere.
//
// Thread-safe. Response bodies may hold one-time tokens: what cannot be delivered is wiped.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/asio_types.h"
#include "http/message.h"

namespace cc::http {

// A connection that waits for the answer to one of its requests.
class ReplyTarget {
 public:
  virtual ~ReplyTarget() = default;
  // On the I/O thread. `sequence` names the request within the connection; answers to earlier ones come too late.
  virtual void take_reply(std::uint64_t sequence, Response response) = 0;
  // The handler of this very connection is on the stack: its answer needs no post.
  virtual bool dispatching() const = 0;
};

class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(asio::io_context& io) : io_(&io) {}
  // Called on the I/O thread before the first request.
  void serve_on_this_thread() { io_thread_ = std::this_thread::get_id(); }
  void deliver(std::weak_ptr<ReplyTarget> target, std::uint64_t sequence, Response response);
  // The io_context goes away.
  void close();

  std::atomic<std::size_t> in_flight{0};  // requests handed to a handler and not yet answered by it

 private:
  struct Letter {
    std::weak_ptr<ReplyTarget> target;
    std::uint64_t sequence = 0;
    Response response;
  };
  void hand_out();

  std::mutex mutex_;
  asio::io_context* io_;  // null once closed
  std::vector<Letter> letters_;
  std::thread::id io_thread_;
};

// A Responder for one request: the first answer counts; dying unused answers 500.
Responder make_responder(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ReplyTarget> target, std::uint64_t sequence);

}  // namespace cc::http
