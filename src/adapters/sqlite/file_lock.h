// A kernel lock on a file of its own. It dies with the process, so a restart right after SIGKILL finds it free.
#pragma once

#include <string>

#include "base/result.h"

namespace cc::sqlite {

class FileLock {
 public:
  // Creates the file (0600) when it is missing and writes our process id into it. The file stays when the lock goes.
  // Errors: store_locked naming the holder's process id; store_unavailable.
  static Result<FileLock> take(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace cc::sqlite
