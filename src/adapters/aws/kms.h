// The calls to AWS KMS the signer makes (JSON 1.1, "TrentService"). The region of a call is the ARN's.
//
// KeyId is sent on every call and compared with the KeyId of the answer: a service that answers with another key is an
// error. Thread-safe. Secrets: plaintexts, wiped wherever they stood.
#pragma once

#include "adapters/aws/client.h"
#include "seal/ports.h"

namespace cc::aws {

struct KeyArn {
  std::string text, region, account;
  // Errors: kek_name_invalid ("invalid KMS ARN: expected …").
  static Result<KeyArn> parse(const std::string& text);
};

struct KeyDescription {
  std::string state;  // "Enabled", "Disabled", "PendingDeletion", …
  std::string usage;  // "ENCRYPT_DECRYPT"
  std::string spec;   // "SYMMETRIC_DEFAULT"
};

struct DataKey {
  SecretBytes plaintext;
  Bytes ciphertext;
};

inline constexpr std::size_t kMaxKmsPlaintext = 4096;
inline constexpr std::size_t kMaxKmsCiphertext = 6144;

// Errors of all: those of service_error.h; kms_mismatch when the answer names another key or cannot be read.
class Kms {
 public:
  Kms(Client& client, CredentialSource& credentials) : client_(client), credentials_(credentials) {}
  Result<Bytes> encrypt(const KeyArn& key, const seal::KekContext& context, const SecretBytes& plaintext);
  Result<SecretBytes> decrypt(const KeyArn& key, const seal::KekContext& context, ByteView ciphertext);
  // 32 random bytes, in clear and encrypted.
  Result<DataKey> generate_data_key(const KeyArn& key, const seal::KekContext& context);
  Result<KeyDescription> describe_key(const KeyArn& key);

 private:
  Result<HttpAnswer> call(const KeyArn& key, const std::string& operation, std::string& body);

  Client& client_;
  CredentialSource& credentials_;
};

}  // namespace cc::aws
