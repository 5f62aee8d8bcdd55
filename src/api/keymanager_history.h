// The slashing history that comes with keys and goes with them, for the keymanager API. No secret passes.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/context.h"
#include "guard/interchange.h"

namespace cc::api {

// The history in an import request. Reading it changes nothing.
class ArrivingHistory {
 public:
  // Errors: interchange_invalid, network_mismatch, those of the store.
  static Result<ArrivingHistory> read(Context& context, std::string_view text);
  // Merges what the file says of these keys, in one durable transaction, and notes where it came from. What it says of
  // other keys is left out: the caller has shown to hold these keys and no others. Errors: those of the store.
  Result<void> apply(const std::vector<BlsPublicKey>& keys) const;

 private:
  explicit ArrivingHistory(Context& context) : context_(&context) {}
  Context* context_;
  guard::Interchange file_;
  Root digest_{};
};

// The history of keys that were stopped.
struct LeavingHistory {
  std::set<BlsPublicKey> known;  // those of which the store knows anything
  std::string interchange;       // of the known ones, as EIP-3076 JSON

  // Withdraws the permit of every key the store knows, and reads their history in the same transaction: whatever is
  // signed later is refused, whatever was signed before is in it. A store that serves no network yet gives a file with
  // the all-zero root and no records. Errors: those of the store.
  static Result<LeavingHistory> take(Context& context, const std::vector<BlsPublicKey>& keys);
};

}  // namespace cc::api
