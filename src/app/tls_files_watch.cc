#include "app/tls_files_watch.h"

#include <algorithm>

#include "base/log.h"

namespace cc::app {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kWarnSeconds = 21 * kDaySeconds;
constexpr std::chrono::hours kBetweenExpiryLooks{1};

http::TlsOptions options_of(TlsConfig& config) {
  http::TlsOptions out;
  out.certificate_path = config.file.cert_path;
  out.key_path = config.file.key_path;
  out.key_password = std::move(config.file.key_password);
  out.only_tls13 = config.minimum_version == "1.3";
  out.clients = config.client.mode == "required"   ? http::ClientCertificates::required
                : config.client.mode == "optional" ? http::ClientCertificates::optional
                                                   : http::ClientCertificates::none;
  out.client_ca_path = config.client.ca_path;
  out.known_clients_path = config.client.known_clients_path;
  out.allowed_clients = config.client.allowed;
  return out;
}

}  // namespace

Result<std::unique_ptr<TlsFilesWatch>> TlsFilesWatch::start(TlsConfig& config, const Clock& clock,
                                                            metrics::Registry& metrics) {
  CC_ASSIGN(auto identity, http::TlsIdentity::load(options_of(config)));
  std::unique_ptr<TlsFilesWatch> out(new TlsFilesWatch(std::move(identity), clock, metrics));
  const http::TlsFacts facts = out->identity_->facts();
  log::info("TLS certificate", {{"subject", facts.subject}, {"sha256", facts.fingerprint}});
  if (!facts.key_path_warning.empty()) {
    log::warn(facts.key_path_warning);
  }
  {
    const std::scoped_lock lock(out->reload_mutex_);
    out->tell_expiry();
  }
  out->thread_ = std::thread([watch = out.get(), seconds = config.file.reload_interval_seconds] {
    watch->watch(std::chrono::seconds(seconds));
  });
  return out;
}

TlsFilesWatch::TlsFilesWatch(std::shared_ptr<http::TlsIdentity> identity, const Clock& clock,
                             metrics::Registry& metrics)
    : identity_(std::move(identity)), clock_(clock), metrics_(metrics) {}

TlsFilesWatch::~TlsFilesWatch() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void TlsFilesWatch::watch(std::chrono::seconds interval) {
  const bool polls = interval.count() > 0;
  const std::chrono::seconds pause = polls ? interval : kBetweenExpiryLooks;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return ending_; })) {
    lock.unlock();
    if (polls && identity_->files_changed()) {
      reload();
    } else {
      look();
    }
    lock.lock();
  }
}

void TlsFilesWatch::reload() {
  const std::scoped_lock lock(reload_mutex_);
  const std::string before = identity_->facts().fingerprint;
  if (const Result<void> taken = identity_->reload(static_cast<std::int64_t>(clock_.unix_seconds())); !taken) {
    metrics_.tls_reload(false);
    log::error("the new TLS files cannot be used; the certificate in force stays",
               {{"reason", taken.error().message}, {"sha256", before}});
  } else {
    metrics_.tls_reload(true);
    const http::TlsFacts facts = identity_->facts();
    log::info("TLS files read again",
              {{"subject", facts.subject}, {"sha256", facts.fingerprint}, {"replaced", before}});
    if (!facts.key_path_warning.empty()) {
      log::warn(facts.key_path_warning);
    }
    next_expiry_line_ = 0;
  }
  tell_expiry();
}

void TlsFilesWatch::look() {
  const std::scoped_lock lock(reload_mutex_);
  tell_expiry();
}

// The gauge each time, a line once a day.
void TlsFilesWatch::tell_expiry() {
  const http::TlsFacts facts = identity_->facts();
  metrics_.tls_certificate(facts.not_before, facts.not_after);
  const std::uint64_t now = clock_.unix_seconds();
  const std::int64_t left = facts.not_after - static_cast<std::int64_t>(now);
  const bool early = facts.not_before > static_cast<std::int64_t>(now);
  if ((left > kWarnSeconds && !early) || now < next_expiry_line_) {
    return;
  }
  next_expiry_line_ = now + kDaySeconds;
  if (early) {
    log::error("the TLS certificate is not valid yet: clients will refuse it; is the clock right?",
               {{"subject", facts.subject}});
  } else if (left <= 0) {
    log::error(
        "the TLS certificate has expired: clients will refuse it; replace the files, the signer takes them "
        "without a restart",
        {{"subject", facts.subject}});
  } else {
    log::warn("the TLS certificate expires soon",
              {{"subject", facts.subject}, {"days_left", static_cast<std::uint64_t>(left / kDaySeconds)}});
  }
}

}  // namespace cc::app
