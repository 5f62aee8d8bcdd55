#include "adapters/sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace cc::sqlite {
namespace {

std::string holder(int file) {
  std::array<char, 24> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0;
       i < size && text.at(static_cast<std::size_t>(i)) >= '0' && text.at(static_cast<std::size_t>(i)) <= '9'; ++i) {
    pid += text.at(static_cast<std::size_t>(i));
  }
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

// flock, not fcntl: fcntl locks would not exclude a second opening in this process, and closing any descriptor of the
// file would drop them.
Result<FileLock> FileLock::take(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    return fail(ErrorKind::store_unavailable,
                "cannot open the lock file " + path + ": " + std::generic_category().message(errno));
  }
  FileLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(ErrorKind::store_unavailable, "cannot lock " + path + ": " + std::generic_category().message(errno));
    }
    return fail(ErrorKind::store_locked,
                holder(file) + " holds the store (" + path + "): stop it first, or ask the running server to do this");
  }
  // The process id only helps a message along: a full disk must not keep the lock from being taken.
  const std::string pid = std::to_string(::getpid()) + "\n";
  const bool named = ::ftruncate(file, 0) == 0 && ::pwrite(file, pid.data(), pid.size(), 0) > 0;
  static_cast<void>(named);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
FileLock::~FileLock() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

}  // namespace cc::sqlite
