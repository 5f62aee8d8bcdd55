#include "adapters/sqlite/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace cc::sqlite {

Result<std::unique_ptr<ProcessLock>> ProcessLock::take(const std::string& path) {
  const std::string name = path + ".lock";
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code made;
  if (!folder.empty() && !std::filesystem::exists(folder, made)) {
    std::filesystem::create_directories(folder, made);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, made);
  }
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(ErrorKind::store_unavailable, "cannot open the lock " + name + ": " + std::strerror(errno));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> holder{};
    const ssize_t size = ::pread(fd, holder.data(), holder.size() - 1, 0);
    ::close(fd);
    const std::string pid(holder.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return fail(ErrorKind::store_locked,
                path + " is used by another process" + (pid.empty() ? "" : " (pid " + pid + ")") + ": stop it first");
  }
  // The number helps people only; the lock itself is the kernel's.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(fd, pid.data(), pid.size(), 0);
  }
  return std::unique_ptr<ProcessLock>(new ProcessLock(fd));
}

ProcessLock::~ProcessLock() { ::close(fd_); }

}  // namespace cc::sqlite
