// What a validator signs at the two ends of its life, outside its duties: the deposit that makes it, and its exit.
// Roots as consensus-specs phase0/beacon-chain.md computes them. Pure functions over public data.
#pragma once

#include "base/chain.h"
#include "ethereum/domains.h"

namespace cc::ethereum {

struct DepositMessage {
  BlsPublicKey pubkey{};
  Root withdrawal_credentials{};
  std::uint64_t amount = 0;  // Gwei
};
// hash_tree_root of DepositMessage, and of DepositData, which the deposit contract recomputes.
Root deposit_message_root(const DepositMessage& message);
Root deposit_data_root(const DepositMessage& message, const BlsSignature& signature);
// What is signed: DOMAIN_DEPOSIT under the genesis fork version and the zero genesis validators root, so that a deposit
// is good on every fork of one network and on no other network.
Root deposit_signing_root(const DepositMessage& message, const Version& genesis_fork_version);

// 0x01 or 0x02 ‖ eleven zero bytes ‖ address (EIP-7251 for 0x02).
Root withdrawal_credentials(std::uint8_t type, const std::array<std::uint8_t, 20>& address);

// What is signed to leave: DOMAIN_VOLUNTARY_EXIT always under the Capella fork version (EIP-7044).
Root exit_signing_root(Epoch epoch, std::uint64_t validator_index, const Version& capella_fork_version,
                       const Root& genesis_validators_root);

}  // namespace cc::ethereum
