// Work that may block (a KEK, Argon2id, scrypt) off the I/O threads: one worker, a short queue that takes turns between
// sources, so that one caller who floods it cannot keep the others out. Sealing never comes here.
//
// Threads: run() from any thread, never blocks. Work runs on the one worker; it must not throw.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace cc::api {

class CeremonyQueue {
 public:
  struct Options {
    std::size_t per_source = 4;  // waiting, for one source
    std::size_t total = 64;      // waiting, for all of them
  };
  explicit CeremonyQueue(Options options);
  CeremonyQueue() : CeremonyQueue(Options{}) {}
  // Finishes the work under way; what still waits is dropped (its responder then answers 500).
  ~CeremonyQueue();
  CeremonyQueue(const CeremonyQueue&) = delete;
  CeremonyQueue& operator=(const CeremonyQueue&) = delete;

  // False when the queue, or this source's part of it, is full: answer 429 with Retry-After.
  bool run(const std::string& source, std::function<void()> work);
  std::size_t waiting() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace cc::api
