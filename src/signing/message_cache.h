// The last messages that were signed, each with its hash to the curve and, once it was worth it, its table of
// multiples. Least recently used first out. Public data only.
//
// Threads: any. The cache's lock covers the look-up; two workers that need the same new hash or table share one.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "base/chain.h"
#include "crypto/bls.h"
#include "crypto/same_message.h"

namespace cc::signing {

class CachedMessage {
 public:
  explicit CachedMessage(const Root& root) : root_(root) {}

  const Root& root() const { return root_; }
  const crypto::HashedMessage& hashed();

  // The best table there is, or null.
  std::shared_ptr<const crypto::SameMessageTable> table() const;
  // A table of at least this layout; built now when there is none.
  std::shared_ptr<const crypto::SameMessageTable> table(crypto::WindowLayout layout, crypto::SigningKernel kernel);
  // Counts signatures asked for; returns all so far.
  std::size_t demand(std::size_t more);

 private:
  const Root root_;
  std::once_flag once_;
  std::optional<crypto::HashedMessage> hashed_;
  mutable std::mutex mutex_;
  std::mutex building_;
  std::shared_ptr<const crypto::SameMessageTable> table_;
  std::size_t demand_ = 0;
};

class MessageCache {
 public:
  explicit MessageCache(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}
  // The message, which becomes the last one used; a new one when it is not here.
  std::shared_ptr<CachedMessage> find(const Root& root);
  // The same, but null when it is not here.
  std::shared_ptr<CachedMessage> find_present(const Root& root);

 private:
  const std::size_t capacity_;
  std::shared_ptr<CachedMessage> present(const Root& root);  // under the lock

  std::mutex mutex_;
  std::list<std::shared_ptr<CachedMessage>> entries_;
};

}  // namespace cc::signing
