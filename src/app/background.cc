#include "app/background.h"

#include <algorithm>

#include "base/log.h"

namespace cc::app {
namespace {

constexpr Milliseconds kTick{1000};
constexpr Milliseconds kFirstPause{1000};
constexpr Milliseconds kLongestPause{30'000};
// With nothing to retry the stored record is still read now and then: another process may have changed it.
constexpr Milliseconds kFollow{5000};
// DESIGN section 4: at least every 10 s.
constexpr Milliseconds kCheckpoint{5000};

}  // namespace

Background::Background(seal::Chamber& chamber, const Clock& clock, Random& random, std::function<void()> checkpoint)
    : chamber_(chamber), clock_(clock), random_(random), checkpoint_(std::move(checkpoint)), pause_(kFirstPause) {}

void Background::start() {
  thread_ = std::thread([this] { run(); });
}

void Background::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void Background::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Background::run() {
  next_checkpoint_ = clock_.monotonic() + kCheckpoint;
  while (true) {
    bool woken = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kTick, [this] { return stopping_ || woken_; });
      if (stopping_) {
        return;
      }
      woken = std::exchange(woken_, false);
    }
    chamber_.tick();
    if (woken) {
      pause_ = kFirstPause;
    }
    if (woken || clock_.monotonic() >= next_step_) {
      kms_step();
    }
    if (clock_.monotonic() >= next_checkpoint_) {
      checkpoint_();
      next_checkpoint_ = clock_.monotonic() + kCheckpoint;
    }
  }
}

// Reads the record, and opens what the KEKs alone open. A failure is tried again, ever more slowly and never in step
// with other replicas.
void Background::kms_step() {
  const Result<void> done = chamber_.run_kms_step();
  const std::string trouble = done ? std::string() : std::string(facts(done.error().kind).code) + done.error().message;
  if (!done && trouble != last_trouble_) {
    log::warn("the chamber cannot open further; trying again",
              {{"code", facts(done.error().kind).code}, {"reason", done.error().message}});
  } else if (done && !last_trouble_.empty()) {
    log::info("the chamber goes on", {{"state", seal::name(chamber_.status().state)}});
  }
  last_trouble_ = trouble;
  next_step_ = clock_.monotonic() + (done ? kFollow : jittered(pause_));
  pause_ = done ? kFirstPause : std::min(pause_ * 2, kLongestPause);
}

Milliseconds Background::jittered(Milliseconds pause) {
  const auto draw = random_.array<2>();
  const std::int64_t part = draw[0] << 8 | draw[1];  // 0..65535
  // Between half and the whole of the pause.
  return pause / 2 + Milliseconds(pause.count() * part / 131072);
}

}  // namespace cc::app
