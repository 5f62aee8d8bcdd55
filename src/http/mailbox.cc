#include "http/mailbox.h"

#include <boost/asio/post.hpp>
#include <cstdio>

namespace cc::http {
namespace {

class ReplySlot {
 public:
  ReplySlot(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ReplyTarget> target, std::uint64_t sequence)
      : mailbox_(std::move(mailbox)), target_(std::move(target)), sequence_(sequence) {
    mailbox_->in_flight.fetch_add(1, std::memory_order_relaxed);
  }
  ~ReplySlot() { answer_when_dropped(); }
  ReplySlot(const ReplySlot&) = delete;
  ReplySlot& operator=(const ReplySlot&) = delete;

  void answer(Response response) {
    if (answered_.exchange(true)) {
      wipe(response.body);
      return;
    }
    mailbox_->in_flight.fetch_sub(1, std::memory_order_relaxed);
    mailbox_->deliver(std::move(target_), sequence_, std::move(response));
  }

 private:
  void answer_when_dropped() noexcept {
    if (answered_.load()) {
      return;
    }
    try {
      answer(problem({ErrorKind::internal, "The request was dropped without an answer."}));
    } catch (const std::exception& thrown) {
      // Out of memory: the reply timeout answers instead.
      std::fputs(thrown.what(), stderr);
    }
  }

  std::shared_ptr<Mailbox> mailbox_;
  std::weak_ptr<ReplyTarget> target_;
  std::uint64_t sequence_;
  std::atomic<bool> answered_{false};
};

}  // namespace

void Mailbox::deliver(std::weak_ptr<ReplyTarget> target, std::uint64_t sequence, Response response) {
  if (std::this_thread::get_id() == io_thread_) {
    const auto waiting = target.lock();
    if (waiting && waiting->dispatching()) {
      waiting->take_reply(sequence, std::move(response));
      return;
    }
  }
  const std::scoped_lock lock(mutex_);
  if (io_ == nullptr) {
    wipe(response.body);
    return;
  }
  letters_.push_back({std::move(target), sequence, std::move(response)});
  if (letters_.size() == 1) {
    asio::post(*io_, [self = shared_from_this()] { self->hand_out(); });
  }
}

void Mailbox::hand_out() {
  std::vector<Letter> letters;
  {
    const std::scoped_lock lock(mutex_);
    letters.swap(letters_);
  }
  for (Letter& letter : letters) {
    if (const auto waiting = letter.target.lock()) {
      waiting->take_reply(letter.sequence, std::move(letter.response));
    } else {
      wipe(letter.response.body);
    }
  }
}

void Mailbox::close() {
  const std::scoped_lock lock(mutex_);
  io_ = nullptr;
  for (Letter& letter : letters_) {
    wipe(letter.response.body);
  }
  letters_.clear();
}

Responder make_responder(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ReplyTarget> target, std::uint64_t sequence) {
  auto slot = std::make_shared<ReplySlot>(std::move(mailbox), std::move(target), sequence);
  return [slot = std::move(slot)](Response response) { slot->answer(std::move(response)); };
}

}  // namespace cc::http
