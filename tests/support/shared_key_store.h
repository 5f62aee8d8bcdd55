// One signer's view of a key store that several share: what DynamoKeyStore asks of the table in the same transaction,
// asked of a store in memory. Single-threaded.
#pragma once

#include <functional>
#include <optional>

#include "keys/key_store.h"

namespace cc::test {

class SharedKeyStore final : public keys::KeyStore {
 public:
  explicit SharedKeyStore(keys::KeyStore& inner) : inner_(inner) {}

  Result<void> for_each(std::optional<keys::KeyStatus> only,
                        const std::function<Result<void>(const keys::StoredKey&)>& visit) override {
    before_call();
    return inner_.for_each(only, visit);
  }
  Result<std::uint64_t> count(std::optional<keys::KeyStatus> only) override { return inner_.count(only); }
  Result<std::vector<keys::StoredKey>> page(const std::optional<BlsPublicKey>& after, std::size_t limit) override {
    before_call();
    return inner_.page(after, limit);
  }
  Result<std::optional<keys::StoredKey>> find(const BlsPublicKey& key) override {
    before_call();
    return inner_.find(key);
  }
  Result<std::vector<bool>> add(const std::vector<keys::StoredKey>& records) override {
    before_call();
    CC_TRY(ask());
    ++changes_made();
    return inner_.add(records);
  }
  Result<void> replace_all(const std::vector<keys::StoredKey>& records) override {
    before_call();
    CC_TRY(ask());
    ++changes_made();
    return inner_.replace_all(records);
  }
  Result<bool> exchange(const keys::StoredKey& before, const keys::StoredKey& after) override {
    before_call();
    return inner_.exchange(before, after);
  }
  Result<void> remove(const BlsPublicKey& key) override {
    before_call();
    ++changes_made();
    return inner_.remove(key);
  }
  Result<std::optional<Bytes>> sentinel() override {
    before_call();
    return inner_.sentinel();
  }
  Result<bool> exchange_sentinel(const std::optional<Bytes>& before, ByteView after) override {
    before_call();
    CC_ASSIGN(const bool exchanged, inner_.exchange_sentinel(before, after));
    if (exchanged) {
      hold_to(after);
    }
    return exchanged;
  }
  void hold_to(ByteView sentinel) override {
    held_ = forgets_to_hold ? std::nullopt : std::optional(Bytes(sentinel.begin(), sentinel.end()));
  }
  Result<std::uint64_t> changes() override { return *counter_; }
  // Several views count together.
  void count_with(SharedKeyStore& other) { counter_ = other.counter_; }

  std::function<void()> before_each;  // what other signers do just before a call; not called from within itself
  bool forgets_to_hold = false;       // the planted fault

 private:
  std::uint64_t& changes_made() { return *counter_; }
  void before_call() {
    if (before_each && !inside_) {
      inside_ = true;
      before_each();
      inside_ = false;
    }
  }
  Result<void> ask() {
    CC_ASSIGN(const std::optional<Bytes> stands, inner_.sentinel());
    return held_ && stands != held_ ? Result<void>(fail(ErrorKind::record_conflict, "another sentinel"))
                                    : Result<void>();
  }

  keys::KeyStore& inner_;
  std::optional<Bytes> held_;
  std::shared_ptr<std::uint64_t> counter_ = std::make_shared<std::uint64_t>(0);
  bool inside_ = false;
};

}  // namespace cc::test
