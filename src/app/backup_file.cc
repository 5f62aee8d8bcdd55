#include "app/backup_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/files/new_files.h"
#include "crypto/hash_stream.h"

namespace cc::app {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;
constexpr std::size_t kLargestSmallPart = std::size_t{8} << 20U;

tl::unexpected<Error> cannot(const std::string& path, const std::string& what) {
  return fail(ErrorKind::store_unavailable, path + " " + what + ": " + std::strerror(errno));
}

// Up to out.size() bytes; fewer only at the end of the file.
Result<std::size_t> read_some(int file, std::span<std::uint8_t> out) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t here = ::read(file, out.data() + size, out.size() - size);
    if (here < 0 && errno != EINTR) {
      return cannot("the backup", "cannot be read");
    }
    if (here == 0) {
      break;
    }
    size += here < 0 ? 0 : static_cast<std::size_t>(here);
  }
  return size;
}

Result<void> copy_into(files::NewFile& out, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return cannot(path, "cannot be read");
  }
  Bytes piece(kPiece);
  Result<void> outcome;
  while (outcome) {
    const auto size = read_some(file, piece);
    if (!size || *size == 0) {
      outcome = size ? Result<void>() : Result<void>(fail(size.error()));
      break;
    }
    outcome = out.write(ByteView(piece).first(*size));
  }
  ::close(file);
  return outcome;
}

Result<void> write_all(const std::string& path, const backup::Manifest& manifest,
                       const std::vector<std::string>& paths) {
  CC_ASSIGN(files::NewFile out, files::NewFile::create(path));
  CC_TRY(out.write(backup::encode_head(manifest)));
  for (const std::string& from : paths) {
    CC_TRY(copy_into(out, from));
  }
  CC_TRY(out.finish());
  CC_ASSIGN(BackupReader back, BackupReader::open(path));
  return back.read_parts([](const backup::Part&, ByteView) { return Result<void>(); });
}

}  // namespace

Result<void> write_backup(const std::string& path, const backup::Manifest& manifest,
                          const std::vector<std::string>& paths) {
  CC_ASSIGN(const files::FreshFolder folder_of_work, files::FreshFolder::beside(path));
  const std::string working = folder_of_work.file("backup");
  Result<void> outcome = write_all(working, manifest, paths);
  // A link, unlike a rename, replaces nothing.
  if (outcome && ::link(working.c_str(), path.c_str()) != 0) {
    outcome = errno == EEXIST ? Result<void>(fail(ErrorKind::usage, path + " exists already: name a new file"))
                              : cannot(path, "cannot be made");
  }
  CC_TRY(outcome);
  return files::flush_folder_of(path);
}

Result<BackupReader> BackupReader::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts{};
  if (file < 0 || ::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    if (file >= 0) {
      ::close(file);
    }
    return fail(ErrorKind::usage, path + " cannot be read, or is no file");
  }
  BackupReader out(file, 0);
  Bytes head(backup::kPrefixBytes);
  CC_ASSIGN(const std::size_t found, read_some(file, head));
  CC_ASSIGN(out.head_size_, backup::head_size(ByteView(head).first(found)));
  head.resize(out.head_size_);
  CC_ASSIGN(const std::size_t rest, read_some(file, std::span(head).subspan(backup::kPrefixBytes)));
  head.resize(backup::kPrefixBytes + rest);
  CC_ASSIGN(out.manifest_, backup::decode_head(head));
  return out;
}
BackupReader::~BackupReader() {
  if (file_ >= 0) {
    ::close(file_);
  }
}
BackupReader::BackupReader(BackupReader&& other) noexcept
    : file_(std::exchange(other.file_, -1)), head_size_(other.head_size_), manifest_(std::move(other.manifest_)) {}

Result<void> BackupReader::read_parts(const TakePiece& take) {
  if (::lseek(file_, static_cast<off_t>(head_size_), SEEK_SET) < 0) {
    return cannot("the backup", "cannot be read");
  }
  Bytes piece(kPiece);
  for (const backup::Part& part : manifest_.parts) {
    crypto::HashStream digest;
    std::uint64_t left = part.size;
    while (left > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
      CC_ASSIGN(const std::size_t size, read_some(file_, std::span(piece).first(wanted)));
      if (size == 0) {
        return fail(ErrorKind::record_malformed,
                    "the backup is cut in its part " + part.name + ": " + std::to_string(left) + " bytes are missing");
      }
      digest.update(ByteView(piece).first(size));
      CC_TRY(take(part, ByteView(piece).first(size)));
      left -= size;
    }
    if (digest.finish() != part.digest) {
      return fail(ErrorKind::record_malformed,
                  "the backup's part " + part.name + " was altered: its digest does not match");
    }
  }
  CC_ASSIGN(const std::size_t behind, read_some(file_, std::span(piece).first(1)));
  return behind == 0 ? Result<void>()
                     : fail(ErrorKind::record_malformed, "something stands behind the last part of the backup");
}

Result<Bytes> BackupReader::small_part(std::string_view name) {
  const auto found = std::ranges::find(manifest_.parts, name, &backup::Part::name);
  if (found == manifest_.parts.end() || found->size > kLargestSmallPart) {
    return fail(ErrorKind::not_found, "the backup has no part " + std::string(name) + " of a fitting size");
  }
  std::uint64_t at = head_size_;
  for (auto part = manifest_.parts.begin(); part != found; ++part) {
    at += part->size;
  }
  Bytes out(static_cast<std::size_t>(found->size));
  if (::lseek(file_, static_cast<off_t>(at), SEEK_SET) < 0) {
    return cannot("the backup", "cannot be read");
  }
  CC_ASSIGN(const std::size_t size, read_some(file_, out));
  if (size != out.size() || crypto::sha256(out) != found->digest) {
    return fail(ErrorKind::record_malformed, "the backup's part " + std::string(name) + " is cut or altered");
  }
  return out;
}

Result<backup::Part> part_of(const std::string& name, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return cannot(path, "cannot be read");
  }
  backup::Part out{name, 0, {}};
  crypto::HashStream digest;
  Bytes piece(kPiece);
  Result<std::size_t> size = read_some(file, piece);
  while (size && *size > 0) {
    digest.update(ByteView(piece).first(*size));
    out.size += *size;
    size = read_some(file, piece);
  }
  ::close(file);
  CC_TRY(size);
  out.digest = digest.finish();
  return out;
}

}  // namespace cc::app
