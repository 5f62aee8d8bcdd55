// One turn of an I/O thread: everything whose bytes have arrived already is read and handed out before what was put off
// runs. So work that is the cheaper the more of it comes together starts once per turn, without a timer: an idle server
// starts it at once.
//
// Threads: after_this_turn() from any; elsewhere than inside a handler on an I/O thread it runs the work at once.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "http/asio_types.h"

namespace cc::http {

// Runs `work` once this turn is over; `what` names it, and of one name the first of a turn counts. It must not throw.
void after_this_turn(const void* what, std::function<void()> work);

// The turns of one I/O thread. Lives on that thread, around its event loop.
class Turn {
 public:
  explicit Turn(asio::io_context& io);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  friend void after_this_turn(const void* what, std::function<void()> work);
  void put_off(const void* what, std::function<void()> work);
  void end();

  asio::io_context& io_;
  std::vector<std::pair<const void*, std::function<void()>>> put_off_;
};

}  // namespace cc::http
