// Signing keys that lie in files of the operator's own, as the keys room sees them: what was found, what could not be
// read, and a place for the sealed cache. Implemented by adapters/files.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::keys {

struct KeystoreItem {
  std::string json;  // EIP-2335
  SecretBytes password;
};

// One key as it was found. `name` is the path, for messages; it is the same at every reading.
struct KeyFile {
  std::string name;
  std::variant<KeystoreItem, Secret<32>> key;  // a keystore, or a big-endian scalar
};
struct BadKeyFile {
  std::string name;
  Error error;
};
struct KeyFiles {
  std::vector<KeyFile> found;   // in the order in which the first one wins
  std::vector<BadKeyFile> bad;  // the others are usable all the same
};

class KeyFileSource {
 public:
  virtual ~KeyFileSource() = default;
  // Reads every file anew. A folder that cannot be listed at all fails the whole reading (key_files_unreadable), so
  // that a lost mount is never taken for keys that were removed.
  virtual Result<KeyFiles> read() = 0;
};

// Where the sealed cache lies (docs/spec/keystore-cache.md). Writing replaces the whole, or leaves it as it was.
class KeyCacheFile {
 public:
  virtual ~KeyCacheFile() = default;
  virtual Result<std::optional<Bytes>> read() = 0;
  virtual Result<void> write(ByteView content) = 0;
};

}  // namespace cc::keys
