#include "signing/group_signer.h"

#include "crypto/bls.h"
#include "signing/message_cache.h"

namespace cc::signing {

void GroupSigner::sign_each(std::span<const SingleRequest> requests) {
  for (const SingleRequest& request : requests) {
    sign(*request.root, {&request.key, 1}, {request.signature, 1});
  }
}

HashedGroupSigner::HashedGroupSigner(std::size_t messages) : cache_(std::make_unique<MessageCache>(messages)) {}
HashedGroupSigner::~HashedGroupSigner() = default;

void HashedGroupSigner::sign(const Root& root, std::span<const keys::RingKey* const> keys,
                             std::span<BlsSignature> signatures) {
  const std::shared_ptr<CachedMessage> entry = cache_->find(root);
  const crypto::HashedMessage& message = entry->hashed();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    signatures[i] = message.sign(keys[i]->secret);
  }
}

void HashedGroupSigner::prepare(const Root& root) { cache_->find(root)->hashed(); }

}  // namespace cc::signing
