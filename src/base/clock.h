// Time as a port, so that ceremonies run in a simulator.
#pragma once

#include <chrono>
#include <cstdint>

namespace cc {

using Milliseconds = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back; its zero means nothing.
  virtual Milliseconds monotonic() const = 0;
  // Seconds since 1970-01-01 UTC. For people and audit only: it never permits or prunes anything.
  virtual std::uint64_t unix_seconds() const = 0;
};

class SystemClock final : public Clock {
 public:
  Milliseconds monotonic() const override;
  std::uint64_t unix_seconds() const override;
};

}  // namespace cc
