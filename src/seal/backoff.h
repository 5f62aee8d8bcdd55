// Back-off after wrong credentials, per (operator, source): who guesses waits, nobody else does. Never global.
// A source is an address; all of an IPv6 /64 are one. Operators behind one proxy share its address, and its waits.
// Not thread-safe; the chamber's ceremony lock guards it. Bounded: the pair that failed longest ago is forgotten first.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace cc::seal {

// What stands for a caller's address when attempts or places are counted.
std::string network_of(const std::string& address);

class Backoff {
 public:
  Backoff(const Clock& clock, unsigned free_attempts) : clock_(clock), free_attempts_(free_attempts) {}
  // Errors: too_many_attempts with the seconds to wait.
  Result<void> check(const std::string& operator_name, const std::string& source) const;
  // After free_attempts failures the wait doubles with each one: 1 s, 2 s, … at most 5 minutes.
  void failed(const std::string& operator_name, const std::string& source);
  void succeeded(const std::string& operator_name, const std::string& source);
  std::size_t size() const { return pairs_.size(); }

  static constexpr std::size_t kMaxPairs = 4096;

 private:
  struct Pair {
    unsigned failures = 0;
    Milliseconds last{};
    Milliseconds blocked_until{};
  };
  using Key = std::pair<std::string, std::string>;
  static Key key(const std::string& operator_name, const std::string& source);

  const Clock& clock_;
  unsigned free_attempts_;
  std::map<Key, Pair> pairs_;
};

}  // namespace cc::seal
