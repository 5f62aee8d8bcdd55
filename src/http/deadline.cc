#include "http/deadline.h"

#include <boost/asio/steady_timer.hpp>

namespace cc::http {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;
constexpr SteadyClock::time_point kNever = SteadyClock::time_point::max();

}  // namespace

// Outlives the Deadline while a wait is pending.
struct Deadline::State {
  State(const Executor& executor, std::function<void()> callback) : timer(executor), on_expiry(std::move(callback)) {}
  Timer timer;
  std::function<void()> on_expiry;
  SteadyClock::time_point due = kNever;
  SteadyClock::time_point armed = kNever;  // when the pending wait ends
  bool expired = false;
};

Deadline::Deadline(const Executor& executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Deadline::~Deadline() {
  state_->on_expiry = nullptr;
  state_->due = kNever;
  state_->timer.cancel();
}

void Deadline::set(Milliseconds from_now) {
  state_->due = SteadyClock::now() + from_now;
  state_->expired = false;
  if (state_->due < state_->armed) {
    arm(state_);
  }
}

void Deadline::clear() {
  state_->due = kNever;
  state_->expired = false;
}

bool Deadline::expired() const { return state_->expired; }

void Deadline::arm(const std::shared_ptr<State>& state) {
  state->armed = state->due;
  state->timer.expires_at(state->armed);
  state->timer.async_wait([state](const ErrorCode& ec) {
    if (ec) {
      return;  // set to an earlier time, or gone
    }
    state->armed = kNever;
    if (state->due == kNever) {
      return;
    }
    if (SteadyClock::now() < state->due) {
      arm(state);
      return;
    }
    state->due = kNever;
    state->expired = true;
    // A copy: the call may end the connection, and this function with it.
    if (const auto on_expiry = state->on_expiry) {
      on_expiry();
    }
  });
}

}  // namespace cc::http
