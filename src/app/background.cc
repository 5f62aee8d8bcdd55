#include "app/background.h"

#include <algorithm>

#include "base/log.h"

namespace cc::app {
namespace {

constexpr Milliseconds kTick{1000};
constexpr Milliseconds kFirstPause{1000};
constexpr Milliseconds kLongestPause{30'000};
// DESIGN section 4: at least every 10 s.
constexpr Milliseconds kCheckpoint{5000};

}  // namespace

Background::Background(seal::Chamber& chamber, const Clock& clock, Random& random, BackgroundWork work)
    : chamber_(chamber), clock_(clock), random_(random), work_(std::move(work)), pause_(kFirstPause) {}

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
  last_read_ = clock_.monotonic();
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
      work_.checkpoint();
      next_checkpoint_ = clock_.monotonic() + kCheckpoint;
    }
    if (work_.keys_interval.count() > 0 && clock_.monotonic() >= next_keys_) {
      follow_keys();
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
  judge_staleness(done);
  const Milliseconds follow = work_.follow.count() > 0 ? work_.follow : Milliseconds::max() / 2;
  next_step_ = done ? clock_.monotonic() + follow : clock_.monotonic() + jittered(pause_);
  pause_ = done ? kFirstPause : std::min(pause_ * 2, kLongestPause);
}

// A closed chamber signs nothing anyway.
void Background::judge_staleness(const Result<void>& done) {
  const Milliseconds now = clock_.monotonic();
  if (done) {
    last_read_ = now;
  }
  const seal::VisibleState state = chamber_.status().state;
  const bool signs = state == seal::VisibleState::unsealed || state == seal::VisibleState::awaiting_rotation ||
                     state == seal::VisibleState::uninitialized;
  const bool unread = !done && done.error().kind == ErrorKind::store_unavailable;
  const bool stale = unread && signs && now - last_read_ >= work_.max_stale;
  if (stale == stale_) {
    return;
  }
  stale_ = stale;
  if (stale) {
    log::error("signing stops: the seal record cannot be read", {{"reason", done.error().message}});
    work_.stale(Error{ErrorKind::store_unavailable,
                      "the seal record could not be read for too long, so a seal or rotation elsewhere would go "
                      "unnoticed: " +
                          done.error().message});
  } else {
    log::info("signing goes on: the seal record can be read again");
    work_.stale(std::nullopt);
  }
}

void Background::follow_keys() {
  const Result<bool> followed = work_.follow_keys();
  const std::string trouble = followed ? std::string() : followed.error().message;
  if (!followed && trouble != last_keys_trouble_) {
    log::warn("the key store cannot be followed; trying again",
              {{"code", facts(followed.error().kind).code}, {"reason", trouble}});
  }
  last_keys_trouble_ = trouble;
  next_keys_ = clock_.monotonic() + work_.keys_interval;
}

Milliseconds Background::jittered(Milliseconds pause) {
  const auto draw = random_.array<2>();
  const std::int64_t part = draw[0] << 8 | draw[1];  // 0..65535
  // Between half and the whole of the pause.
  return pause / 2 + Milliseconds(pause.count() * part / 131072);
}

}  // namespace cc::app
