#include "app/access_log.h"

#include <fmt/format.h>

namespace cc::app {

std::function<void(const http::Exchange&)> access_log(const std::string& level, metrics::Registry& metrics) {
  const std::optional<log::Level> wanted =
      level == "off" ? std::nullopt : std::optional<log::Level>(log::parse_level(level));
  return [wanted, &metrics](const http::Exchange& exchange) {
    metrics.http_request(exchange.route, exchange.status, exchange.duration);
    if (!wanted || !log::enabled(*wanted)) {
      return;
    }
    const double milliseconds = std::chrono::duration<double, std::milli>(exchange.duration).count();
    log::write(*wanted, "request",
               {{"request_id", exchange.request_id},
                {"method", exchange.method},
                {"route", exchange.route},
                {"status", static_cast<std::uint64_t>(exchange.status)},
                {"duration_ms", fmt::format("{:.3f}", milliseconds)},
                {"peer", exchange.peer},
                {"tls", exchange.encrypted ? "yes" : "no"}});
  };
}

}  // namespace cc::app
