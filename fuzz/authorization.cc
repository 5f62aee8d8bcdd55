// rooms: access
// Gives any Authorization header to the policies: only one that really carries the token may pass.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "access/policies.h"
#include "base/bytes.h"

namespace {

using cc::access::Policies;
using cc::access::PolicyConfig;

constexpr std::string_view kToken = "fuzzed-token-0123";

Policies one_policy() {
  cc::SystemRandom random;
  PolicyConfig config;
  config.name = "fuzzed";
  config.token = cc::SecretBytes::copy_of(kToken);
  std::vector<PolicyConfig> configs;
  configs.push_back(std::move(config));
  return *Policies::make(std::move(configs), std::nullopt, random);
}

// A second, plain reading of the header.
bool carries_the_token(std::string_view header) {
  if (header.ends_with(kToken)) {
    return true;
  }
  const auto decoded = cc::from_base64(header.substr(std::min(header.size(), header.rfind(' ') + 1)));
  return decoded && std::string(decoded->begin(), decoded->end()).ends_with(":" + std::string(kToken));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Policies policies = one_policy();
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  const auto caller = policies.allow(cc::access::Scope::sign, header, true);
  if (caller ? !carries_the_token(header) : caller.error().kind != cc::ErrorKind::unauthorized) {
    std::abort();
  }
  return 0;
}
