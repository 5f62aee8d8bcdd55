#include "adapters/localkek/kek_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "crypto/hash.h"

namespace cc::localkek {
namespace {

constexpr std::string_view kMagic = "cc-local-kek-v1\n";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kCheckBytes = 16;
static_assert(kMagic.size() + kKeyBytes + kCheckBytes == kKekFileBytes);

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string reason() { return std::error_code(errno, std::generic_category()).message(); }

tl::unexpected<Error> cannot(const std::string& what, const std::filesystem::path& path) {
  return fail(ErrorKind::store_unavailable, "cannot " + what + " " + path.string() + ": " + reason());
}

tl::unexpected<Error> damaged(const std::filesystem::path& file, const std::string& why) {
  return fail(ErrorKind::kms_mismatch,
              "the local KEK file " + file.string() + " is damaged (" + why + "); restore it from a backup");
}

crypto::Digest checksum(std::span<const std::uint8_t> magic_and_key) { return crypto::sha256(magic_and_key); }

Result<void> check_access(int fd, const std::filesystem::path& file) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) {
    return fail(ErrorKind::kms_unreachable, "cannot look at " + file.string() + ": " + reason());
  }
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::kms_denied, file.string() + " is not a regular file");
  }
  if ((facts.st_mode & 0177U) != 0) {
    return fail(ErrorKind::kms_denied,
                file.string() + " can be read by others; run chmod 0600 on it, and find out who may have read it");
  }
  if (facts.st_size != static_cast<off_t>(kKekFileBytes)) {
    return damaged(file, std::to_string(facts.st_size) + " bytes instead of " + std::to_string(kKekFileBytes));
  }
  return {};
}

bool read_exactly(int fd, std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::read(fd, out.data(), out.size());
    if (got <= 0 && !(got < 0 && errno == EINTR)) {
      return false;
    }
    out = out.subspan(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  return true;
}

bool write_all(int fd, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno != EINTR) {
      return false;
    }
    bytes = bytes.subspan(put > 0 ? static_cast<std::size_t>(put) : 0);
  }
  return true;
}

SecretBytes new_content(Random& random) {
  SecretBytes content(kKekFileBytes);
  const auto bytes = expose_secret_bytes(content);
  std::ranges::copy(kMagic, bytes.begin());
  random.fill(bytes.subspan(kMagic.size(), kKeyBytes));
  crypto::Digest check = checksum(bytes.first(kMagic.size() + kKeyBytes));
  std::copy_n(check.begin(), kCheckBytes, bytes.last(kCheckBytes).begin());
  wipe(check);
  return content;
}

Result<void> flush_directory(const std::filesystem::path& directory) {
  const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) {
    return cannot("flush", directory);
  }
  return {};
}

}  // namespace

Result<Secret<32>> read_kek_file(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.valid()) {
    const ErrorKind kind = errno == ENOENT || errno == ENOTDIR ? ErrorKind::kms_missing
                           : errno == EACCES || errno == EPERM ? ErrorKind::kms_denied
                                                               : ErrorKind::kms_unreachable;
    return fail(kind, "cannot open the local KEK file " + file.string() + ": " + reason());
  }
  CC_TRY(check_access(opened.get(), file));
  SecretBytes content(kKekFileBytes);
  const auto bytes = expose_secret_bytes(content);
  if (!read_exactly(opened.get(), bytes)) {
    return fail(ErrorKind::kms_unreachable, "cannot read the local KEK file " + file.string());
  }
  if (!std::ranges::equal(bytes.first(kMagic.size()), bytes_of(kMagic))) {
    return damaged(file, "it does not start as a local KEK");
  }
  const std::span<const std::uint8_t> covered = bytes.first(kMagic.size() + kKeyBytes);
  crypto::Digest check = checksum(covered);
  const bool whole = equal_constant_time(ByteView(check).first(kCheckBytes), bytes.last(kCheckBytes));
  wipe(check);
  if (!whole) {
    return damaged(file, "its checksum does not match");
  }
  return Secret<32>::copy_of(covered.last<kKeyBytes>());
}

Result<void> create_kek_file(const std::filesystem::path& file, Random& random) {
  const std::filesystem::path draft =
      file.parent_path() / ("." + file.filename().string() + "." + to_hex(random.array<8>()) + ".new");
  {
    const Descriptor opened(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!opened.valid()) {
      return cannot("create", draft);
    }
    const SecretBytes content = new_content(random);
    if (::fchmod(opened.get(), 0600) != 0 || !write_all(opened.get(), expose_secret_bytes(content)) ||
        ::fsync(opened.get()) != 0) {
      const auto failed = cannot("write", draft);
      ::unlink(draft.c_str());
      return failed;
    }
  }
  const bool linked = ::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST;
  const auto failed = cannot("create", file);
  ::unlink(draft.c_str());
  if (!linked) {
    return failed;
  }
  return flush_directory(file.parent_path());
}

Result<void> create_kek_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) == 0) {
    return directory.has_parent_path() ? flush_directory(directory.parent_path()) : Result<void>();
  }
  struct stat facts{};
  if (errno != EEXIST || ::stat(directory.c_str(), &facts) != 0) {
    return cannot("create", directory);
  }
  if ((facts.st_mode & 0022U) != 0) {
    return fail(ErrorKind::kms_denied,
                directory.string() + " can be written by others, who could plant a key; run chmod 0700 on it");
  }
  return {};
}

}  // namespace cc::localkek
