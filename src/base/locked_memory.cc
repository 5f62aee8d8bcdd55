#include "base/locked_memory.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>
#include <vector>

namespace cc {
namespace {

constexpr std::size_t kSlabBytes = 64UL * 1024;
constexpr std::size_t kSmallest = 32;
constexpr std::size_t kLargestShared = 4096;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

// Maps `size` bytes of memfd_secret pages over a reserved range; false when the kernel does not offer it.
bool map_secret_pages(std::byte* at, std::size_t size) {
#ifdef SYS_memfd_secret
  const auto fd = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) {
    return false;
  }
  bool mapped = ftruncate(fd, static_cast<off_t>(size)) == 0 &&
                mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == at;
  close(fd);
  return mapped;
#else
  (void)at, (void)size;
  return false;
#endif
}

class Pool {
 public:
  std::byte* allocate(std::size_t size) {
    const std::lock_guard lock(mutex_);
    const std::size_t block = block_size(size);
    in_use_ += block;
    if (block > kLargestShared) {
      return map(block);
    }
    auto& free_blocks = free_[class_of(block)];
    if (free_blocks.empty()) {
      std::byte* slab = map(kSlabBytes);
      for (std::size_t offset = kSlabBytes; offset >= block; offset -= block) {
        free_blocks.push_back(slab + offset - block);
      }
    }
    std::byte* out = free_blocks.back();
    free_blocks.pop_back();
    return out;
  }

  void release(std::byte* at, std::size_t size) noexcept {
    const std::size_t block = block_size(size);
    sodium_memzero(at, block);
    const std::lock_guard lock(mutex_);
    in_use_ -= block;
    if (block > kLargestShared) {
      unmap(at, block);
    } else {
      free_[class_of(block)].push_back(at);
    }
  }

  Result<void> configure(LockMode mode) {
    {
      const std::lock_guard lock(mutex_);
      mode_ = mode;
    }
    try {
      release(allocate(kSmallest), kSmallest);
    } catch (const std::bad_alloc&) {
      return fail(ErrorKind::locked_memory,
                  "memory for secrets cannot be locked (limit " + std::to_string(limit()) +
                      " bytes): raise LimitMEMLOCK / ulimit -l, or set memory.lock to prefer");
    }
    const std::lock_guard lock(mutex_);
    if (mode == LockMode::require && backing_ == LockBacking::unlocked) {
      return fail(ErrorKind::locked_memory,
                  "secrets already lie in unlocked memory: set memory.lock before they are made");
    }
    return {};
  }

  LockedMemoryReport report() {
    const std::lock_guard lock(mutex_);
    return {mode_, backing_, mapped_, in_use_, limit()};
  }

 private:
  static std::size_t block_size(std::size_t size) {
    const std::size_t wanted = std::max(size, kSmallest);
    return wanted <= kLargestShared ? std::bit_ceil(wanted) : round_up(wanted, page_size());
  }
  static std::size_t class_of(std::size_t block) { return static_cast<std::size_t>(std::countr_zero(block)); }

  static std::size_t limit() {
    rlimit limits{};
    if (getrlimit(RLIMIT_MEMLOCK, &limits) != 0 || limits.rlim_cur == RLIM_INFINITY) {
      return SIZE_MAX;
    }
    return limits.rlim_cur;
  }

  std::byte* map(std::size_t size) {
    const std::size_t guard = page_size();
    void* reserved = mmap(nullptr, size + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED) {
      throw std::bad_alloc();
    }
    std::byte* usable = static_cast<std::byte*>(reserved) + guard;
    LockBacking got = LockBacking::unlocked;
    if (mode_ != LockMode::off && map_secret_pages(usable, size)) {
      got = LockBacking::memfd_secret;
    } else {
      if (mmap(usable, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != usable) {
        munmap(reserved, size + 2 * guard);
        throw std::bad_alloc();
      }
      if (mode_ != LockMode::off && mlock(usable, size) == 0) {
        got = LockBacking::mlock;
      }
      madvise(usable, size, MADV_WIPEONFORK);
    }
    madvise(usable, size, MADV_DONTDUMP);
    if (got == LockBacking::memfd_secret) {
      madvise(usable, size, MADV_DONTFORK);
    }
    if (mode_ == LockMode::require && got == LockBacking::unlocked) {
      munmap(reserved, size + 2 * guard);
      throw std::bad_alloc();
    }
    backing_ = std::max(backing_, got);
    mapped_ += size;
    return usable;
  }

  void unmap(std::byte* at, std::size_t size) noexcept {
    munmap(at - page_size(), size + 2 * page_size());
    mapped_ -= size;
  }

  std::mutex mutex_;
  LockMode mode_ = LockMode::prefer;
  LockBacking backing_ = LockBacking::memfd_secret;
  std::size_t mapped_ = 0;
  std::size_t in_use_ = 0;
  std::array<std::vector<std::byte*>, 16> free_;
};

// Never destroyed: secrets with static lifetime may outlive any order of destruction.
Pool& pool() {
  static auto* const instance = new Pool;
  return *instance;
}

}  // namespace

std::string_view name(LockMode mode) {
  switch (mode) {
    case LockMode::require:
      return "require";
    case LockMode::prefer:
      return "prefer";
    case LockMode::off:
      return "off";
  }
  return "?";
}

std::string_view name(LockBacking backing) {
  switch (backing) {
    case LockBacking::memfd_secret:
      return "memfd_secret";
    case LockBacking::mlock:
      return "mlock";
    case LockBacking::unlocked:
      return "unlocked";
  }
  return "?";
}

Result<void> configure_locked_memory(LockMode mode) { return pool().configure(mode); }
LockedMemoryReport locked_memory_report() { return pool().report(); }

namespace locked_memory {
std::byte* allocate(std::size_t size) { return pool().allocate(size); }
void release(std::byte* block, std::size_t size) noexcept { pool().release(block, size); }
}  // namespace locked_memory

}  // namespace cc
