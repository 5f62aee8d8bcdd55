// Who may call: the configured policies, or the admin token of a signer without any.
#pragma once

#include <set>
#include <string>

#include "access/policies.h"
#include "app/config.h"
#include "base/random.h"
#include "base/result.h"
#include "ethereum/network.h"

namespace cc::app {

// Without policies a fresh admin token is written to DATA_DIR/admin-token (0600); with policies a file left from before
// is taken away. Errors: config_invalid, store_unavailable.
Result<access::Policies> make_policies(Config& config, Random& random);

// The chain this signer serves. Its genesis root is the configured one, else that of the public network when the
// configuration names one, else nothing (the slashing store then keeps the first root). Errors: config_invalid.
Result<ethereum::Network> make_network(const Config& config);

// signing.canary_keys, which load_config() has checked.
std::set<BlsPublicKey> canary_keys(const Config& config);

}  // namespace cc::app
