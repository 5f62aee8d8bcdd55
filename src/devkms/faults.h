// Planted faults, one-shot or lasting: the next call that fits takes the first one that fits it. Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "devkms/access.h"

namespace cc::devkms {

enum class FaultKind {
  timeout,  // no answer at all
  throttled,
  denied,
  disabled,
  pending_deletion,
  not_found,
  internal,       // a fault of the service, HTTP 500
  expired_token,  // of the credentials
  corrupted,      // a plaintext with one bit turned
};
std::optional<FaultKind> parse_fault(std::string_view name);
std::string_view name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::timeout;
  std::string key;          // an ARN; empty: any
  std::string operation;    // "Decrypt"; empty: any
  std::uint32_t count = 1;  // 0: until cleared
};

class Faults {
 public:
  void plant(Fault fault);
  void clear();
  std::optional<FaultKind> take(std::string_view key, std::string_view operation);

 private:
  std::mutex mutex_;
  std::deque<Fault> planted_;
};

// As AWS KMS would say it; empty for timeout and corrupted.
std::optional<Refusal> refusal_of(FaultKind kind, const std::string& key, const std::string& operation,
                                  const std::string& caller);

}  // namespace cc::devkms
