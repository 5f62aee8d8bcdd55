// The head of a backup file: what is in it, how long each part is, and its digest (docs/spec/backup.md gives every
// byte). Pure; no secret passes. Errors: record_malformed naming what is wrong.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cc::backup {

inline constexpr std::string_view kMagic = "containment-chamber backup 1\n";
inline constexpr std::size_t kLargestManifest = std::size_t{64} * 1024;

struct Part {
  std::string name;  // 1 to 64 of a-z, 0-9, dot and hyphen, beginning with a letter: a file name and never a path
  std::uint64_t size = 0;
  crypto::Digest digest{};  // SHA-256
  bool operator==(const Part&) const = default;
};
struct Manifest {
  std::string program;           // version of the program that made it
  std::uint64_t created_at = 0;  // Unix seconds
  std::array<std::uint8_t, 16> chamber{};
  std::uint64_t epoch = 0;
  std::array<std::uint8_t, 8> master_key{};  // id of the one that key records are sealed under
  std::vector<Part> parts;                   // names differ; in this order in the file
  bool operator==(const Manifest&) const = default;
};

// Magic, length, manifest, SHA-256 of all that: what stands before the parts.
Bytes encode_head(const Manifest& manifest);
// How many bytes the head has, from its first kPrefixBytes. Errors: record_malformed when it is no backup.
inline constexpr std::size_t kPrefixBytes = kMagic.size() + 4;
Result<std::size_t> head_size(ByteView prefix);
// The whole head, exactly.
Result<Manifest> decode_head(ByteView head);

}  // namespace cc::backup
