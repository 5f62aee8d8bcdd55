// Backup files on disk: head and parts written once, read many times (formats/backup_manifest.h). No secret passes: the
// parts are what the stores hold, sealed as they are there.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/backup_manifest.h"

namespace cc::app {

// Writes the head and the files named, in the order of the manifest's parts, to `path`, which must not exist; flushed
// with its folder and read back before the name appears. Errors: usage when `path` exists; store_unavailable.
Result<void> write_backup(const std::string& path, const backup::Manifest& manifest,
                          const std::vector<std::string>& files);

class BackupReader {
 public:
  // Reads the head. Errors: usage when there is no such file; record_malformed.
  static Result<BackupReader> open(const std::string& path);
  ~BackupReader();
  BackupReader(BackupReader&& other) noexcept;
  BackupReader& operator=(BackupReader&&) = delete;
  BackupReader(const BackupReader&) = delete;
  BackupReader& operator=(const BackupReader&) = delete;

  const backup::Manifest& manifest() const { return manifest_; }
  // Reads every part to the end of the file and checks sizes and digests. `take` gets each part's bytes, piece by
  // piece, before its digest is known. Errors: record_malformed naming the part that is cut or altered, or what stands
  // behind the last one; those of `take`.
  using TakePiece = std::function<Result<void>(const backup::Part& part, ByteView piece)>;
  Result<void> read_parts(const TakePiece& take);
  // One part, small, whole and proven. Errors: not_found; record_malformed.
  Result<Bytes> small_part(std::string_view name);

 private:
  BackupReader(int file, std::size_t head_size) : file_(file), head_size_(head_size) {}
  int file_;
  std::size_t head_size_;
  backup::Manifest manifest_;
};

// The digest and the size of a file. Errors: store_unavailable.
Result<backup::Part> part_of(const std::string& name, const std::string& path);
// A new file with mode 0600, in pieces; flushed by finish(). Errors: store_unavailable.
class NewFile {
 public:
  static Result<NewFile> create(const std::string& path);
  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) noexcept;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  Result<void> write(ByteView bytes);
  Result<void> finish();

 private:
  NewFile(std::string path, int file) : path_(std::move(path)), file_(file) {}
  std::string path_;
  int file_;
};
// A folder with a name nothing else has, mode 0700, beside what is being made: two at once never share one, and nothing
// that lies there is touched. Gone with this object unless it became something.
class FreshFolder {
 public:
  // The parent is made when it is missing. Errors: store_unavailable.
  static Result<FreshFolder> beside(const std::string& path);
  ~FreshFolder();
  FreshFolder(FreshFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  FreshFolder& operator=(FreshFolder&&) = delete;
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Flushed and renamed to `path`, where nothing or an empty folder is. Errors: usage when something is there;
  // store_unavailable.
  Result<void> becomes(const std::string& path);

 private:
  explicit FreshFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};
// Makes the names in a folder durable. Errors: store_unavailable.
Result<void> flush_folder(const std::string& path);

}  // namespace cc::app
