#include "app/listeners.h"

#include "app/access_log.h"
#include "app/file_limit.h"
#include "base/log.h"
#include "http/browser_guard.h"

namespace cc::app {
namespace {

http::BrowserRules browser_rules(const Config& config, bool open) {
  http::BrowserRules out;
  out.open = open;
  out.hosts = config.http.host_allowlist;
  out.origins = config.http.origin_allowlist;
  return out;
}

http::ServerOptions options_of(const Config& config) {
  http::ServerOptions out;
  out.max_connections = config.server.max_connections;
  out.max_in_flight = config.server.max_in_flight;
  out.header_timeout = std::chrono::seconds(config.server.header_timeout_seconds);
  out.body_timeout = std::chrono::seconds(config.server.body_timeout_seconds);
  out.idle_timeout = std::chrono::seconds(config.server.idle_timeout_seconds);
  out.reply_timeout = std::chrono::seconds(config.server.reply_timeout_seconds);
  out.handshake_timeout = std::chrono::seconds(config.tls.handshake_timeout_seconds);
  return out;
}

Result<std::unique_ptr<http::Server>> listen(std::string_view name, http::ServerOptions options, std::string address,
                                             std::uint64_t port, std::shared_ptr<const http::Router> router) {
  options.address = address;
  options.port = static_cast<std::uint16_t>(port);
  CC_ASSIGN(auto server, http::Server::start(std::move(options), std::move(router)));
  log::info("listening", {{"listener", name}, {"address", address}, {"port", std::uint64_t{server->port()}}});
  return server;
}

}  // namespace

Result<void> Listeners::start(Config& config, bool open, const Clock& clock, metrics::Registry& metrics,
                              const std::shared_ptr<const http::Router>& api,
                              const std::shared_ptr<const http::Router>& scrape) {
  const std::uint64_t listeners = 1 + (config.tls.enabled() ? 1 : 0) + (config.metrics.enabled ? 1 : 0);
  http::ServerOptions common = options_of(config);
  common.max_connections = connections_within_file_limit(config.server.max_connections, listeners);
  http::ServerOptions api_options = common;
  api_options.admission = http::browser_guard(browser_rules(config, open));
  api_options.on_answer = access_log(config.access_level, metrics);
  if (config.tls.enabled()) {
    CC_ASSIGN(tls_files_, TlsFilesWatch::start(config.tls, clock, metrics));
    http::ServerOptions options = api_options;
    options.tls = tls_files_->identity();
    const std::string& address =
        config.tls.listen_address.empty() ? config.server.listen_address : config.tls.listen_address;
    CC_ASSIGN(tls_, listen("tls", std::move(options), address, config.tls.listen_port, api));
  }
  CC_ASSIGN(api_, listen("api", std::move(api_options), config.server.listen_address, config.server.listen_port, api));
  if (config.metrics.enabled) {
    common.admission = http::browser_guard(browser_rules(config, true));  // a scrape needs no token
    CC_ASSIGN(metrics_,
              listen("metrics", std::move(common), config.metrics.listen_address, config.metrics.listen_port, scrape));
  }
  return {};
}

void Listeners::stop(Milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  api_->drain();
  if (tls_) {
    tls_->drain();
    tls_->stop(patience);
  }
  const auto left = std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now());
  api_->stop(std::max(left, Milliseconds(0)));
  if (metrics_) {
    metrics_->stop(Milliseconds(0));
  }
}

bool Listeners::reload() {
  if (tls_files_) {
    tls_files_->reload();
  }
  return tls_files_ != nullptr;
}

http::ServerCounters Listeners::counters() const {
  http::ServerCounters out = api_->counters();
  if (tls_) {
    const http::ServerCounters more = tls_->counters();
    out.connections += more.connections;
    out.in_flight += more.in_flight;
    out.requests_total += more.requests_total;
    out.handed_total += more.handed_total;
    out.shed_total += more.shed_total;
    out.evicted_total += more.evicted_total;
    out.handshakes_total += more.handshakes_total;
    out.handshakes_failed_total += more.handshakes_failed_total;
  }
  return out;
}

}  // namespace cc::app
