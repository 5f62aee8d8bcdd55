// KEKs that are AWS KMS keys, named by their bare ARN; any region and account the credentials reach.
//
// The wrapped share is KMS's CiphertextBlob; the context goes as EncryptionContext. Thread-safe; calls block on the
// network, at most Patience::budget each. Secrets: shares.
#pragma once

#include "adapters/aws/kms.h"

namespace cc::aws {

class AwsKekService final : public seal::KekService {
 public:
  explicit AwsKekService(Kms kms) : kms_(kms) {}
  Result<std::string> canonical_name(const std::string& name) const override;
  // Looks the key up: it must be an enabled, symmetric encryption key. A role that may not look (kms:DescribeKey) is
  // fine: wrapping proves the key. Makes nothing.
  Result<void> prepare(const std::string& name) override;
  Result<Bytes> wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) override;
  Result<SecretBytes> unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) override;

 private:
  Kms kms_;
};

}  // namespace cc::aws
