// Who may call dev-kms, and whether a request is signed as AWS demands: every rule of Signature Version 4, strictly.
//
// The credentials are a file in the format of AWS's tools (`credentials` in the data directory), so that a client is
// set up by AWS_SHARED_CREDENTIALS_FILE alone. Only read after it was made. Secrets: the secret access keys.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "http/message.h"

namespace cc::devkms {

// An error in AWS's words.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
};

struct Caller {
  std::string access_key_id;
  std::string region;  // of the credential scope
};

class Access {
 public:
  // Reads the file; makes it (0600, one profile with random keys) when it is missing. Errors: store_unavailable,
  // config_invalid for a file without a usable profile.
  static Result<Access> open(const std::string& file, Random& random);
  // Errors as AWS KMS answers them.
  std::optional<Refusal> check(const http::Request& request, const Clock& clock, Caller& caller) const;

 private:
  struct Account {
    SecretBytes secret_key;
    std::string session_token;
  };
  std::map<std::string, Account> accounts_;  // by access key id
};

}  // namespace cc::devkms
