// Memory for secrets: locked against swap, between guard pages, left out of core dumps, empty in a forked child.
//
// One pool serves the process. main() chooses its mode before the first secret exists; until then the mode is `prefer`.
// Small blocks share slabs, so that thousands of keys fit the memory-lock limit. Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace cc {

enum class LockMode {
  require,  // refuse to hold a secret that cannot be locked
  prefer,   // lock when possible, say so when not
  off,      // plain pages (still guarded and wiped)
};

// Where the pages come from, best first.
enum class LockBacking { memfd_secret, mlock, unlocked };

struct LockedMemoryReport {
  LockMode mode;
  LockBacking backing;       // the weakest backing in use
  std::size_t bytes_mapped;  // pages handed out to slabs
  std::size_t bytes_in_use;  // blocks handed out to secrets
  std::size_t limit_bytes;   // RLIMIT_MEMLOCK; SIZE_MAX when unlimited
};

std::string_view name(LockMode mode);
std::string_view name(LockBacking backing);

// Sets the mode and proves it by one allocation. Errors: locked_memory when `require` cannot be met.
Result<void> configure_locked_memory(LockMode mode);
LockedMemoryReport locked_memory_report();

namespace locked_memory {
// Zero-filled block of at least `size` bytes. Throws std::bad_alloc when the mode is `require` and locking fails.
std::byte* allocate(std::size_t size);
// Wipes and returns the block.
void release(std::byte* block, std::size_t size) noexcept;
}  // namespace locked_memory

}  // namespace cc
