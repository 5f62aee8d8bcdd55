// The credentials a profile of the shared files stands for.
#pragma once

#include "adapters/aws/client.h"
#include "adapters/aws/profile_file.h"

namespace cc::aws {

// Both files as AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name them, else below ~/.aws. A missing file is empty.
struct ProfileFiles {
  ProfileFile credentials, config;
  static Result<ProfileFiles> read(const Environment& environment);
  // A setting of a profile, the credentials file first; empty when there is none.
  std::string setting(const std::string& profile, const std::string& name) const;
  bool has(const std::string& profile) const;
};

struct ProfileReader {
  const ProfileFiles& files;
  const Environment& environment;
  Outside outside;
  Client& client;
  std::string region;  // for STS

  // Empty when the profile says nothing about credentials. Errors: kms_credentials naming profile and setting.
  Result<SharedCredentials> credentials(const std::string& profile) const;
};

// Reads the token file and asks STS. Errors: kms_credentials, kms_denied, kms_unreachable.
struct WebIdentity {
  std::string role_arn, token_file, session_name, region, source;
};
Result<SharedCredentials> web_identity_credentials(Client& client, const WebIdentity& identity);
std::string session_name_or(const std::string& given, const Clock& clock);

}  // namespace cc::aws
