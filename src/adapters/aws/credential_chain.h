// Where credentials come from, in the order of AWS's own tools; the first source that is set up decides:
//
//   1. environment (AWS_ACCESS_KEY_ID, …), unless a profile is named
//   2. the profile (configuration aws.profile, AWS_PROFILE, else "default") of ~/.aws/credentials and ~/.aws/config:
//      static keys; role_arn with web_identity_token_file, source_profile or credential_source
//   3. web identity token file (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE)
//   4. container endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, …_FULL_URI); when set, 5 is not asked
//   5. instance metadata (IMDSv2)
//
// Fetched when first needed, anew when less than five minutes are left or AWS refused them; while a fetch fails, those
// that have not run out go on. One fetch at a time; callers wait for it. Thread-safe.
#pragma once

#include <mutex>

#include "adapters/aws/client.h"

namespace cc::aws {

struct ChainOptions {
  Environment environment;
  std::string profile;  // aws.profile; empty: AWS_PROFILE, else "default"
  std::string region;   // aws.region; empty: AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1. For STS.
};

// The region that is set somewhere, in the order above; empty when it is set nowhere. Errors: those of the profile
// files.
Result<std::string> region_of(const ChainOptions& options);

class CredentialChain final : public CredentialSource {
 public:
  // `client` asks STS. All outlive the chain.
  CredentialChain(ChainOptions options, Outside outside, Client& client);
  Result<SharedCredentials> current() override;
  void reject(const SharedCredentials& refused) override;

 private:
  Result<SharedCredentials> fetch();
  bool fresh() const;

  ChainOptions options_;
  Outside outside_;
  Client& client_;
  std::mutex mutex_;
  SharedCredentials held_;
  bool refused_ = false;
  Milliseconds next_try_{0};  // after a fetch that failed while held_ still lasts
};

}  // namespace cc::aws
