#include "adapters/files/new_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace cc::files {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> cannot(const std::string& path, const std::string& what) {
  return fail(ErrorKind::store_unavailable, path + " " + what + ": " + std::strerror(errno));
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return file < 0 ? Result<NewFile>(cannot(path, "cannot be made")) : NewFile(path, file);
}
NewFile::~NewFile() {
  if (file_ >= 0) {
    ::close(file_);
  }
}
NewFile::NewFile(NewFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
NewFile& NewFile::operator=(NewFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}
Result<void> NewFile::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t here = ::write(file_, bytes.data(), bytes.size());
    if (here < 0 && errno != EINTR) {
      return cannot(path_, "cannot be written");
    }
    bytes = bytes.subspan(here < 0 ? 0 : static_cast<std::size_t>(here));
  }
  return {};
}
Result<void> NewFile::finish() { return ::fsync(file_) == 0 ? Result<void>() : cannot(path_, "cannot be flushed"); }

Result<FreshFolder> FreshFolder::beside(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  if (!parent.empty() && !fs::exists(parent)) {
    CC_TRY(make_private_dir(parent));
  }
  std::string pattern = path + ".partial-XXXXXX";
  return ::mkdtemp(pattern.data()) == nullptr ? Result<FreshFolder>(cannot(pattern, "cannot be made"))
                                              : FreshFolder(std::move(pattern));
}
FreshFolder::~FreshFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
}
Result<void> FreshFolder::becomes(const std::string& path) {
  CC_TRY(flush_folder(path_));
  if (::rename(path_.c_str(), path.c_str()) != 0) {
    return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
               ? Result<void>(fail(ErrorKind::usage, path + " is there already and not empty: name a new folder"))
               : cannot(path, "cannot be made");
  }
  path_.clear();
  return flush_folder_of(path);
}

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

Result<void> write_private_line(const std::string& path, const SecretBytes& line) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  constexpr std::uint8_t kEnd = '\n';
  CC_ASSIGN(NewFile file, NewFile::create(fresh));
  CC_TRY(file.write(expose_secret_bytes(line)));
  CC_TRY(file.write({&kEnd, 1}));
  CC_TRY(file.finish());
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return cannot(path, "cannot be written");
  }
  return flush_folder_of(path);
}

Result<void> flush_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    return cannot(path, "cannot be opened");
  }
  const Result<void> flushed = ::fsync(folder) == 0 ? Result<void>() : cannot(path, "cannot be flushed");
  ::close(folder);
  return flushed;
}

Result<void> flush_folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return flush_folder(folder.empty() ? "." : folder);
}

}  // namespace cc::files
