#include "keys/file_keys.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <set>

#include "base/log.h"
#include "base/parallel.h"
#include "formats/keystore.h"

namespace cc::keys {
namespace {

// One scrypt of a usual keystore takes 256 MiB.
constexpr std::size_t kMostThreads = 4;
constexpr std::uint64_t kProgressEvery = 100;

const KeystoreItem* keystore_of(const KeyFile& file) { return std::get_if<KeystoreItem>(&file.key); }

crypto::Digest digest_of(const KeystoreItem& item) { return crypto::sha256(bytes_of(item.json)); }

Result<crypto::BlsSecretKey> open_file(const KeyFile& file) {
  const KeystoreItem* const item = keystore_of(file);
  if (item == nullptr) {
    return crypto::BlsSecretKey::from_bytes(expose_secret_bytes(std::get<Secret<32>>(file.key)));
  }
  CC_ASSIGN(const keystore::Keystore parsed, keystore::parse(item->json));
  return keystore::open(parsed, item->password);
}

}  // namespace

// One load, from its first look at the files to its report.
struct FileKeys::Work {
  std::uint64_t opening = 0;
  KeyFiles files;
  std::vector<Fingerprint> fingerprints;  // of each file found
  std::vector<std::size_t> todo;          // files to open
  std::mutex mutex;                       // report and opened, while threads open files
  std::atomic<std::uint64_t> done{0};
  bool cache_stale = false;  // the cache on disk is not what these files need
  std::size_t cached = 0;    // keys in it
  FileKeysReport report;
};

FileKeys::FileKeys(KeyFileSource& source, KeyCacheFile* cache, KeyRing& ring, Random& random, FileKeysOptions options)
    : source_(source),
      cache_(cache),
      ring_(ring),
      random_(random),
      options_(std::move(options)),
      fingerprint_key_(random.secret<32>()) {}

FileKeys::~FileKeys() { close(); }

void FileKeys::allow() {
  const std::lock_guard lock(mutex_);
  allowed_ = true;
}

void FileKeys::close() {
  const std::lock_guard lock(mutex_);
  allowed_ = false;
  ++opening_;
  ring_.clear(KeySource::filesystem);
  known_.clear();
}

bool FileKeys::still(std::uint64_t opening) const {
  const std::lock_guard lock(mutex_);
  return allowed_ && opening_ == opening;
}

bool FileKeys::holds(const BlsPublicKey& key) const {
  const auto held = ring_.find(key);
  return held != nullptr && held->source == KeySource::filesystem;
}

FileKeys::Fingerprint FileKeys::fingerprint_of(const KeyFile& file) const {
  if (const KeystoreItem* const item = keystore_of(file)) {
    return crypto::hmac_sha256(fingerprint_key_, {digest_of(*item), expose_secret_bytes(item->password)});
  }
  return crypto::hmac_sha256(fingerprint_key_, {expose_secret_bytes(std::get<Secret<32>>(file.key))});
}

// False when the signer closed meanwhile.
bool FileKeys::admit(std::uint64_t opening, const std::string& name, const Known& known, crypto::BlsSecretKey secret,
                     bool& added) {
  const std::lock_guard lock(mutex_);
  if (!allowed_ || opening_ != opening) {
    return false;
  }
  added =
      ring_.add(std::make_shared<const RingKey>(RingKey{known.public_key, KeySource::filesystem, std::move(secret)}));
  known_[name] = known;
  return true;
}

Result<FileKeysReport> FileKeys::load() {
  const auto closed = [] {
    return fail(ErrorKind::signer_sealed, "the signer is sealed: keys from files are loaded again once it is open");
  };
  try {
    Work work;
    {
      const std::lock_guard lock(mutex_);
      if (!allowed_) {
        return closed();
      }
      work.opening = opening_;
    }
    CC_ASSIGN(work.files, source_.read());
    sort_out(work);
    use_cache(work);
    if (!open_rest(work)) {
      return closed();
    }
    take_away(work);
    write_cache(work);
    if (!still(work.opening)) {
      return closed();
    }
    return std::move(work.report);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::locked_memory, "memory ran out: raise LimitMEMLOCK / ulimit -l, or load fewer keys");
  }
}

// Which files have to be opened: those that are new, changed, or whose key is not in the ring.
void FileKeys::sort_out(Work& work) {
  work.report.bad = std::move(work.files.bad);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < work.files.found.size(); ++i) {
    const KeyFile& file = work.files.found[i];
    work.fingerprints.push_back(fingerprint_of(file));
    const auto known = known_.find(file.name);
    if (known == known_.end() || known->second.fingerprint != work.fingerprints.back() ||
        !ring_.contains(known->second.public_key)) {
      work.todo.push_back(i);
    }
  }
  if (options_.progress) {
    options_.progress(work.files.found.size() - work.todo.size(), work.files.found.size());
  }
}

// Opens what the cache knows. Anything wrong with the cache only means that the keystores are derived.
void FileKeys::use_cache(Work& work) {
  if (cache_ == nullptr) {
    return;
  }
  std::vector<CacheMember> members;
  for (const KeyFile& file : work.files.found) {
    if (const KeystoreItem* const item = keystore_of(file)) {
      members.push_back({digest_of(*item), &item->password});
    }
  }
  const auto bytes = cache_->read();
  if (!bytes || !*bytes) {
    work.cache_stale = true;
    return;
  }
  const auto cache = decode_cache(**bytes);
  std::set<crypto::Digest> named;
  for (const CacheEntry& entry : cache ? cache->entries : std::vector<CacheEntry>()) {
    named.insert(entry.keystore);
  }
  work.cached = named.size();
  work.cache_stale = !cache || std::ranges::any_of(members, [&](const CacheMember& member) {
    return !named.contains(member.keystore);
  });
  const bool wanted = std::ranges::any_of(work.todo, [&](std::size_t i) {
    const KeystoreItem* const item = keystore_of(work.files.found[i]);
    return item != nullptr && named.contains(digest_of(*item));
  });
  if (!cache || !wanted) {
    return;
  }
  auto opened = open_cache(*cache, members);
  if (!opened) {
    log::info("the keystore cache is not used", {{"reason", opened.error().message}});
    work.cache_stale = true;
    return;
  }
  std::erase_if(work.todo, [&](std::size_t i) {
    const KeystoreItem* const item = keystore_of(work.files.found[i]);
    const auto found = item == nullptr ? opened->end() : opened->find(digest_of(*item));
    bool added = false;
    if (found == opened->end() ||
        !admit(work.opening, work.files.found[i].name, {work.fingerprints[i], found->second.public_key},
               found->second.secret.clone(), added)) {
      return false;
    }
    work.report.added += added ? 1 : 0;
    work.report.from_cache += added ? 1 : 0;
    if (!added) {
      work.report.duplicates.push_back(work.files.found[i].name);
    }
    return true;
  });
}

// False when the signer closed meanwhile.
bool FileKeys::open_rest(Work& work) {
  const std::uint64_t total = work.files.found.size();
  work.done = total - work.todo.size();
  const std::size_t threads = options_.threads == 0 ? kMostThreads : options_.threads;
  const auto open_one = [&](std::size_t index) {
    const std::size_t at = work.todo[index];
    const KeyFile& file = work.files.found[at];
    if (!still(work.opening)) {
      return false;
    }
    auto secret = open_file(file);
    bool added = false;
    bool open = true;
    if (secret) {
      const BlsPublicKey public_key = secret->public_key();
      open = admit(work.opening, file.name, {work.fingerprints[at], public_key}, *std::move(secret), added);
    }
    const std::uint64_t done = ++work.done;
    if (options_.progress) {
      options_.progress(done, total);
    }
    if (done % kProgressEvery == 0) {
      log::info("loading keys from files", {{"loaded", done}, {"total", total}});
    }
    const std::lock_guard lock(work.mutex);
    if (!secret) {
      work.report.bad.push_back({file.name, secret.error()});
    } else if (added) {
      ++work.report.added;
      work.cache_stale = work.cache_stale || keystore_of(file) != nullptr;
    } else {
      work.report.duplicates.push_back(file.name);
    }
    return open;
  };
  return run_parallel(work.todo.size(), threads, open_one);
}

// Keys whose every file is gone. A file that is there but bad keeps its key.
void FileKeys::take_away(Work& work) {
  std::set<std::string> there;
  for (const KeyFile& file : work.files.found) {
    there.insert(file.name);
  }
  for (const BadKeyFile& file : work.report.bad) {
    there.insert(file.name);
  }
  const std::lock_guard lock(mutex_);
  if (!allowed_ || opening_ != work.opening) {
    return;
  }
  std::erase_if(known_, [&](const auto& entry) { return !there.contains(entry.first); });
  std::set<BlsPublicKey> kept;
  for (const auto& [name, known] : known_) {
    kept.insert(known.public_key);
  }
  for (const BlsPublicKey& key : ring_.public_keys()) {
    if (!holds(key)) {
      continue;
    }
    if (kept.contains(key)) {
      ++work.report.loaded;
    } else if (ring_.remove(key)) {
      ++work.report.removed;
    }
  }
}

// A failure costs the next start its speed, nothing else.
void FileKeys::write_cache(const Work& work) {
  if (cache_ == nullptr || !work.cache_stale) {
    return;
  }
  std::vector<std::shared_ptr<const RingKey>> held;
  std::vector<KeyToCache> keys;
  for (std::size_t i = 0; i < work.files.found.size(); ++i) {
    const KeystoreItem* const item = keystore_of(work.files.found[i]);
    std::shared_ptr<const RingKey> key;
    {
      const std::lock_guard lock(mutex_);
      const auto known = known_.find(work.files.found[i].name);
      key = known == known_.end() || known->second.fingerprint != work.fingerprints[i]
                ? nullptr
                : ring_.find(known->second.public_key);
    }
    if (item != nullptr && key != nullptr) {
      keys.push_back({{digest_of(*item), &item->password}, key->public_key, &key->secret});
      held.push_back(std::move(key));
    }
  }
  // Files that could not be opened this time, perhaps all of them, must not cost the next start its cache.
  if (keys.empty() || (keys.size() < work.cached && !work.report.bad.empty())) {
    return;
  }
  auto sealed = seal_cache(keys, random_, options_.cache_cost);
  const Result<void> written = sealed ? cache_->write(encode(*sealed)) : Result<void>(fail(sealed.error()));
  if (!written) {
    log::warn("the keystore cache cannot be written; the next start derives every keystore again",
              {{"code", facts(written.error().kind).code}, {"reason", written.error().message}});
  } else {
    log::info("keystore cache written", {{"keys", std::uint64_t{keys.size()}}});
  }
}

}  // namespace cc::keys
