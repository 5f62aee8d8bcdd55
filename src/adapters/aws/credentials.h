// Credentials of AWS, and the port that gives them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace cc::aws {

// Immutable once made; shared by the calls that use it. Secret: secret_key, session_token.
struct Credentials {
  std::string access_key_id;
  SecretBytes secret_key;
  SecretBytes session_token;                  // empty: none
  std::optional<std::uint64_t> expires_unix;  // none: they last
  std::string source;                         // "environment", "profile NAME", …: for logs
};
using SharedCredentials = std::shared_ptr<const Credentials>;

// Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // Errors: kms_credentials saying what was looked at and what to do; kms_unreachable when their service is.
  virtual Result<SharedCredentials> current() = 0;
  // AWS did not accept these: the next current() asks their source again.
  virtual void reject(const SharedCredentials& refused) = 0;
};

// Always the same.
class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(SharedCredentials credentials) : credentials_(std::move(credentials)) {}
  Result<SharedCredentials> current() override { return credentials_; }
  void reject(const SharedCredentials& /*refused*/) override {}

 private:
  SharedCredentials credentials_;
};

}  // namespace cc::aws
