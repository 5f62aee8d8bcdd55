// The log as a running signer keeps it: entries get their place at once, a thread of its own writes and flushes them in
// groups, and whoever waits is told afterwards.
//
// When the file cannot be written (a full disk), entries wait in memory up to 4 MiB and are tried again every second;
// what does not fit is counted and the count is told in an entry of its own. ask() then refuses, so that no ceremony
// begins unrecorded.
//
// Secrets: the checkpoint key while the chamber is open.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/journal.h"
#include "base/clock.h"

namespace cc::audit {

struct TrailOptions {
  std::uint64_t checkpoint_every = 64;    // entries, while the chamber is open
  std::size_t waiting_limit = 4UL << 20;  // bytes
  // Refusals written at once, and how many more each second; of callers at the door and of signatures separately.
  double refusal_burst = 200, refusals_per_second = 1;
  Milliseconds retry{1000};
  Milliseconds ask_patience{10'000};
};

class Trail final : public Journal {
 public:
  // `broken`: why nothing may be added to the log found; everything is then refused or counted as lost.
  Trail(LogFile& file, const Clock& clock, const LogId& log, const Head& head, TrailOptions options = {},
        std::optional<Error> broken = std::nullopt);
  // Writes what waits, once.
  ~Trail() override;

  void keep(Draft what, std::function<void(Result<void>)> then) override;
  void keep_refusal(Draft what, std::function<void(Result<void>)> then) override;
  Result<void> ask(Draft what, bool proven) override;
  Facts facts() const override;
  Result<std::vector<crypto::Digest>> hashes_after(const Head& from, std::size_t limit) const override;

  // Tells now what a flood has left out so far.
  void settle_left_out();
  // Blocks until the entry is durable. Errors: store_unavailable; it is then tried again later.
  Result<void> tell(Draft what);
  void note(Draft what) { keep(std::move(what), nullptr); }
  // The chamber opened, or closes: from now on checkpoints are signed with this key, or no more.
  void take_key(CheckpointKey key);
  void drop_key();
  // Signs the head, when there is a key.
  void checkpoint();

 private:
  using Then = std::function<void(Result<void>)>;
  struct Bucket {
    double left = 0;
    Milliseconds at{};
  };

  void add(Draft what, Then then);
  void place(Draft what, const std::optional<Signed>& checkpoint = std::nullopt);
  void sign_head();
  void tell_left_out();
  bool refusal_fits(Event event);
  void run();
  void write(std::unique_lock<std::mutex>& lock);

  LogFile& file_;
  const Clock& clock_;
  const TrailOptions options_;
  const std::optional<Error> broken_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  Chain chain_;
  std::optional<CheckpointKey> key_;
  std::uint64_t last_checkpoint_ = 0;
  std::string waiting_;      // lines that are not durable
  std::vector<Then> thens_;  // called when they are
  Head durable_;
  std::optional<Error> trouble_;
  std::uint64_t entries_ = 0, left_out_ = 0, left_out_total_ = 0, lost_ = 0, lost_total_ = 0;
  std::optional<Milliseconds> left_out_since_;
  Bucket door_, signatures_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace cc::audit
