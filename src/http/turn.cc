#include "http/turn.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace cc::http {
namespace {

thread_local Turn* this_thread = nullptr;

}  // namespace

void after_this_turn(const void* what, std::function<void()> work) {
  if (this_thread == nullptr) {
    work();
    return;
  }
  this_thread->put_off(what, std::move(work));
}

Turn::Turn(asio::io_context& io) : io_(io) { this_thread = this; }

Turn::~Turn() {
  this_thread = nullptr;
  end();
}

// What is posted stands behind everything that is ready by now.
void Turn::put_off(const void* what, std::function<void()> work) {
  const bool first = put_off_.empty();
  if (std::any_of(put_off_.begin(), put_off_.end(), [what](const auto& one) { return one.first == what; })) {
    return;
  }
  put_off_.emplace_back(what, std::move(work));
  if (first) {
    asio::post(io_, [this] { end(); });
  }
}

void Turn::end() {
  const auto ready = std::exchange(put_off_, {});
  for (const auto& one : ready) {
    one.second();
  }
}

}  // namespace cc::http
