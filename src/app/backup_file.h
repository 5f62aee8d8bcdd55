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

// Writes the head and the files at `paths`, in the order of the manifest's parts, to `path`, which must not exist;
// flushed with its folder and read back before the name appears. Errors: usage when `path` exists; store_unavailable.
Result<void> write_backup(const std::string& path, const backup::Manifest& manifest,
                          const std::vector<std::string>& paths);

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

}  // namespace cc::app
