// New files and folders for the owner alone, durable once their names are: written under a name of their own, flushed,
// then put in place, and the folder that holds the name flushed too.
//
// What is written may be secret; it is copied nowhere. Errors, unless said otherwise: store_unavailable naming the path
// and why.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::files {

// A new file with mode 0600, in pieces; flushed by finish().
class NewFile {
 public:
  // Nothing may be at `path`.
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
  // The parent is made when it is missing.
  static Result<FreshFolder> beside(const std::string& path);
  ~FreshFolder();
  FreshFolder(FreshFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  FreshFolder& operator=(FreshFolder&&) = delete;
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Flushed and renamed to `path`, where nothing or an empty folder is. Errors: also usage when something is there.
  Result<void> becomes(const std::string& path);

 private:
  explicit FreshFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Creates a folder with its parents, mode 0700; warns of one that is there and open to others.
Result<void> make_private_dir(const std::string& path);
// Replaces a file by a new one with mode 0600 that holds one line, flushed with its folder.
Result<void> write_private_line(const std::string& path, const SecretBytes& line);
// Makes the names in a folder durable.
Result<void> flush_folder(const std::string& path);
// The same for the folder that holds `path`; the working directory when none is named.
Result<void> flush_folder_of(const std::string& path);

}  // namespace cc::files
