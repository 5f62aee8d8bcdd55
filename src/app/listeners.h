// The listeners of the API (plain, and TLS when it is configured) and that of the metrics, as one thing to start, to
// drain and to ask for counters.
#pragma once

#include <memory>

#include "app/config.h"
#include "app/tls_files_watch.h"
#include "http/server.h"
#include "metrics/metrics.h"

namespace cc::app {

class Listeners {
 public:
  // Reads the TLS files first, so that a bad pair stops the start before anything listens. The metrics come last: they
  // ask for counters(). `open`: nobody needs a token. Config, clock and metrics outlive this. Errors: config_invalid,
  // unreachable.
  Result<void> start(Config& config, bool open, const Clock& clock, metrics::Registry& metrics,
                     const std::shared_ptr<const http::Router>& api, const std::shared_ptr<const http::Router>& scrape);
  // Takes no more connections on any API listener, lets requests under way finish for at most `patience`, then ends
  // the metrics too.
  void stop(Milliseconds patience);
  // SIGHUP. False when nothing here can be read again.
  bool reload();
  // Of the API's listeners together; once they listen.
  http::ServerCounters counters() const;

 private:
  std::unique_ptr<TlsFilesWatch> tls_files_;
  std::unique_ptr<http::Server> api_;
  std::unique_ptr<http::Server> tls_;
  std::unique_ptr<http::Server> metrics_;
};

}  // namespace cc::app
