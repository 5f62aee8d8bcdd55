#include "app/store_ports.h"

#include "guard/rules.h"

namespace cc::app {

Result<void> SlashingPermits::permit(const std::vector<BlsPublicKey>& keys, bool fresh) {
  return store_.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (const BlsPublicKey& key : keys) {
      CC_TRY(guard::permit(tx, key, fresh));
    }
    return {};
  });
}

Result<void> SlashingPermits::withdraw(const std::vector<BlsPublicKey>& keys) {
  return store_.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (const BlsPublicKey& key : keys) {
      CC_TRY(guard::withdraw(tx, key));
    }
    return {};
  });
}

Result<seal::Traces> StoreTraces::traces() {
  seal::Traces out;
  CC_ASSIGN(const std::uint64_t sealed, keys_.count(std::nullopt));
  out.key_records = sealed > 0;
  if (doubt_ && !doubt_->identity) {
    return fail(doubt_->error);
  }
  guard::StoreIdentity identity;
  if (doubt_) {
    identity = *doubt_->identity;
  } else {
    CC_ASSIGN(identity, slashing_.identity());
  }
  out.named_chamber = identity.chamber;
  out.highest_epoch = identity.highest_epoch;
  out.core_digest = identity.core_digest;
  return out;
}

Result<void> StoreTraces::remember(const seal::ChamberId& chamber, std::uint64_t epoch,
                                   const std::array<std::uint8_t, 32>& core_digest) {
  return doubt_ ? fail(doubt_->error) : slashing_.name_chamber(chamber, epoch, core_digest);
}

}  // namespace cc::app
