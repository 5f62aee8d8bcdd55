// AWS Signature Version 4 (the AWS General Reference, "Create a signed AWS API request"), header form. Checked against
// the vectors AWS publishes (tests/vectors/aws/sigv4.txt). Used on both sides: the client signs, dev-kms verifies.
//
// The query must come sorted and encoded, the path encoded: our services take neither (POST to /). Thread-safe.
// Secrets: the secret access key and what is derived from it; derived keys are wiped.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace cc::aws {

// A request as it is signed. Every header given is signed; names in lower case, values as sent.
struct SignedRequest {
  std::string method = "POST";
  std::string path = "/";
  std::string query;
  std::map<std::string, std::string> headers;
  std::string payload_hash;  // hex_sha256 of the body
};

struct SignatureScope {
  std::string date_time;  // 20150830T123600Z
  std::string region;
  std::string service;
  std::string text() const;  // 20150830/us-east-1/kms/aws4_request
};

std::string hex_sha256(std::string_view body);
// UTC, as the header X-Amz-Date wants it.
std::string amz_date(std::uint64_t unix_seconds);

std::string canonical_request(const SignedRequest& request);
std::string string_to_sign(const SignedRequest& request, const SignatureScope& scope);
// 64 hexadecimal digits.
std::string signature(const SignedRequest& request, const SignatureScope& scope, const SecretBytes& secret_key);
// "a;b;c", sorted.
std::string signed_header_names(const SignedRequest& request);
// The value of the header Authorization.
std::string authorization(const SignedRequest& request, const SignatureScope& scope, std::string_view access_key_id,
                          const SecretBytes& secret_key);

}  // namespace cc::aws
