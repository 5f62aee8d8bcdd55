#include "ethereum/deposit.h"

#include <algorithm>

#include "ethereum/ssz_merkle.h"

namespace cc::ethereum {

Root deposit_message_root(const DepositMessage& message) {
  std::array<ssz::Chunk, 3> fields{ssz::byte_vector_root(message.pubkey), message.withdrawal_credentials,
                                   ssz::chunk_of(message.amount)};
  return ssz::merkleize(fields);
}

Root deposit_data_root(const DepositMessage& message, const BlsSignature& signature) {
  std::array<ssz::Chunk, 4> fields{ssz::byte_vector_root(message.pubkey), message.withdrawal_credentials,
                                   ssz::chunk_of(message.amount), ssz::byte_vector_root(signature)};
  return ssz::merkleize(fields);
}

Root deposit_signing_root(const DepositMessage& message, const Version& genesis_fork_version) {
  return compute_signing_root(deposit_message_root(message),
                              compute_domain(domain_type::kDeposit, genesis_fork_version, Root{}));
}

Root withdrawal_credentials(std::uint8_t type, const std::array<std::uint8_t, 20>& address) {
  Root out{};
  out.front() = type;
  std::ranges::copy(address, out.end() - static_cast<std::ptrdiff_t>(address.size()));
  return out;
}

Root exit_signing_root(Epoch epoch, std::uint64_t validator_index, const Version& capella_fork_version,
                       const Root& genesis_validators_root) {
  std::array<ssz::Chunk, 2> fields{ssz::chunk_of(epoch.value), ssz::chunk_of(validator_index)};
  return compute_signing_root(ssz::merkleize(fields), compute_domain(domain_type::kVoluntaryExit, capella_fork_version,
                                                                     genesis_validators_root));
}

}  // namespace cc::ethereum
