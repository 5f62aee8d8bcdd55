// The key file of a local KEK: bytes, permissions, and how it comes to be. Thread-safe against other processes too.
#pragma once

#include <filesystem>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::localkek {

inline constexpr std::size_t kKekFileBytes = 64;

// Errors: kms_missing, kms_denied (permissions wider than 0600, not readable), kms_mismatch (damaged), kms_unreachable.
Result<Secret<32>> read_kek_file(const std::filesystem::path& file);
// Writes a whole, flushed file under another name, then links it to this one: who crashes in between leaves no half
// key, and of two who race one wins. Existing files are left alone. Errors: store_unavailable.
Result<void> create_kek_file(const std::filesystem::path& file, Random& random);
// Makes the directory, 0700, when it is missing. Errors: store_unavailable, kms_denied (others may write to it).
Result<void> create_kek_directory(const std::filesystem::path& directory);

}  // namespace cc::localkek
