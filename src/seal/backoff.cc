#include "seal/backoff.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/bytes.h"

namespace cc::seal {
namespace {

constexpr Milliseconds kFirstWait{1000};
constexpr Milliseconds kLongestWait{5 * 60 * 1000};
constexpr Milliseconds kForgottenAfter{60 * 60 * 1000};
constexpr std::size_t kMaxKeyBytes = 128;

}  // namespace

// One attacker commonly has a whole /64 of IPv6 addresses: they count as one source. Anything else stands for itself.
std::string network_of(const std::string& source) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, source.c_str(), &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address)) {
    return source.substr(0, kMaxKeyBytes);
  }
  return to_hex(ByteView(address.s6_addr, 8)) + "/64";
}

Backoff::Key Backoff::key(const std::string& operator_name, const std::string& source) {
  return {operator_name.substr(0, kMaxKeyBytes), network_of(source)};
}

Result<void> Backoff::check(const std::string& operator_name, const std::string& source) const {
  const auto found = pairs_.find(key(operator_name, source));
  if (found == pairs_.end() || found->second.blocked_until <= clock_.monotonic()) {
    return {};
  }
  const auto seconds = (found->second.blocked_until - clock_.monotonic() + Milliseconds(999)) / Milliseconds(1000);
  return fail(ErrorKind::too_many_attempts,
              "too many wrong attempts for this operator from here; try again in " + std::to_string(seconds) + " s");
}

void Backoff::failed(const std::string& operator_name, const std::string& source) {
  const Milliseconds now = clock_.monotonic();
  const Key who = key(operator_name, source);
  if (pairs_.size() >= kMaxPairs && !pairs_.contains(who)) {
    pairs_.erase(std::ranges::min_element(pairs_, {}, [](const auto& entry) { return entry.second.last; }));
  }
  Pair& pair = pairs_[who];
  if (pair.failures > 0 && now - pair.last > kForgottenAfter) {
    pair = {};
  }
  ++pair.failures;
  pair.last = now;
  if (pair.failures >= free_attempts_) {
    const unsigned doublings = std::min(pair.failures - free_attempts_, 20U);
    pair.blocked_until = now + std::min<Milliseconds>(kFirstWait * (1LL << doublings), kLongestWait);
  }
}

void Backoff::succeeded(const std::string& operator_name, const std::string& source) {
  pairs_.erase(key(operator_name, source));
}

}  // namespace cc::seal
