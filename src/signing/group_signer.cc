#include "signing/group_signer.h"

#include <list>
#include <mutex>
#include <optional>

#include "crypto/bls.h"

namespace cc::signing {

// Least recently used roots first out. The lock covers the look-up only; two workers that need the same new root share
// one hash through the entry's once_flag.
class HashedGroupSigner::Cache {
 public:
  explicit Cache(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}

  struct Entry {
    explicit Entry(const Root& r) : root(r) {}
    const Root root;
    const crypto::HashedMessage& message() {
      std::call_once(once_, [this] { message_.emplace(root); });
      return *message_;
    }

   private:
    std::once_flag once_;
    std::optional<crypto::HashedMessage> message_;
  };

  std::shared_ptr<Entry> entry(const Root& root) {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if ((*it)->root == root) {
        entries_.splice(entries_.begin(), entries_, it);
        return entries_.front();
      }
    }
    entries_.push_front(std::make_shared<Entry>(root));
    if (entries_.size() > capacity_) {
      entries_.pop_back();
    }
    return entries_.front();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Entry>> entries_;
};

HashedGroupSigner::HashedGroupSigner(std::size_t messages) : cache_(std::make_unique<Cache>(messages)) {}
HashedGroupSigner::~HashedGroupSigner() = default;

void HashedGroupSigner::sign(const Root& root, std::span<const keys::RingKey* const> keys,
                             std::span<BlsSignature> signatures) {
  const std::shared_ptr<Cache::Entry> entry = cache_->entry(root);
  const crypto::HashedMessage& message = entry->message();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    signatures[i] = message.sign(keys[i]->secret);
  }
}

}  // namespace cc::signing
