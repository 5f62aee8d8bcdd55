#include "audit/checkpoint.h"

#include "crypto/ed25519.h"

namespace cc::audit {

std::string checkpoint_message(const LogId& log, const Head& before, std::uint64_t time) {
  return "cc/audit/v1/checkpoint\n" + to_hex(log) + "\n" + std::to_string(before.number) + "\n" + to_hex(before.value) +
         "\n" + std::to_string(time) + "\n";
}

CheckpointKey CheckpointKey::of(const Secret<32>& master_key, ByteView chamber_id) {
  CheckpointKey out;
  out.public_key_ = crypto::ed25519_key(crypto::derive(master_key, chamber_id, "audit-checkpoint"), out.key_);
  return out;
}

Signed CheckpointKey::sign(const LogId& log, const Head& before, std::uint64_t time) const {
  return {public_key_, crypto::ed25519_sign(key_, bytes_of(checkpoint_message(log, before, time)))};
}

bool holds(const Signed& checkpoint, const LogId& log, const Head& before, std::uint64_t time) {
  return crypto::ed25519_verify(checkpoint.key, bytes_of(checkpoint_message(log, before, time)), checkpoint.signature);
}

}  // namespace cc::audit
