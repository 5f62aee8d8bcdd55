// The keys that lie in the operator's own files, on their way into the ring.
//
// A load reads every file, opens what is new or changed on a few threads (sparing the key derivation where the sealed
// cache knows the answer), adds each key the moment it is open, and takes away the keys whose files are gone. A file
// that cannot be read this time keeps the key it gave before. The first of two files with one key wins, and a key of
// another source wins over any file. Whether a key may sign is not decided here: the guard asks its permit.
//
// Invariant: between close() and allow() the ring holds no key from a file, whatever load is under way.
// Threads: one load at a time, by the caller; everything else from any thread. Secrets that pass: scalars, passwords.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "keys/key_files.h"
#include "keys/key_ring.h"
#include "keys/keystore_cache.h"

namespace cc::keys {

struct FileKeysOptions {
  std::size_t threads = 0;  // 0: one per core, at most four, since one usual scrypt takes 256 MiB
  crypto::Argon2Params cache_cost = KeystoreCache().argon2;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = nullptr;  // keys opened, keys expected
};

struct FileKeysReport {
  std::uint64_t loaded = 0;      // keys from files in the ring now
  std::uint64_t added = 0;       // new ones among them
  std::uint64_t from_cache = 0;  // added without deriving
  std::uint64_t removed = 0;     // whose files are gone
  std::vector<BadKeyFile> bad;
  std::vector<std::string> duplicates;  // files whose key was there already
};

class FileKeys {
 public:
  // All outlive this. `cache` may be null.
  FileKeys(KeyFileSource& source, KeyCacheFile* cache, KeyRing& ring, Random& random, FileKeysOptions options = {});
  ~FileKeys();

  // Errors: signer_sealed (closed, or closed meanwhile), those of the source; the keys loaded before stay.
  Result<FileKeysReport> load();
  void allow();
  // Wipes the keys of files from the ring at once. Idempotent.
  void close();

 private:
  struct Work;
  using Fingerprint = crypto::Digest;
  struct Known {
    Fingerprint fingerprint{};
    BlsPublicKey public_key{};
  };

  Fingerprint fingerprint_of(const KeyFile& file) const;
  bool admit(std::uint64_t opening, const std::string& name, const Known& known, crypto::BlsSecretKey secret,
             bool& added);
  bool still(std::uint64_t opening) const;
  bool holds(const BlsPublicKey& key) const;
  void sort_out(Work& work);
  void use_cache(Work& work);
  bool open_rest(Work& work);
  void take_away(Work& work);
  void write_cache(const Work& work);

  KeyFileSource& source_;
  KeyCacheFile* const cache_;
  KeyRing& ring_;
  Random& random_;
  const FileKeysOptions options_;
  const Secret<32> fingerprint_key_;  // so that no plain digest of a password is kept
  mutable std::mutex mutex_;          // opening_, allowed_, known_, and additions to the ring
  std::uint64_t opening_ = 0;
  bool allowed_ = false;
  std::map<std::string, Known> known_;  // by file
};

}  // namespace cc::keys
