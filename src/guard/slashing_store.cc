#include "guard/slashing_store.h"

namespace cc::guard {

Result<void> SlashingStore::transact_ahead(std::span<const LookAhead>, const Work& work) { return transact(work); }

// A committed look would count, and let an older store catch up with its checkpoint; so it is rolled back.
Result<void> SlashingStore::look(const Work& work) {
  bool looked = false;
  const Result<void> done = transact([&](SlashingTransaction& tx) -> Result<void> {
    CC_TRY(work(tx));
    looked = true;
    return fail(ErrorKind::internal, "rolled back: this only looked");
  });
  return looked ? Result<void>() : done;
}

}  // namespace cc::guard
