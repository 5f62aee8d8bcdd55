// Whether a slashing store is the one this signer signed with (DESIGN section 4). The signer state remembers a
// checkpoint of the store; at start it is held against what is found. Missing, empty, foreign or behind means no
// signature, never a new beginning. Pure code, no secret passes. Limit: a store put back within the same interval
// between two checkpoints is not noticed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "guard/slashing_store.h"

namespace cc::guard {

// What the signer state remembers of its slashing store. Encoded: "CCSP" ‖ 1 ‖ id(16) ‖ run u64 ‖ commits u64,
// big-endian.
struct Checkpoint {
  std::array<std::uint8_t, 16> id{};
  std::uint64_t run = 0;
  std::uint64_t commits = 0;
  auto operator<=>(const Checkpoint&) const = default;
};
inline constexpr const char* kCheckpointDocument = "slashing-checkpoint";

Checkpoint checkpoint_of(const StoreIdentity& identity);
Bytes encode(const Checkpoint& checkpoint);
// Errors: record_malformed.
Result<Checkpoint> decode_checkpoint(ByteView bytes);

// What lies at the store's place.
enum class StoreFound { missing, empty, present };
enum class Pairing {
  create,   // first set-up: make the store, flush it, then remember it
  name,     // a crash came between making and remembering: remember it
  join,     // a new signer meets a store that others use: remember it
  proceed,  // it is ours
  missing,  // from here on: mismatches, nothing is signed
  empty,
  foreign,
  behind,
};
inline bool may_sign(Pairing pairing) { return pairing == Pairing::proceed; }

// Whether a store serves one signer, or several that share it. A used store of the first kind belongs to another
// signer; one of the second kind may be joined by a signer that has neither memory nor traces.
enum class Sharing { one_signer, several_signers };

// `traces`: a seal record or sealed keys exist, so this is no first set-up. `identity` is set exactly with
// StoreFound::present.
Pairing pair(const std::optional<Checkpoint>& remembered, StoreFound found,
             const std::optional<StoreIdentity>& identity, bool traces, Sharing sharing = Sharing::one_signer);

// What the operator is told of a mismatch (slashing_store_mismatch).
Error explain(Pairing mismatch, std::string_view path);

// `slashing adopt`: raises every validator's watermarks to the floor, also of validators this store has never seen:
// which ones signed elsewhere is exactly what a replaced store does not know. Durable with the caller's transaction.
Result<void> adopt(SlashingTransaction& tx, const Watermarks& floor);

}  // namespace cc::guard
