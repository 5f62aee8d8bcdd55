// Locked memory for what a batch of signatures derives from its keys: one call at a time, zeroed when the call ends.
#pragma once

#include <cstddef>

#include "base/secret.h"

namespace cc::crypto {

class LockedScratch {
 public:
  explicit LockedScratch(std::size_t size) : memory_(size) {}
  std::byte* data() { return reinterpret_cast<std::byte*>(expose_secret_bytes(memory_).data()); }
  std::size_t size() const { return memory_.size(); }
  // Zeroes what a call wrote.
  void scrub() { wipe(expose_secret_bytes(memory_)); }

 private:
  SecretBytes memory_;
};

}  // namespace cc::crypto
