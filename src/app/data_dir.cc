#include "app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adapters/files/new_files.h"

namespace cc::app {
namespace {

tl::unexpected<Error> cannot(const std::string& path, const std::string& what) {
  return fail(ErrorKind::store_unavailable, path + " " + what + ": " + std::strerror(errno));
}

}  // namespace

Result<DataDir> DataDir::lock(const std::string& path) {
  CC_TRY(files::make_private_dir(path));
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

Result<DataDir> DataDir::lock_existing(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return fail(ErrorKind::usage,
                path + " is no folder: name the data folder of the signer with --config or --data-dir");
  }
  return lock(path);
}

DataDir::DataDir(DataDir&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

DataDir::~DataDir() {
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

}  // namespace cc::app
