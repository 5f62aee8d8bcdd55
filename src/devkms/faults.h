// Planted faults, one-shot or lasting: the next call that fits takes the first one that fits it. Thread-safe.
#pragma once

#include <cstdint>
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
  wrong_key,      // an answer in the name of another key
  wrong_region,   // the endpoint serves another region than the one the call was signed for
  garbled,        // an answer that is no JSON, as of a proxy in between
};
std::optional<FaultKind> parse_fault(std::string_view name);
std::string_view name(FaultKind kind);
// All of them, "timeout, throttled, …".
std::string fault_names();

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

// As AWS KMS would say it; empty for those that are no refusal.
std::optional<Refusal> refusal_of(FaultKind kind, const std::string& key, const std::string& operation,
                                  const std::string& caller);

}  // namespace cc::devkms
