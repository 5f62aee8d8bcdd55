// The data directory and its lock: one server per directory, by a kernel lock that dies with the process.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace cc::app {

class DataDir {
 public:
  // Creates the directory (0700) when it is missing, and takes the lock. Errors: store_locked when another process
  // holds it; store_unavailable naming the path.
  static Result<DataDir> lock(const std::string& path);
  ~DataDir();
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

 private:
  explicit DataDir(int lock) : lock_(lock) {}
  int lock_;
};

// Creates a folder with its parents, for the owner alone. Errors: store_unavailable.
Result<void> make_private_dir(const std::string& path);
// Replaces a file by a new one with mode 0600 that holds one line, flushed with its folder. Errors: store_unavailable.
Result<void> write_private_line(const std::string& path, const SecretBytes& line);

}  // namespace cc::app
