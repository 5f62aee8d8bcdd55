// Checks behind the running signer that every loaded public key belongs to its secret key. Loading derives no public
// key (a sealed record binds the two), so that a hundred thousand keys sign within half a second; what an error put
// into a record before it was sealed is found here, some seconds later.
//
// A key that fails is taken out of the ring and named in the log: what it signs nobody could verify.
// Threads: one of its own, at the lowest priority; the methods from any. Holds a few hundred keys of the ring at a
// time, which after closed() are let go within milliseconds.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/random.h"
#include "keys/key_ring.h"

namespace cc::app {

class KeyPairCheck {
 public:
  // Both outlive it.
  KeyPairCheck(keys::KeyRing& ring, Random& random);
  ~KeyPairCheck();
  KeyPairCheck(const KeyPairCheck&) = delete;
  KeyPairCheck& operator=(const KeyPairCheck&) = delete;

  // The ring was filled: check it, from the beginning.
  void opened();
  // The ring was emptied: stop.
  void closed();

  struct Counters {
    std::uint64_t rounds = 0, checked = 0, wrong = 0;
  };
  Counters counters() const;

 private:
  using Batch = std::vector<std::shared_ptr<const keys::RingKey>>;

  void run();
  void check_all(std::uint64_t round);
  // Finds the wrong ones among them by halves.
  void check(std::span<const std::shared_ptr<const keys::RingKey>> batch);
  bool still(std::uint64_t round) const;

  keys::KeyRing& ring_;
  Random& random_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t round_ = 0;  // grows with every opened() and closed()
  bool wanted_ = false;
  bool stopping_ = false;
  Counters counters_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace cc::app
