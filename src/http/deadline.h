// One deadline at a time over one timer. Moving it later costs no timer operation: the timer fires at the earlier time
// and is set again, so that a busy keep-alive connection hardly ever touches the timer queue.
//
// One thread, the I/O thread.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "http/asio_types.h"

namespace cc::http {

class Deadline {
 public:
  // `on_expiry` is called once for each deadline that passes, and never after the destructor.
  Deadline(const Executor& executor, std::function<void()> on_expiry);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(Milliseconds from_now);
  void clear();
  // The deadline last set has passed.
  bool expired() const;

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace cc::http
