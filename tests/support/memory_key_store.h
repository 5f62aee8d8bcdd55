// A key store and permits in memory, with one-shot faults and a common list of what happened in which order.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "keys/key_store.h"
#include "keys/permit_port.h"

namespace cc::test {

// What happened, oldest first. A step is named `store.add`, `store.replace`, `store.remove`, `permit` or `withdraw`.
class EventList {
 public:
  void add(std::string event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

class MemoryKeyStore final : public keys::KeyStore {
 public:
  explicit MemoryKeyStore(EventList& events) : events_(events) {}

  Result<void> for_each(std::optional<keys::KeyStatus> only,
                        const std::function<Result<void>(const keys::StoredKey&)>& visit) override {
    ++calls["for_each"];
    for (const auto& [key, record] : records) {
      if (!only || record.status == *only) {
        CC_TRY(visit(record));
      }
    }
    return {};
  }
  Result<std::uint64_t> count(std::optional<keys::KeyStatus> only) override {
    ++calls["count"];
    std::uint64_t out = 0;
    for (const auto& [key, record] : records) {
      out += !only || record.status == *only ? 1 : 0;
    }
    return out;
  }
  Result<std::vector<keys::StoredKey>> page(const std::optional<BlsPublicKey>& after, std::size_t limit) override {
    ++calls["page"];
    std::vector<keys::StoredKey> out;
    for (auto at = after ? records.upper_bound(*after) : records.begin(); at != records.end() && out.size() < limit;
         ++at) {
      out.push_back(at->second);
    }
    return out;
  }
  Result<std::optional<keys::StoredKey>> find(const BlsPublicKey& key) override {
    ++calls["find"];
    const auto at = records.find(key);
    return at == records.end() ? std::optional<keys::StoredKey>() : at->second;
  }
  Result<std::vector<bool>> add(const std::vector<keys::StoredKey>& added) override {
    CC_TRY(step("store.add"));
    std::vector<bool> out;
    out.reserve(added.size());
    for (const keys::StoredKey& one : added) {
      out.push_back(records.emplace(one.public_key, one).second);
    }
    return out;
  }
  Result<void> replace_all(const std::vector<keys::StoredKey>& replaced) override {
    CC_TRY(step("store.replace"));
    for (const keys::StoredKey& record : replaced) {
      if (!records.contains(record.public_key)) {
        return fail(ErrorKind::unknown_key, "no such record");
      }
    }
    for (const keys::StoredKey& record : replaced) {
      records.insert_or_assign(record.public_key, record);
    }
    return {};
  }
  Result<bool> exchange(const keys::StoredKey& before, const keys::StoredKey& after) override {
    CC_TRY(step("store.exchange"));
    const auto at = records.find(before.public_key);
    if (at == records.end() || at->second.status != before.status || at->second.record != before.record) {
      return false;
    }
    at->second = after;
    return true;
  }
  Result<void> remove(const BlsPublicKey& key) override {
    CC_TRY(step("store.remove"));
    if (records.erase(key) == 0) {
      return fail(ErrorKind::unknown_key, "no such record");
    }
    return {};
  }
  Result<std::optional<Bytes>> sentinel() override { return stored_sentinel; }
  Result<bool> exchange_sentinel(const std::optional<Bytes>& before, ByteView after) override {
    CC_TRY(step("store.exchange_sentinel"));
    const bool same = stored_sentinel == before;
    stored_sentinel = same ? Bytes(after.begin(), after.end()) : stored_sentinel;
    return same;
  }

  std::map<BlsPublicKey, keys::StoredKey> records;
  std::optional<Bytes> stored_sentinel;
  std::map<std::string, int> calls;
  std::set<std::string> failing;      // steps that fail until taken out
  std::function<void()> before_step;  // runs inside every writing step

 private:
  Result<void> step(const std::string& name) {
    if (before_step) {
      before_step();
    }
    if (failing.contains(name)) {
      return fail(ErrorKind::store_unavailable, "the disk is full");
    }
    events_.add(name);
    return {};
  }
  EventList& events_;
};

class MemoryPermits final : public keys::PermitPort {
 public:
  explicit MemoryPermits(EventList& events) : events_(events) {}

  Result<void> permit(const std::vector<BlsPublicKey>& wanted, bool fresh) override {
    if (failing) {
      return fail(ErrorKind::store_unavailable, "the slashing store is gone");
    }
    events_.add("permit");
    for (const BlsPublicKey& key : wanted) {
      if (before_permit) {
        before_permit(key);
      }
      permitted.insert(key);
      if (fresh) {
        fresh_keys.insert(key);
      }
    }
    return {};
  }
  Result<void> withdraw(const std::vector<BlsPublicKey>& leaving) override {
    if (failing) {
      return fail(ErrorKind::store_unavailable, "the slashing store is gone");
    }
    events_.add("withdraw");
    for (const BlsPublicKey& key : leaving) {
      if (before_withdraw) {
        before_withdraw(key);
      }
      permitted.erase(key);
    }
    return {};
  }

  std::set<BlsPublicKey> permitted;
  std::set<BlsPublicKey> fresh_keys;
  bool failing = false;
  std::function<void(const BlsPublicKey&)> before_permit;
  std::function<void(const BlsPublicKey&)> before_withdraw;

 private:
  EventList& events_;
};

}  // namespace cc::test
