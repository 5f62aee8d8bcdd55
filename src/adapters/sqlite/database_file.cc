#include "adapters/sqlite/database_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace cc::sqlite {
namespace {

std::string reason(int code) { return std::generic_category().message(code); }

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<void> make_private_folder(const std::string& folder) {
  std::error_code failed;
  if (std::filesystem::exists(folder, failed)) {
    return {};
  }
  const std::filesystem::path parent = std::filesystem::path(folder).parent_path();
  if (!parent.empty()) {
    CC_TRY(make_private_folder(parent.string()));
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorKind::store_unavailable, "cannot make the folder " + folder + ": " + reason(errno));
  }
  return flush_folder_of(folder);
}

Result<void> tighten(const std::string& path, mode_t mode) {
  if ((mode & 077) != 0 && ::chmod(path.c_str(), 0600) != 0) {
    return fail(ErrorKind::store_unavailable, path + " can be read by others and its mode cannot be changed (" +
                                                  reason(errno) + "): give it to this user with mode 0600");
  }
  return {};
}

}  // namespace

Result<void> flush_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = file >= 0 && ::fsync(file) == 0;
  const int code = errno;
  if (file >= 0) {
    ::close(file);
  }
  if (!flushed) {
    return fail(ErrorKind::store_unavailable, "cannot flush the folder " + folder + ": " + reason(code));
  }
  return {};
}

// Never opens the file: closing a descriptor of it would drop the locks that another connection of this process holds.
Result<void> make_private_file(const std::string& path, OpenMode mode) {
  struct stat about{};
  if (::stat(path.c_str(), &about) == 0) {
    if (!S_ISREG(about.st_mode)) {
      return fail(ErrorKind::store_unavailable, path + " is not a regular file: check the path");
    }
    return tighten(path, about.st_mode);
  }
  if (errno != ENOENT) {
    return fail(ErrorKind::store_unavailable, "cannot reach " + path + ": " + reason(errno));
  }
  if (mode == OpenMode::existing_only) {
    return fail(ErrorKind::not_found, path + " does not exist");
  }
  CC_TRY(make_private_folder(folder_of(path)));
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return fail(ErrorKind::store_unavailable, "cannot create " + path + ": " + reason(errno));
  }
  return flush_folder_of(path);
}

std::string resolved(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : canonical.string();
}

}  // namespace cc::sqlite
