#include "http/event.h"

#include <boost/asio/async_result.hpp>

namespace cc::http {

class Event::Waiter {
 public:
  Waiter() = default;
  virtual ~Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual void resume() = 0;
};

template <class Handler>
class Event::WaiterOf final : public Event::Waiter {
 public:
  explicit WaiterOf(Handler handler) : handler_(std::move(handler)) {}
  void resume() override {
    Handler handler = std::move(handler_);
    std::move(handler)();
  }

 private:
  Handler handler_;
};

Event::Event() = default;
Event::~Event() = default;

Awaitable<void> Event::wait() {
  if (set_) {
    co_return;
  }
  auto keep = [this](auto handler) { waiter_ = std::make_unique<WaiterOf<decltype(handler)>>(std::move(handler)); };
  UseAwaitable token;
  co_await asio::async_initiate<UseAwaitable, void()>(keep, token);
}

void Event::set() {
  set_ = true;
  if (const auto waiter = std::exchange(waiter_, nullptr)) {
    waiter->resume();
  }
}

void Event::reset() { set_ = false; }

}  // namespace cc::http
