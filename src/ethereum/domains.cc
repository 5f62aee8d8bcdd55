#include "ethereum/domains.h"

#include <algorithm>

#include "ethereum/ssz_merkle.h"

namespace cc::ethereum {

Result<ForkInfo> read_fork_info(JsonValue request) {
  CC_ASSIGN(const JsonValue fork_info, request.member("fork_info"));
  CC_ASSIGN(const JsonValue fork, fork_info.member("fork"));
  CC_ASSIGN(const JsonValue previous, fork.member("previous_version"));
  CC_ASSIGN(const JsonValue current, fork.member("current_version"));
  CC_ASSIGN(const JsonValue epoch, fork.member("epoch"));
  CC_ASSIGN(const JsonValue root, fork_info.member("genesis_validators_root"));
  ForkInfo out;
  CC_TRY(previous.bytes(out.previous_version));
  CC_TRY(current.bytes(out.current_version));
  CC_ASSIGN(out.epoch.value, epoch.u64());
  CC_TRY(root.bytes(out.genesis_validators_root));
  return out;
}

Root compute_domain(const DomainType& type, const Version& version, const Root& genesis_validators_root) {
  const Root fork_data_root = ssz::hash_pair(ssz::chunk_of(ByteView(version)), genesis_validators_root);
  Root domain;
  std::copy(type.begin(), type.end(), domain.begin());
  std::copy_n(fork_data_root.begin(), domain.size() - type.size(), domain.begin() + type.size());
  return domain;
}

Root compute_signing_root(const Root& object_root, const Root& domain) { return ssz::hash_pair(object_root, domain); }

bool is_deneb_or_later(const ForkInfo& fork_info, const Network& network) {
  if (const std::optional<Fork> known = network.fork_of(fork_info.current_version)) {
    return *known >= Fork::deneb;
  }
  return network.fork_at(fork_info.epoch) >= Fork::deneb;
}

}  // namespace cc::ethereum
