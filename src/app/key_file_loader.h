// The thread that opens keys from files: once when the signer opens, and again on POST /reload and SIGHUP. The listener
// is up all the while; a summary line and the bad files, by name, go to the log.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "adapters/files/key_folders.h"
#include "api/key_reload.h"
#include "app/config.h"
#include "base/clock.h"
#include "keys/file_keys.h"
#include "metrics/metrics.h"

namespace cc::app {

class KeyFileLoader final : public api::KeyReload {
 public:
  // All but the config outlive this. Without any folder in the config every load is empty.
  KeyFileLoader(const Config& config, keys::KeyRing& ring, metrics::Registry& metrics, const Clock& clock,
                Random& random);
  ~KeyFileLoader() override { stop(); }
  KeyFileLoader(const KeyFileLoader&) = delete;
  KeyFileLoader& operator=(const KeyFileLoader&) = delete;

  void start();
  void stop();
  // The signer may hold keys from files: loads them in the background. Never blocks.
  void opened();
  // It may not: wipes them at once and ends the load under way.
  void closed();

  // On SIGHUP; the log tells how it went. False when no folder is configured.
  bool reload();

  Result<void> begin() override;
  api::ReloadStatus status() const override;
  bool loading() const override;

 private:
  void run();
  void settle(const Result<keys::FileKeysReport>& outcome);

  const bool configured_;
  const Clock& clock_;
  files::KeyFolders folders_;
  std::unique_ptr<files::CacheFile> cache_;
  keys::FileKeys keys_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false, stopping_ = false;
  bool wanted_ = false;   // a load is asked for
  bool running_ = false;  // one is under way
  bool loaded_ = false;   // one ended since the signer opened
  api::ReloadStatus last_;
  std::thread thread_;
};

}  // namespace cc::app
