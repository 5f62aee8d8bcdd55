// Signed checkpoints: while the chamber is open, the log signs its own head with a key that only the master key gives.
// Whoever holds the public key knows that a chamber with this master key had exactly these entries.
//
// Secret: the key's seed, in locked memory from open to seal.
#pragma once

#include <memory>
#include <string>

#include "audit/chain.h"
#include "base/secret.h"

namespace cc::audit {

// What a checkpoint signs: that the log had `before.number` entries with this head.
std::string checkpoint_message(const LogId& log, const Head& before, std::uint64_t time);

class CheckpointKey {
 public:
  // Ed25519 with the seed HKDF(master key, "audit-checkpoint") (docs/spec/derivation.md).
  static CheckpointKey of(const Secret<32>& master_key, ByteView chamber_id);
  const CheckpointPublicKey& public_key() const { return public_key_; }
  Signed sign(const LogId& log, const Head& before, std::uint64_t time) const;

 private:
  CheckpointKey() = default;
  Secret<64> key_;
  CheckpointPublicKey public_key_{};
};

bool holds(const Signed& checkpoint, const LogId& log, const Head& before, std::uint64_t time);

}  // namespace cc::audit
