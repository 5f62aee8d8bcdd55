#include "adapters/files/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adapters/files/new_files.h"

namespace cc::files {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

tl::unexpected<Error> unreadable(const std::string& why) { return fail(ErrorKind::key_files_unreadable, why); }

std::string reason() { return std::strerror(errno); }

// Fills `out` from the file; how much there was.
Result<std::size_t> read_all(int number, std::span<std::uint8_t> out) {
  std::size_t read = 0;
  while (read < out.size()) {
    const ssize_t got = ::read(number, out.data() + read, out.size() - read);
    if (got == 0) {
      break;
    }
    if (got < 0 && errno != EINTR) {
      return unreadable("it cannot be read: " + reason());
    }
    read += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return read;
}

}  // namespace

Result<SmallFile> read_small_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  // Not blocking: a named pipe must not stop the load.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) {
    return unreadable(errno == ENOENT ? "the file does not exist" : "it cannot be opened: " + reason());
  }
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return unreadable("it is not a regular file");
  }
  if (facts.st_size > static_cast<off_t>(limit_bytes)) {
    return unreadable("it has " + std::to_string(facts.st_size) + " bytes, more than the " +
                      std::to_string(limit_bytes) + " such a file may have");
  }
  // One byte more than it should have, to notice that it grew.
  SecretBytes buffer(static_cast<std::size_t>(facts.st_size) + 1);
  CC_ASSIGN(const std::size_t read, read_all(file.number(), expose_secret_bytes(buffer)));
  if (read >= buffer.size()) {
    return unreadable("it changed while it was read");
  }
  const auto bytes = expose_secret_bytes(std::as_const(buffer));
  return SmallFile{SecretBytes::copy_of(bytes.first(read)), (facts.st_mode & (S_IRGRP | S_IROTH)) != 0};
}

Result<void> replace_file(const std::filesystem::path& path, ByteView content) {
  const std::string fresh = path.string() + ".new";
  ::unlink(fresh.c_str());
  const auto replace = [&]() -> Result<void> {
    CC_ASSIGN(NewFile file, NewFile::create(fresh));
    CC_TRY(file.write(content));
    CC_TRY(file.finish());
    return ::rename(fresh.c_str(), path.c_str()) == 0
               ? Result<void>()
               : fail(ErrorKind::store_unavailable, fresh + " cannot be put in place: " + reason());
  };
  if (Result<void> failed = replace(); !failed) {
    ::unlink(fresh.c_str());
    return failed;
  }
  (void)flush_folder_of(path.string());  // without it a power cut may bring the old file back, whole
  return {};
}

}  // namespace cc::files
