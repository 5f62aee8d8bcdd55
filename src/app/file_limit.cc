#include "app/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/log.h"

namespace cc::app {
namespace {

// Stores, logs, KEKs, key files; and the few connections that a listener takes beyond its limit.
constexpr std::uint64_t kReserve = 128;
constexpr std::uint64_t kSpare = 64;
constexpr std::uint64_t kFewest = 16;

}  // namespace

std::uint64_t connections_within_file_limit(std::uint64_t max_connections, std::uint64_t listeners) {
  const std::uint64_t wanted = listeners * (max_connections + kSpare) + kReserve;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return max_connections;
  }
  if (limit.rlim_cur < wanted) {
    rlimit raised = limit;
    raised.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      limit = raised;
    }
  }
  if (limit.rlim_cur >= wanted) {
    return max_connections;
  }
  const std::uint64_t left = limit.rlim_cur > kReserve ? (limit.rlim_cur - kReserve) / listeners : 0;
  const std::uint64_t fitting = std::max(kFewest, left > kSpare ? left - kSpare : 0);
  log::warn("the limit on open files is too low for server.max_connections: raise it (ulimit -n, LimitNOFILE=)",
            {{"limit", std::uint64_t{limit.rlim_cur}}, {"wanted", wanted}, {"connections_per_listener", fitting}});
  return std::min(fitting, max_connections);
}

}  // namespace cc::app
