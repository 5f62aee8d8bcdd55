// AWS as the signer uses it: everything of this room put together, in the order it must live.
//
// stop() ends transfers and pauses under way, so that a stopping signer waits for no dead region. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>

#include "adapters/aws/aws_kek.h"
#include "adapters/aws/credential_chain.h"

namespace cc::aws {

struct AwsOptions {
  ChainOptions credentials;
  std::map<std::string, std::string> endpoints;  // service → address that replaces AWS's
  Patience patience;
};

// Pauses that end when the signer stops.
class StoppablePauses final : public Pauses {
 public:
  bool pause(Milliseconds time) override;
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
};

class Aws {
 public:
  // Asks nobody yet. Errors: config_invalid for an endpoint that is none.
  static Result<std::unique_ptr<Aws>> make(AwsOptions options, const Clock& clock, Random& random);
  seal::KekService& keks() { return keks_; }
  Kms& kms() { return kms_; }
  CredentialSource& credentials() { return chain_; }
  Client& client() { return client_; }
  void stop();

 private:
  Aws(AwsOptions options, Endpoints endpoints, const Clock& clock, Random& random);

  Endpoints endpoints_;
  CurlWire wire_;
  StoppablePauses pauses_;
  Client client_;
  CredentialChain chain_;
  Kms kms_;
  AwsKekService keks_;
};

}  // namespace cc::aws
