// The operator's key folders, read as Web3Signer reads them (docs/reference/key-sources.md):
//
//   descriptors  NAME.yaml or NAME.yml, see descriptor.h
//   keystores    NAME.json (EIP-2335), each with NAME.txt in a folder of passwords, or all with one password file
//
// Folders are read flat, names in order; names that begin with a dot are passed over. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "keys/key_files.h"

namespace cc::files {

// NOLINTBEGIN(readability-redundant-member-init): without them g++ warns of designated initializers that leave some
// out.
struct KeyFolderPaths {
  std::vector<std::string> descriptors = {};  // folders
  std::string keystores = {};                 // a folder, or empty
  std::string passwords = {};                 // a folder, or empty
  std::string password_file = {};             // or one for all

  bool empty() const { return descriptors.empty() && keystores.empty(); }
};
// NOLINTEND(readability-redundant-member-init)

inline constexpr std::size_t kLargestKeystore = std::size_t{64} * 1024;
inline constexpr std::size_t kLargestPassword = std::size_t{64} * 1024;
inline constexpr std::size_t kLargestDescriptor = std::size_t{1024} * 1024;

class KeyFolders final : public keys::KeyFileSource {
 public:
  explicit KeyFolders(KeyFolderPaths paths) : paths_(std::move(paths)) {}
  Result<keys::KeyFiles> read() override;

 private:
  const KeyFolderPaths paths_;
};

// The sealed cache as one file.
class CacheFile final : public keys::KeyCacheFile {
 public:
  explicit CacheFile(std::filesystem::path path) : path_(std::move(path)) {}
  Result<std::optional<Bytes>> read() override;
  Result<void> write(ByteView content) override;

 private:
  const std::filesystem::path path_;
};

}  // namespace cc::files
