// What dev-kms does: Encrypt, Decrypt, GenerateDataKey, DescribeKey on keys of its own.
//
// A key is named by its ARN and made when the program is first told of it; a multi-region key has one material under
// all its ARNs. Its material is a local KEK (adapters/localkek) in the data directory, named by a hash of the ARN.
// CiphertextBlob: "cc-dev-kms-1" ‖ that name (33 characters) ‖ the wrapped bytes with the encryption context as AAD.
//
// Thread-safe. Secrets: key material, plaintexts.
#pragma once

#include <string>
#include <vector>

#include "adapters/localkek/local_kek.h"
#include "devkms/access.h"
#include "devkms/faults.h"

namespace cc::devkms {

struct Outcome {
  std::optional<Refusal> refusal;
  std::string body;  // JSON, when there is no refusal
};

// One call, as it was understood; kept for tests that want to know what the signer really sent.
struct Call {
  std::string operation, key_id, region;
  seal::KekContext context;
};

class Operations {
 public:
  // Makes missing keys. Errors: kek_name_invalid, store_unavailable.
  static Result<std::unique_ptr<Operations>> open(const std::string& directory, const std::vector<std::string>& arns,
                                                  Random& random);
  // operation: the part of X-Amz-Target behind the dot.
  Outcome run(const std::string& operation, const Caller& caller, std::string_view body, Faults& faults,
              bool& never_answer);
  std::vector<Call> calls() const;

 private:
  struct Key {
    std::string arn, region, account, id, local;  // local://…
  };
  struct Input;
  Operations(const std::string& directory, Random& random) : material_(directory, random), random_(random) {}
  const Key* find(const std::string& key_id, const std::string& region) const;
  const Key* of_blob(ByteView blob, const std::string& region) const;
  Outcome encrypt(const Key& key, const Input& input);
  Outcome decrypt(const Key* named, const Input& input, const std::string& region, bool corrupt);
  Outcome generate(const Key& key, const Input& input);
  static void name_another_key(std::string& body, const std::string& arn);
  Result<std::string> blob_of(const Key& key, const Input& input, const SecretBytes& plaintext);
  static Outcome describe(const Key& key);
  void remember(const std::string& operation, const Caller& caller, const Input& input);

  localkek::LocalKekService material_;
  Random& random_;
  std::vector<Key> keys_;
  mutable std::mutex mutex_;
  std::vector<Call> calls_;
};

}  // namespace cc::devkms
