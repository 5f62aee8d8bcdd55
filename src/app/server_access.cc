#include "app/server_access.h"

#include <unistd.h>

#include "adapters/files/new_files.h"
#include "base/log.h"

namespace cc::app {

Result<access::Policies> make_policies(Config& config, Random& random) {
  const std::string file = config.data_dir + "/admin-token";
  if (!config.auth_policies.empty() || config.unauthenticated_policy) {
    ::unlink(file.c_str());
    std::vector<access::PolicyConfig> policies;
    for (auto& [name, policy] : config.auth_policies) {
      policies.push_back(std::move(policy));
    }
    return access::Policies::make(std::move(policies), std::move(config.unauthenticated_policy), random);
  }
  const auto bytes = random.secret<32>();
  std::string text = "cc-admin-" + to_base64url(expose_secret_bytes(bytes));
  const SecretBytes token = SecretBytes::copy_of(std::string_view(text));
  wipe(text);
  CC_TRY(files::write_private_line(file, token));
  log::info("no auth_policies: signing is open to whoever reaches the listener, chamber routes take the admin token",
            {{"path", file}});
  return access::Policies::open_with_admin(token, random);
}

std::set<BlsPublicKey> canary_keys(const Config& config) {
  std::set<BlsPublicKey> out;
  for (const std::string& text : config.canary_keys) {
    BlsPublicKey key{};
    if (from_hex_exact(text, key)) {
      out.insert(key);
    }
  }
  return out;
}

Result<ethereum::Network> make_network(const Config& config) {
  CC_ASSIGN(ethereum::Network network, ethereum::load_network(config.network));
  if (!config.network_genesis_root.empty()) {
    Root root{};
    CC_TRY(from_hex_exact(config.network_genesis_root, root));
    network.genesis_validators_root = root;
  } else if (!config.given.contains("network")) {
    network.genesis_validators_root.reset();
  }
  return network;
}

}  // namespace cc::app
