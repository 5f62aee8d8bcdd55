// A SQLite VFS over the system's own that fails the Nth write or sync, or cuts the power there: from then on nothing
// reaches the disk, and restore() puts every file back to what was flushed, plus any part of what was not.
//
// One instance at a time; it is SQLite's default VFS while it lives. Not for threads that race.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/seeded_random.h"

namespace cc::test {

class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // The operation `at` from now on (1 is the next one) fails with this code; `lasting`: so do all after it. A single
  // failed sync loses what it should have flushed, although reads go on showing it: so does the kernel's page cache.
  void fail(std::uint64_t at, int code, bool lasting);
  // From operation `at` on nothing is written or flushed, and every operation fails.
  void cut_power(std::uint64_t at);
  void heal();
  bool struck() const { return struck_; }
  bool last_struck_was_sync() const { return struck_ && struck_sync_; }
  // Writes, truncations and syncs so far.
  std::uint64_t operations() const { return operations_; }

  // After a power cut, with every connection closed: what was flushed, and of the later writes any subset, possibly
  // torn.
  void restore(SeededRandom& random);

  // What of a file is flushed: asked of one process, told to the next.
  std::vector<std::uint8_t> flushed(const std::string& path) { return image(path).flushed; }
  void set_flushed(const std::string& path, std::vector<std::uint8_t> bytes) { images_[path] = {std::move(bytes), {}}; }

  // For the methods of the files.
  struct Change {
    bool truncate = false;
    std::uint64_t offset = 0;
    std::vector<std::uint8_t> bytes;
  };
  struct Image {
    std::vector<std::uint8_t> flushed;
    std::vector<Change> pending;
  };
  int before(int own_code);
  bool loses_pages() const { return !lasting_; }
  Image& image(const std::string& path);
  void forget(const std::string& path) { images_.erase(path); }
  sqlite3_vfs* system() { return system_; }

 private:
  sqlite3_vfs vfs_{};
  sqlite3_vfs* system_;
  std::map<std::string, Image> images_;
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = 0;
  int code_ = SQLITE_OK;
  bool lasting_ = false, struck_ = false, struck_sync_ = false;
};

}  // namespace cc::test
