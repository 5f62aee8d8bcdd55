// The data directory and its lock: one server per directory, by a kernel lock that dies with the process.
#pragma once

#include <string>

#include "base/result.h"

namespace cc::app {

class DataDir {
 public:
  // Creates the directory (0700) when it is missing, and takes the lock. Errors: store_locked when another process
  // holds it; store_unavailable naming the path.
  static Result<DataDir> lock(const std::string& path);
  // The same, for commands: a folder that is missing is a typo, or a disk that is not mounted. Errors: also usage.
  static Result<DataDir> lock_existing(const std::string& path);
  ~DataDir();
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

 private:
  explicit DataDir(int lock) : lock_(lock) {}
  int lock_;
};

}  // namespace cc::app
