// The slashing store as other rooms need it: permits for the keys, traces for the chamber.
#pragma once

#include <optional>

#include "guard/slashing_store.h"
#include "keys/key_store.h"
#include "keys/permit_port.h"
#include "seal/ports.h"

namespace cc::app {

// Thread-safe: every call is one transaction of the store.
class SlashingPermits final : public keys::PermitPort {
 public:
  explicit SlashingPermits(guard::SlashingStore& store) : store_(store) {}
  Result<void> permit(const std::vector<BlsPublicKey>& keys, bool fresh) override;
  Result<void> withdraw(const std::vector<BlsPublicKey>& keys) override;

 private:
  guard::SlashingStore& store_;
};

// While the slashing store is in doubt the chamber does not open: its memory of the highest epoch would be missing. The
// store's own name of the chamber still counts as a trace, so that a lost seal record is never taken for a new
// beginning.
class StoreTraces final : public seal::TraceKeeper {
 public:
  struct Doubt {
    Error error;                                   // why the store is not the one of this signer
    std::optional<guard::StoreIdentity> identity;  // of the store found, when the state names none
  };
  StoreTraces(keys::KeyStore& keys, guard::SlashingStore& slashing, std::optional<Doubt> doubt)
      : keys_(keys), slashing_(slashing), doubt_(std::move(doubt)) {}
  Result<seal::Traces> traces() override;
  Result<void> remember(const seal::ChamberId& chamber, std::uint64_t epoch,
                        const std::array<std::uint8_t, 32>& core_digest) override;

 private:
  keys::KeyStore& keys_;
  guard::SlashingStore& slashing_;
  std::optional<Doubt> doubt_;
};

// Stands in for a slashing store that must not be used: every call fails with the reason.
class RefusingSlashingStore final : public guard::SlashingStore {
 public:
  explicit RefusingSlashingStore(Error why) : why_(std::move(why)) {}
  Result<void> transact(const std::function<Result<void>(guard::SlashingTransaction&)>&) override { return fail(why_); }
  Result<guard::StoreIdentity> identity() override { return fail(why_); }
  Result<guard::StoreIdentity> begin_run() override { return fail(why_); }
  Result<void> name_chamber(const std::array<std::uint8_t, 16>&, std::uint64_t, const Root&) override {
    return fail(why_);
  }

 private:
  Error why_;
};

}  // namespace cc::app
