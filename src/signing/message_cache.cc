#include "signing/message_cache.h"

namespace cc::signing {

const crypto::HashedMessage& CachedMessage::hashed() {
  std::call_once(once_, [this] { hashed_.emplace(root_); });
  return *hashed_;
}

std::shared_ptr<const crypto::SameMessageTable> CachedMessage::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

std::shared_ptr<const crypto::SameMessageTable> CachedMessage::table(crypto::WindowLayout layout,
                                                                     crypto::SigningKernel kernel) {
  const std::lock_guard build(building_);
  if (auto present = table(); present && present->layout() >= layout) {
    return present;
  }
  auto made = std::make_shared<const crypto::SameMessageTable>(hashed(), layout, kernel);
  const std::lock_guard lock(mutex_);
  table_ = made;
  return made;
}

std::size_t CachedMessage::demand(std::size_t more) {
  const std::lock_guard lock(mutex_);
  return demand_ += more;
}

std::shared_ptr<CachedMessage> MessageCache::present(const Root& root) {
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if ((*it)->root() == root) {
      entries_.splice(entries_.begin(), entries_, it);
      return entries_.front();
    }
  }
  return nullptr;
}

std::shared_ptr<CachedMessage> MessageCache::find_present(const Root& root) {
  const std::lock_guard lock(mutex_);
  return present(root);
}

std::shared_ptr<CachedMessage> MessageCache::find(const Root& root) {
  const std::lock_guard lock(mutex_);
  if (std::shared_ptr<CachedMessage> found = present(root)) {
    return found;
  }
  entries_.push_front(std::make_shared<CachedMessage>(root));
  if (entries_.size() > capacity_) {
    entries_.pop_back();
  }
  return entries_.front();
}

}  // namespace cc::signing
