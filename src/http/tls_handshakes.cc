#include "http/tls_handshakes.h"

#include <utility>

#include "base/log.h"

namespace cc::http {
namespace {

constexpr std::size_t kMostWaiting = 4096;
constexpr std::chrono::seconds kBetweenLines{1};

}  // namespace

TlsHandshakes::TlsHandshakes() : thread_([this] { work(); }) {}

TlsHandshakes::~TlsHandshakes() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool TlsHandshakes::add(std::function<void()> step) {
  {
    const std::scoped_lock lock(mutex_);
    if (ending_ || steps_.size() >= kMostWaiting) {
      return false;
    }
    steps_.push_back(std::move(step));
  }
  wake_.notify_one();
  return true;
}

void TlsHandshakes::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !steps_.empty(); });
    if (steps_.empty()) {
      return;
    }
    std::function<void()> step = std::move(steps_.front());
    steps_.pop_front();
    lock.unlock();
    step();
    step = nullptr;
    lock.lock();
  }
}

void TlsHandshakes::failed(const std::string& peer, const std::string& reason) {
  failed_.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t more = 0;
  {
    const auto now = std::chrono::steady_clock::now();
    const std::scoped_lock lock(mutex_);
    if (now < next_line_) {
      ++unreported_;
      return;
    }
    next_line_ = now + kBetweenLines;
    more = std::exchange(unreported_, 0);
  }
  log::warn("TLS handshake failed", {{"peer", peer}, {"reason", reason}, {"unreported_before", more}});
}

}  // namespace cc::http
