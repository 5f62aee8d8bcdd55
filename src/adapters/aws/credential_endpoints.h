// Credentials from an endpoint beside the program: the container endpoint (ECS, EKS Pod Identity) and the instance's
// metadata service (IMDSv2 only: version 1 needs no proof of being on the instance).
// Thread-safe. Secrets: authorization tokens and the credentials; texts are wiped.
#pragma once

#include "adapters/aws/credentials.h"
#include "adapters/aws/endpoints.h"
#include "adapters/aws/wire.h"

namespace cc::aws {

// Empty when the environment names no container endpoint. Errors: kms_credentials (an address that is not allowed, an
// unreadable token file, a refusal), kms_unreachable.
Result<SharedCredentials> container_credentials(Wire& wire, const Environment& environment);

// Empty when AWS_EC2_METADATA_DISABLED is true. Errors: kms_unreachable when there is no metadata service here,
// kms_credentials when it has no role for this instance.
Result<SharedCredentials> instance_credentials(Wire& wire, const Environment& environment);

// {AccessKeyId, SecretAccessKey, Token, Expiration}. Errors: kms_credentials.
Result<SharedCredentials> read_endpoint_credentials(std::string_view json, const std::string& source);
// AWS's rule: https anywhere; http to loopback and the link-local addresses of ECS and EKS only.
bool container_address_allowed(const Address& address);

}  // namespace cc::aws
