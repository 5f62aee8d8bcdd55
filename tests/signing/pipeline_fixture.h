// A pipeline over the slashing store in memory, and what its tests share.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "crypto/bls.h"
#include "signing/pipeline.h"
#include "signing/table_signer.h"
#include "support/memory_slashing_store.h"
#include "support/ring_keys.h"

namespace cc::test {

using Reply = Result<BlsSignature>;

// Collects the replies of numbered jobs; a second reply to one job is a failure.
class Replies {
 public:
  std::function<void(Reply)> slot(std::size_t number) {
    return [this, number](Reply reply) {
      const std::lock_guard lock(mutex_);
      if (replies_.size() <= number) {
        replies_.resize(number + 1);
      }
      EXPECT_FALSE(replies_[number].has_value()) << "job " << number << " was answered twice";
      replies_[number] = std::move(reply);
      ++count_;
      changed_.notify_all();
    };
  }
  // Waits until that many replies are there.
  std::vector<std::optional<Reply>> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= count; }))
        << count_ << " of " << count << " replies came";
    replies_.resize(std::max(replies_.size(), count));
    return replies_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<Reply>> replies_;
  std::size_t count_ = 0;
};

// Holds whoever comes until it is opened.
class Barrier {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_for_arrivals(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return arrived_ >= count; }));
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0;
  bool open_ = false;
};

// The usual signer, which also tells how it was called.
class WatchedSigner final : public signing::GroupSigner {
 public:
  struct Log {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::size_t> groups;   // their sizes
    std::vector<std::size_t> singles;  // how many at a time
    std::size_t signatures = 0;
    void wait_for(std::size_t count) {
      std::unique_lock lock(mutex);
      EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return signatures >= count; }));
    }
  };
  explicit WatchedSigner(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void sign(const Root& root, std::span<const keys::RingKey* const> keys, std::span<BlsSignature> out) override {
    signer_.sign(root, keys, out);
    const std::lock_guard lock(log_->mutex);
    log_->groups.push_back(keys.size());
    log_->signatures += keys.size();
    log_->changed.notify_all();
  }
  void sign_each(std::span<const signing::SingleRequest> requests) override {
    signer_.sign_each(requests);
    const std::lock_guard lock(log_->mutex);
    log_->singles.push_back(requests.size());
    log_->signatures += requests.size();
    log_->changed.notify_all();
  }

 private:
  signing::TableSigner signer_;
  std::shared_ptr<Log> log_;
};

inline signing::SignJob vote(std::shared_ptr<const keys::RingKey> key, std::uint64_t target, const Root& root,
                             std::function<void(Reply)> reply) {
  guard::Check check;
  check.key = key->public_key;
  check.duty = guard::AttestationCheck{Epoch{target - 1}, Epoch{target}};
  check.signing_root = root;
  check.genesis_validators_root = root_of(7);
  return {std::move(key), check, std::move(reply)};
}

inline signing::SignJob free_message(std::shared_ptr<const keys::RingKey> key, const Root& root,
                                     std::function<void(Reply)> reply) {
  guard::Check check;
  check.key = key->public_key;
  check.signing_root = root;
  return {std::move(key), check, std::move(reply)};
}

inline std::optional<ErrorKind> kind_of(const std::optional<Reply>& reply) {
  return reply && !*reply ? std::optional(reply->error().kind) : std::nullopt;
}

// Whether the store holds this vote with this root.
inline bool recorded(const MemorySlashingStore& store, const BlsPublicKey& key, std::uint64_t target,
                     const Root& root) {
  const MemorySlashingStore::State state = store.state();
  const auto row = state.validators.find(key);
  if (row == state.validators.end() || !state.attestations.contains(row->second.id)) {
    return false;
  }
  for (const guard::SignedAttestation& one : state.attestations.at(row->second.id)) {
    if (one.target == Epoch{target} && one.signing_root == root) {
      return true;
    }
  }
  return false;
}

}  // namespace cc::test
