// The TLS certificate over the life of a server: read at the start, read again when its files change or on SIGHUP,
// watched for its expiry.
//
// A pair that cannot be used stops the start, but never a running server: it is reported and the pair in force stays.
// An expired certificate does not stop the start either: clients refuse it, and the log and a metric say so.
//
// Own thread. Secrets that pass: the key's password, kept for the next reload.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "app/config_tls.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/tls_identity.h"
#include "metrics/metrics.h"

namespace cc::app {

class TlsFilesWatch {
 public:
  // Takes the password out of `config`. Clock and metrics outlive the watch. Errors: config_invalid.
  static Result<std::unique_ptr<TlsFilesWatch>> start(TlsConfig& config, const Clock& clock,
                                                      metrics::Registry& metrics);
  ~TlsFilesWatch();
  TlsFilesWatch(const TlsFilesWatch&) = delete;
  TlsFilesWatch& operator=(const TlsFilesWatch&) = delete;

  std::shared_ptr<const http::TlsIdentity> identity() const { return identity_; }
  // Reads the files now, changed or not.
  void reload();

 private:
  TlsFilesWatch(std::shared_ptr<http::TlsIdentity> identity, const Clock& clock, metrics::Registry& metrics);
  void watch(std::chrono::seconds interval);
  void look();
  void tell_expiry();

  std::shared_ptr<http::TlsIdentity> identity_;
  const Clock& clock_;
  metrics::Registry& metrics_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::mutex reload_mutex_;
  std::uint64_t next_expiry_line_ = 0;  // guarded by reload_mutex_
  std::thread thread_;
};

}  // namespace cc::app
