#include "app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace cc::app {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> cannot(const std::string& path, const std::string& what) {
  return fail(ErrorKind::store_unavailable, path + " " + what + ": " + std::strerror(errno));
}

bool write_all(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

bool flush_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) {
    ::close(folder);
  }
  return flushed;
}

}  // namespace

Result<void> make_private_dir(const std::string& path) {
  std::error_code error;
  if (fs::create_directories(path, error)) {
    fs::permissions(path, fs::perms::owner_all, error);
  }
  if (error) {
    return fail(ErrorKind::store_unavailable, "the folder " + path + " cannot be made: " + error.message());
  }
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return fail(ErrorKind::store_unavailable, path + " is not a folder");
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    log::warn("other users can reach into this folder; give it mode 0700", {{"path", path}});
  }
  return {};
}

Result<DataDir> DataDir::lock(const std::string& path) {
  CC_TRY(make_private_dir(path));
  const std::string file = path + "/lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (lock < 0) {
    return cannot(file, "cannot be opened");
  }
  DataDir out(lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(ErrorKind::store_locked, "another process works on the data directory " + path);
    }
    return cannot(file, "cannot be locked");
  }
  return out;
}

DataDir::DataDir(DataDir&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

DataDir::~DataDir() {
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

Result<void> write_private_line(const std::string& path, const SecretBytes& line) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (file < 0) {
    return cannot(fresh, "cannot be written");
  }
  constexpr std::uint8_t kEnd = '\n';
  const bool written = write_all(file, expose_secret_bytes(line)) && write_all(file, {&kEnd, 1}) && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0 || !flush_folder(fs::path(path).parent_path().string())) {
    return cannot(path, "cannot be written");
  }
  return {};
}

}  // namespace cc::app
