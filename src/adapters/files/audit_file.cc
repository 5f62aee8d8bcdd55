#include "adapters/files/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "adapters/files/new_files.h"

namespace cc::files {
namespace {

constexpr std::uint64_t kRoom = 1UL << 20;  // set aside behind the end
constexpr std::size_t kBlock = 64UL * 1024;

tl::unexpected<Error> cannot(const std::string& path, const std::string& what, int error) {
  return fail(ErrorKind::store_unavailable, path + " " + what + ": " + std::strerror(error));
}

// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }
  int release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

}  // namespace

Result<std::unique_ptr<AuditFile>> AuditFile::open(const std::string& path) {
  struct stat facts{};
  const bool missing = ::lstat(path.c_str(), &facts) != 0 && errno == ENOENT;
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (file.get() < 0) {
    return cannot(path, "cannot be opened", errno);
  }
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::store_unavailable, path + " is not a regular file");
  }
  if (missing) {
    CC_TRY(flush_folder_of(path));
  }
  return std::unique_ptr<AuditFile>(new AuditFile(path, file.release(), static_cast<std::uint64_t>(facts.st_size)));
}

AuditFile::~AuditFile() { ::close(file_); }

Result<void> AuditFile::cut_behind(std::uint64_t bytes) {
  if (::ftruncate(file_, static_cast<off_t>(bytes)) != 0 || ::fdatasync(file_) != 0) {
    return cannot(path_, "cannot be cut to its last whole entry", errno);
  }
  size_ = bytes;
  return {};
}

Result<Bytes> AuditFile::bytes_behind(std::uint64_t offset, std::size_t limit) const {
  Bytes out(limit);
  const ssize_t got = ::pread(file_, out.data(), out.size(), static_cast<off_t>(offset));
  if (got < 0) {
    return cannot(path_, "cannot be read", errno);
  }
  out.resize(static_cast<std::size_t>(got));
  return out;
}

// What a failed write left behind the last line that counts. Also after a failed flush: the pages are written anew.
Result<void> AuditFile::take_back() {
  if (ends_elsewhere_ && ::ftruncate(file_, static_cast<off_t>(size_)) != 0) {
    return cannot(path_, "cannot be cut to its last whole entry", errno);
  }
  if (std::exchange(ends_elsewhere_, false) && set_aside_ != UINT64_MAX) {
    set_aside_ = 0;  // the cut gave it back
  }
  return {};
}

Result<void> AuditFile::append(std::string_view lines) {
  CC_TRY(take_back());
  ends_elsewhere_ = true;
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return cannot(path_, "cannot be written", written == 0 ? EIO : errno);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(file_) != 0) {
    return cannot(path_, "cannot be flushed", errno);
  }
  ends_elsewhere_ = false;
  size_ += lines.size();
  return {};
}

Result<void> AuditFile::reserve() {
  if (set_aside_ >= size_ + kRoom / 2) {
    return {};
  }
  if (::fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size_), static_cast<off_t>(kRoom)) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
      set_aside_ = UINT64_MAX;  // this filesystem makes no promises
      return {};
    }
    return cannot(path_, "has no room left", errno);
  }
  set_aside_ = size_ + kRoom;
  return {};
}

Result<std::uint64_t> AuditFile::read(const std::function<bool(std::string_view)>& line) const {
  return read_lines(path_, line);
}

Result<std::uint64_t> read_lines(const std::string& path, const std::function<bool(std::string_view)>& line) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return cannot(path, "cannot be read", errno);
  }
  std::string held;  // the line under way
  std::string block(kBlock, '\0');
  std::uint64_t behind = 0;
  while (true) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return cannot(path, "cannot be read", errno);
    }
    if (got == 0) {
      return behind;
    }
    std::string_view rest(block.data(), static_cast<std::size_t>(got));
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      const std::string_view part = rest.substr(0, end);
      behind += part.size();
      if (held.size() <= audit::kMaxLineBytes) {
        held += part;
      }
      if (end == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(end + 1);
      behind = 0;
      if (!line(held)) {
        return 0;
      }
      held.clear();
    }
  }
}

}  // namespace cc::files
