// Reading and writing the operator's small files: keys, keystores, passwords, the keystore cache.
//
// What is read may be secret, so it goes straight into locked memory. Links are followed (mounted secrets are links);
// only regular files are read, and none above the limit. Errors: key_files_unreadable saying why, without the content.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::files {

struct SmallFile {
  SecretBytes content;
  bool open_to_others = false;  // group or others may read it
};
Result<SmallFile> read_small_file(const std::filesystem::path& path, std::size_t limit_bytes);

// Writes a whole, flushed file (0600) under another name, then renames it: who crashes in between leaves the old one.
// Errors: store_unavailable.
Result<void> replace_file(const std::filesystem::path& path, ByteView content);

}  // namespace cc::files
