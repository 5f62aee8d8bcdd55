// What an operator's hardware keys are asked before a credential can be used.
#include <algorithm>

#include "seal/machine.h"

namespace cc::seal {
namespace {

// For a name that nobody has: drawn from the pepper, so that it is the same after every restart.
NamedChallenge made_up(const Secret<32>& pepper, const ChamberId& chamber, const std::string& operator_name) {
  const Secret<32> key = crypto::derive(pepper, chamber, "no-operator");
  return {"default", YubikeyChallenge{crypto::hmac_sha256(key, {bytes_of(operator_name)})}};
}

}  // namespace

Result<std::vector<NamedChallenge>> Chamber::Machine::challenges(const std::string& operator_name) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow_credentials());
  std::vector<NamedChallenge> out;
  bool known = false;
  for (const OperatorSet set : {OperatorSet::active, OperatorSet::staged}) {
    const MemberList* list = record_->members_of(set);
    const std::optional<unsigned> index = list == nullptr ? std::nullopt : member_index(operator_name, set);
    if (!index) {
      continue;
    }
    known = true;
    for (const StoredCredential& stored : list->entries[*index - 1].credentials) {
      const auto blob = open_pepper_layer(kms_->pepper, member_name(*index, set), stored.id, stored.box);
      // One that does not open is named when it is used; the others must not suffer for it.
      if (!blob || blob->device.empty()) {
        continue;
      }
      CC_ASSIGN(DeviceChallenge device, decode_device(blob->kind, blob->device));
      NamedChallenge one{stored.id, std::move(device)};
      if (std::ranges::find(out, one) == out.end()) {
        out.push_back(std::move(one));
      }
    }
  }
  if (!known) {
    out.push_back(made_up(kms_->pepper, record_->core.chamber, operator_name));
  }
  return out;
}

}  // namespace cc::seal
