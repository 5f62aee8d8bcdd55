// The calls to AWS STS that give credentials (query protocol, version 2011-06-15, XML answers).
// Thread-safe. Secrets: web identity tokens and the credentials that come back; texts are wiped.
#pragma once

#include "adapters/aws/client.h"

namespace cc::aws {

struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::string external_id;  // AssumeRole only; empty: none
  std::string region;
  std::string source;  // becomes Credentials::source
};

// Unsigned: the token is the proof. Errors: kms_credentials, kms_denied, kms_unreachable.
Result<SharedCredentials> assume_role_with_web_identity(Client& client, const RoleRequest& request,
                                                        const std::string& token);
// Signed with `by`.
Result<SharedCredentials> assume_role(Client& client, const RoleRequest& request, CredentialSource& by);

// The Credentials element of an answer. Errors: kms_credentials.
Result<SharedCredentials> read_sts_credentials(std::string_view xml, const std::string& source);
// Seconds since 1970 of "2026-11-24T17:00:00Z" (fractions dropped); empty for anything else.
std::optional<std::uint64_t> parse_expiration(std::string_view text);

}  // namespace cc::aws
