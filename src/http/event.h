// Lets one coroutine wait for one event of the same thread: the reply to its request.
#pragma once

#include <memory>

#include "http/asio_types.h"

namespace cc::http {

class Event {
 public:
  Event();
  ~Event();
  // Returns at once when set() came first.
  Awaitable<void> wait();
  // Resumes the waiter, from within this call.
  void set();
  void reset();

 private:
  class Waiter;
  template <class Handler>
  class WaiterOf;
  bool set_ = false;
  std::unique_ptr<Waiter> waiter_;
};

}  // namespace cc::http
