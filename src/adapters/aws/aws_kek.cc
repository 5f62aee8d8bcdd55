#include "adapters/aws/aws_kek.h"

#include "seal/kek_name.h"

namespace cc::aws {

Result<std::string> AwsKekService::canonical_name(const std::string& name) const {
  CC_ASSIGN(seal::KekName parsed, seal::parse_kek_name(name));
  return std::move(parsed.canonical);
}

Result<void> AwsKekService::prepare(const std::string& name) {
  CC_ASSIGN(const KeyArn key, KeyArn::parse(name));
  const Result<KeyDescription> found = kms_.describe_key(key);
  if (!found) {
    return found.error().kind == ErrorKind::kms_denied ? Result<void>() : Result<void>(fail(found.error()));
  }
  // What an answer leaves out says nothing: wrapping and unwrapping prove the key.
  const bool other_usage = !found->usage.empty() && found->usage != "ENCRYPT_DECRYPT";
  if (other_usage || found->spec != "SYMMETRIC_DEFAULT") {
    return fail(ErrorKind::kms_denied, "this key is for " + found->usage + " with " + found->spec +
                                           "; use a symmetric key with usage ENCRYPT_DECRYPT");
  }
  if (found->state == "PendingDeletion" || found->state == "PendingReplicaDeletion") {
    return fail(ErrorKind::kms_pending_deletion, "this key is about to be deleted; use another one");
  }
  if (!found->state.empty() && found->state != "Enabled") {
    return fail(ErrorKind::kms_disabled, "this key is in the state " + found->state + "; enable it first");
  }
  return {};
}

Result<Bytes> AwsKekService::wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) {
  CC_ASSIGN(const KeyArn key, KeyArn::parse(name));
  return kms_.encrypt(key, context, share);
}

Result<SecretBytes> AwsKekService::unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) {
  CC_ASSIGN(const KeyArn key, KeyArn::parse(name));
  return kms_.decrypt(key, context, wrapped);
}

}  // namespace cc::aws
