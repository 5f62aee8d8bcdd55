// The permits of the slashing store, as the keys room needs them. A key signs only while its permit stands; it is
// checked inside the transaction that records a signature, so a withdrawn key signs from no source and no replica.
#pragma once

#include <vector>

#include "base/chain.h"
#include "base/result.h"

namespace cc::keys {

// Both calls are durable when they return, all keys or none, and may be repeated. Thread-safe.
class PermitPort {
 public:
  virtual ~PermitPort() = default;
  // `fresh`: the keys were generated here just now, so their empty history is known to be the whole one.
  virtual Result<void> permit(const std::vector<BlsPublicKey>& keys, bool fresh) = 0;
  virtual Result<void> withdraw(const std::vector<BlsPublicKey>& keys) = 0;
};

}  // namespace cc::keys
