// One process per file: an advisory kernel lock on PATH.lock that dies with the process, so a restart right after
// SIGKILL never waits for a lease.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace cc::sqlite {

class ProcessLock {
 public:
  // Errors: store_locked naming the holder's process id when it is known; store_unavailable.
  static Result<std::unique_ptr<ProcessLock>> take(const std::string& path);
  ~ProcessLock();
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;

 private:
  explicit ProcessLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace cc::sqlite
