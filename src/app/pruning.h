// Forgets old slashing history now and then (anti_slashing.pruning). The timer only says when to look: what goes is
// decided by epochs alone (guard/history.h), one validator and one transaction at a time, between signatures.
//
// Threads: start() and stop() from the composition root; one thread of its own. No secret passes. A store that fails
// stops this pruning, never the signer; the next one comes after the interval.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "app/config.h"
#include "base/clock.h"
#include "ethereum/network.h"
#include "guard/history.h"

namespace cc::app {

inline guard::Keep keep_of(const Config& config, const ethereum::Network& network) {
  return {config.anti_slashing.keep_epochs, network.preset.slots_per_epoch};
}
inline Milliseconds pruning_interval(const Config& config) {
  return std::chrono::minutes(config.anti_slashing.pruning_interval_minutes);
}

// Prunes every validator of the store; `stop` is asked between two of them. Errors: those of the store.
Result<guard::Pruned> prune_store(guard::SlashingStore& store, const guard::Keep& keep,
                                  const std::function<bool()>& stop);

class Pruner {
 public:
  // The store outlives this.
  Pruner(guard::SlashingStore& store, guard::Keep keep, Milliseconds interval)
      : store_(store), keep_(keep), interval_(interval) {}
  ~Pruner() { stop(); }
  Pruner(const Pruner&) = delete;
  Pruner& operator=(const Pruner&) = delete;

  void start();
  // Waits for the transaction under way.
  void stop();

 private:
  void run();
  bool stopping();

  guard::SlashingStore& store_;
  const guard::Keep keep_;
  const Milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cc::app
