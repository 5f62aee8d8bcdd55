// The audit log as a file: only ever appended to, flushed with every group of entries, 0600.
//
// A write that failed half way is taken back before the next one. Some room behind the end is set aside, so that what a
// ceremony has to tell still fits when the disk fills up while it runs.
//
// Threads: as audit::LogFile.
#pragma once

#include <memory>
#include <string>

#include "audit/journal.h"

namespace cc::files {

class AuditFile final : public audit::LogFile {
 public:
  // Made when it is missing, and its folder flushed. Errors: store_unavailable naming the path (also for a symbolic
  // link and for what is no regular file).
  static Result<std::unique_ptr<AuditFile>> open(const std::string& path);
  ~AuditFile() override;
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  // The bytes from here to the end are not entries: takes them away. Errors: store_unavailable.
  Result<void> cut_behind(std::uint64_t bytes);
  // Those bytes, at most `limit` of them.
  Result<Bytes> bytes_behind(std::uint64_t offset, std::size_t limit) const;

  Result<void> append(std::string_view lines) override;
  Result<void> reserve() override;
  Result<std::uint64_t> read(const std::function<bool(std::string_view)>& line) const override;
  std::uint64_t size() const { return size_; }

 private:
  AuditFile(std::string path, int file, std::uint64_t size) : path_(std::move(path)), file_(file), size_(size) {}
  Result<void> take_back();

  const std::string path_;
  const int file_;
  std::uint64_t size_;           // where the next line goes
  bool ends_elsewhere_ = false;  // a write failed: the file may be longer than size_
  std::uint64_t set_aside_ = 0;  // room is sure up to here
};

// Every whole line of any file, and how many bytes stand behind the last line feed. A line longer than an entry can be
// is given in its first bytes. Errors: store_unavailable.
Result<std::uint64_t> read_lines(const std::string& path, const std::function<bool(std::string_view)>& line);

}  // namespace cc::files
