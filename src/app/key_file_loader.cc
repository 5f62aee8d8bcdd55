#include "app/key_file_loader.h"

#include "base/log.h"

namespace cc::app {
namespace {

constexpr std::size_t kMostNamed = 20;  // bad files named in one go; the rest are counted

files::KeyFolderPaths paths_of(const Config& config) {
  return {config.key_files.paths, config.key_files.keystores_path, config.key_files.keystores_passwords_path,
          config.key_files.keystores_password_file};
}

keys::FileKeysOptions options_of(const Config& config, metrics::Registry& metrics) {
  keys::FileKeysOptions out;
  out.threads = config.key_files.load_concurrency;
  out.progress = [&metrics](std::uint64_t done, std::uint64_t total) { metrics.keys_loading(done, total); };
  return out;
}

std::string summary(const std::vector<keys::BadKeyFile>& bad) {
  return bad.empty() ? std::string()
                     : std::to_string(bad.size()) + (bad.size() == 1 ? " key file" : " key files") +
                           " could not be used; the log names each";
}

void tell(const keys::FileKeysReport& report) {
  std::size_t named = 0;
  for (const keys::BadKeyFile& file : report.bad) {
    if (named++ == kMostNamed) {
      log::warn("more key files could not be used", {{"files", std::uint64_t{report.bad.size() - kMostNamed}}});
      break;
    }
    log::warn("a key file could not be used",
              {{"file", file.name}, {"code", facts(file.error.kind).code}, {"reason", file.error.message}});
  }
  if (!report.duplicates.empty()) {
    log::warn("key files hold keys that were loaded already; the first one counts",
              {{"files", std::uint64_t{report.duplicates.size()}}, {"first", report.duplicates.front()}});
  }
  log::info("keys from files loaded", {{"keys", report.loaded},
                                       {"added", report.added},
                                       {"from_cache", report.from_cache},
                                       {"removed", report.removed},
                                       {"unusable", std::uint64_t{report.bad.size()}}});
}

}  // namespace

KeyFileLoader::KeyFileLoader(const Config& config, keys::KeyRing& ring, metrics::Registry& metrics, const Clock& clock,
                             Random& random)
    : configured_(!paths_of(config).empty()),
      clock_(clock),
      folders_(paths_of(config)),
      cache_(config.key_files.cache ? std::make_unique<files::CacheFile>(config.key_files.cache_path) : nullptr),
      keys_(folders_, cache_.get(), ring, random, options_of(config, metrics)) {}

void KeyFileLoader::start() {
  thread_ = std::thread([this] { run(); });
}

void KeyFileLoader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    open_ = false;
  }
  keys_.close();
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void KeyFileLoader::opened() {
  {
    const std::lock_guard lock(mutex_);
    if (open_ || !configured_ || stopping_) {
      return;
    }
    open_ = wanted_ = true;
    loaded_ = false;
    keys_.allow();
  }
  changed_.notify_all();
}

void KeyFileLoader::closed() {
  const std::lock_guard lock(mutex_);
  open_ = wanted_ = false;
  keys_.close();
}

Result<void> KeyFileLoader::begin() {
  {
    const std::lock_guard lock(mutex_);
    if (!configured_) {
      return {};
    }
    if (!open_) {
      return fail(ErrorKind::signer_sealed, "the signer is sealed: the key files are read once it is open");
    }
    if (running_ || wanted_) {
      return fail(ErrorKind::reload_running, "a reload is running already");
    }
    wanted_ = true;
  }
  changed_.notify_all();
  return {};
}

bool KeyFileLoader::reload() {
  if (!configured_) {
    return false;
  }
  if (const Result<void> begun = begin(); !begun) {
    log::warn("the key files are not read again", {{"reason", begun.error().message}});
  }
  return true;
}

api::ReloadStatus KeyFileLoader::status() const {
  const std::lock_guard lock(mutex_);
  api::ReloadStatus out = last_;
  if (running_ || wanted_) {
    out.state = api::ReloadState::running;
  }
  return out;
}

bool KeyFileLoader::loading() const {
  const std::lock_guard lock(mutex_);
  return open_ && !loaded_;
}

void KeyFileLoader::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || wanted_; });
    if (stopping_) {
      return;
    }
    wanted_ = false;
    running_ = true;
    lock.unlock();
    const auto outcome = keys_.load();
    lock.lock();
    running_ = false;
    settle(outcome);
  }
}

// Under the lock.
void KeyFileLoader::settle(const Result<keys::FileKeysReport>& outcome) {
  last_.ended_at = clock_.unix_seconds();
  if (outcome) {
    tell(*outcome);
    last_.state = outcome->bad.empty() ? api::ReloadState::completed : api::ReloadState::completed_with_errors;
    last_.last_error = summary(outcome->bad);
    loaded_ = true;
    return;
  }
  last_.state = api::ReloadState::failed;
  last_.last_error = outcome.error().message;
  if (outcome.error().kind != ErrorKind::signer_sealed) {
    log::error("the key files cannot be loaded",
               {{"code", facts(outcome.error().kind).code}, {"reason", outcome.error().message}});
    loaded_ = true;  // what is there is what there is, until the next reload
  }
}

}  // namespace cc::app
