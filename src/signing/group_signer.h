// The place of the signing arithmetic: one function that signs a group of keys over one root, and one for requests
// whose roots differ. The pipeline groups its batches by signing root and calls nothing else, so a faster signer is
// another class here and no other change.
//
// Threads: sign() from several workers at once.
// Secrets: reads the keys' scalars through crypto::BlsSecretKey only. What it writes is no secret, but must not leave
// before the slashing record is durable; the pipeline sees to that.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/chain.h"
#include "keys/key_ring.h"

namespace cc::signing {

// One key over one root. The signature is written there.
struct SingleRequest {
  const Root* root;
  const keys::RingKey* key;
  BlsSignature* signature;
};

class GroupSigner {
 public:
  virtual ~GroupSigner() = default;
  // signatures[i] = sign(keys[i], root). Both spans have the same length; the order is kept.
  virtual void sign(const Root& root, std::span<const keys::RingKey* const> keys,
                    std::span<BlsSignature> signatures) = 0;
  // Requests that have nothing to share, in any order and number; roots and keys may repeat.
  virtual void sign_each(std::span<const SingleRequest> requests);
  // What can be computed of a signature over this root without any key, ahead of sign(). Public data only.
  virtual void prepare(const Root& root) { static_cast<void>(root); }
};

class MessageCache;

// One scalar multiplication per key over H(root), which is kept for the last `messages` roots: validators of one
// committee sign the same attestation data, so its hash to the curve is done once.
class HashedGroupSigner final : public GroupSigner {
 public:
  explicit HashedGroupSigner(std::size_t messages = 32);
  ~HashedGroupSigner() override;
  void sign(const Root& root, std::span<const keys::RingKey* const> keys, std::span<BlsSignature> signatures) override;
  void prepare(const Root& root) override;

 private:
  std::unique_ptr<MessageCache> cache_;
};

}  // namespace cc::signing
