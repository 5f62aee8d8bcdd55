// Scratches for calls that run at the same time, kept for the next ones. As many as ever ran at once.
// Threads: any. Secrets: a scratch is wiped by the call that used it, before it comes back here.
#pragma once

#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace cc::signing {

template <class Scratch>
class ScratchPool {
 public:
  // A scratch for one call.
  class Lease {
   public:
    // `make` returns a unique_ptr to a scratch; it may throw bad_alloc when locked memory has run out.
    template <class Make>
    Lease(ScratchPool& pool, const Make& make) : pool_(pool), scratch_(pool.take()) {
      if (!scratch_) {
        try {
          scratch_ = make();
        } catch (const std::bad_alloc&) {
          scratch_ = nullptr;
        }
      }
    }
    ~Lease() {
      if (scratch_) {
        pool_.put(std::move(scratch_));
      }
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // Null when locked memory has run out.
    Scratch* get() { return scratch_.get(); }

   private:
    ScratchPool& pool_;
    std::unique_ptr<Scratch> scratch_;
  };

 private:
  std::unique_ptr<Scratch> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      return nullptr;
    }
    std::unique_ptr<Scratch> out = std::move(free_.back());
    free_.pop_back();
    return out;
  }
  void put(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

}  // namespace cc::signing
