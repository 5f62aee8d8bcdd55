#include "audit/trail.h"

#include <algorithm>
#include <future>
#include <utility>

#include "base/log.h"

namespace cc::audit {
namespace {

constexpr Milliseconds kTellLeftOut{60'000};

Error not_kept(const Error& why) {
  return {ErrorKind::store_unavailable,
          "the audit log cannot be written, so nothing was done: " + why.message + "; see to that and try again"};
}

}  // namespace

Trail::Trail(LogFile& file, const Clock& clock, const LogId& log, const Head& head, TrailOptions options,
             std::optional<Error> broken)
    : file_(file),
      clock_(clock),
      options_(options),
      broken_(std::move(broken)),
      chain_(log, head),
      last_checkpoint_(head.number),
      durable_(head),
      trouble_(broken_),
      door_{options.refusal_burst, clock.monotonic()},
      signatures_{options.refusal_burst, clock.monotonic()},
      thread_([this] { run(); }) {}

Trail::~Trail() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

// Under the lock.
void Trail::place(Draft what, const std::optional<Signed>& checkpoint) {
  if (broken_ || waiting_.size() > options_.waiting_limit) {
    ++lost_;
    ++lost_total_;
    return;
  }
  waiting_ += chain_.append(std::move(what), clock_.unix_seconds(), checkpoint);
  waiting_ += '\n';
  ++entries_;
}

void Trail::sign_head() {
  if (!key_ || broken_ || last_checkpoint_ == chain_.head().number) {
    return;
  }
  // The entry's own time is signed with it.
  const Head before = chain_.head();
  const std::uint64_t time = clock_.unix_seconds();
  const Signed made = key_->sign(chain_.log(), before, time);
  if (waiting_.size() > options_.waiting_limit) {
    return;
  }
  Draft what;
  what.event = Event::checkpoint;
  waiting_ += chain_.append(std::move(what), time, made);
  waiting_ += '\n';
  ++entries_;
  last_checkpoint_ = chain_.head().number;
}

void Trail::tell_left_out() {
  left_out_since_.reset();
  Draft what;
  what.event = Event::left_out;
  what.count = std::exchange(left_out_, 0);
  place(std::move(what));
}

void Trail::settle_left_out() {
  const std::lock_guard lock(mutex_);
  if (left_out_since_) {
    tell_left_out();
  }
}

void Trail::add(Draft what, Then then) {
  {
    const std::lock_guard lock(mutex_);
    place(std::move(what));
    if (chain_.head().number - last_checkpoint_ >= options_.checkpoint_every) {
      sign_head();
    }
    if (then) {
      thens_.push_back(std::move(then));
    }
  }
  work_.notify_all();
}

void Trail::keep(Draft what, Then then) { add(std::move(what), std::move(then)); }

bool Trail::refusal_fits(Event event) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = event == Event::sign ? signatures_ : door_;
  const Milliseconds now = clock_.monotonic();
  const double more = static_cast<double>((now - bucket.at).count()) / 1000 * options_.refusals_per_second;
  bucket.left = std::min(options_.refusal_burst, bucket.left + more);
  bucket.at = now;
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return true;
  }
  ++left_out_;
  ++left_out_total_;
  if (!left_out_since_) {
    left_out_since_ = now;
  }
  return false;
}

void Trail::keep_refusal(Draft what, Then then) {
  if (refusal_fits(what.event)) {
    add(std::move(what), std::move(then));
  } else if (then) {
    then({});
  }
}

Result<void> Trail::ask(Draft what, bool proven) {
  {
    const std::lock_guard lock(mutex_);
    if (trouble_) {
      return fail(not_kept(*trouble_));
    }
  }
  // Of those a flood goes unasked; what they achieve is told all the same.
  if (!proven && !refusal_fits(what.event)) {
    return {};
  }
  const Result<void> kept = tell(std::move(what));
  return kept ? kept : Result<void>(fail(not_kept(kept.error())));
}

Result<void> Trail::tell(Draft what) {
  const auto done = std::make_shared<std::promise<Result<void>>>();
  std::future<Result<void>> outcome = done->get_future();
  add(std::move(what), [done](Result<void> kept) { done->set_value(std::move(kept)); });
  if (outcome.wait_for(options_.ask_patience) != std::future_status::ready) {
    return fail(ErrorKind::store_unavailable, "the disk does not answer");
  }
  return outcome.get();
}

Journal::Facts Trail::facts() const {
  const std::lock_guard lock(mutex_);
  return {chain_.log(),    durable_,        key_ ? std::optional(key_->public_key()) : std::nullopt,
          trouble_,        waiting_.size(), entries_,
          left_out_total_, lost_total_};
}

Result<std::vector<crypto::Digest>> Trail::hashes_after(const Head& from, std::size_t limit) const {
  if (broken_) {
    return fail(*broken_);
  }
  const Head until = facts().durable;
  if (from.number > until.number) {
    return fail(ErrorKind::not_found, "the audit log has no entry " + std::to_string(from.number) + ": it ends with " +
                                          std::to_string(until.number));
  }
  std::vector<crypto::Digest> out;
  std::uint64_t number = 0;
  bool other = from.number == 0 && from.value != crypto::Digest{};
  CC_TRY(file_.read([&](std::string_view line) {
    ++number;
    if (number == from.number) {
      const Result<Entry> entry = decode(line);
      other = !entry || entry->head != from.value;
    } else if (number > from.number && number <= until.number) {
      out.push_back(entry_hash(hashed_part(line)));
    }
    return !other && out.size() < limit && number < until.number;
  }));
  if (other) {
    return fail(ErrorKind::record_conflict,
                "the audit log has another head at entry " + std::to_string(from.number) + " than the one named");
  }
  return out;
}

void Trail::take_key(CheckpointKey key) {
  const std::lock_guard lock(mutex_);
  key_ = std::move(key);
}

void Trail::drop_key() {
  const std::lock_guard lock(mutex_);
  key_.reset();
}

void Trail::checkpoint() {
  {
    const std::lock_guard lock(mutex_);
    sign_head();
  }
  work_.notify_all();
}

void Trail::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (trouble_ && !stopping_) {
      work_.wait_for(lock, options_.retry, [this] { return stopping_ || !thens_.empty(); });
    } else {
      work_.wait_for(lock, options_.retry, [this] { return stopping_ || !waiting_.empty() || !thens_.empty(); });
    }
    if (left_out_since_ && (stopping_ || clock_.monotonic() - *left_out_since_ >= kTellLeftOut)) {
      tell_left_out();
    }
    const bool unfinished = !broken_ && (lost_ != 0 || trouble_);
    if (!waiting_.empty() || !thens_.empty() || unfinished) {
      write(lock);
    }
    if (stopping_) {
      return;
    }
  }
}

// Writes all that waits, with the lock let go meanwhile.
void Trail::write(std::unique_lock<std::mutex>& lock) {
  if (lost_ != 0 && !broken_ && waiting_.size() < options_.waiting_limit) {
    Draft what;
    what.event = Event::entries_lost;
    what.count = std::exchange(lost_, 0);
    place(std::move(what));
  }
  const std::string lines = std::exchange(waiting_, {});
  const std::vector<Then> thens = std::exchange(thens_, {});
  const Head head = chain_.head();
  lock.unlock();
  Result<void> kept = broken_ ? Result<void>(fail(*broken_)) : lines.empty() ? Result<void>() : file_.append(lines);
  const Result<void> room = broken_ ? kept : file_.reserve();
  lock.lock();
  const bool had_trouble = trouble_.has_value();
  if (kept) {
    durable_ = head;
  } else {
    waiting_ = lines + waiting_;
  }
  trouble_ = !kept ? std::optional(kept.error()) : !room ? std::optional(room.error()) : std::nullopt;
  const std::optional<Error> trouble = trouble_;
  lock.unlock();
  if (trouble && !had_trouble) {
    log::error("the audit log cannot be written: ceremonies are refused until it can be, signing goes on",
               {{"reason", trouble->message}});
  } else if (!trouble && had_trouble) {
    log::info("the audit log can be written again");
  }
  for (const Then& then : thens) {
    then(kept);
  }
  lock.lock();
}

}  // namespace cc::audit
