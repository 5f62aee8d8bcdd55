// A slashing store in memory with a queue of one-shot faults. Transactions run one at a time on a copy of the state;
// the copy replaces the state when the transaction commits.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "guard/slashing_store.h"

namespace cc::test {

// What happens to one transaction.
enum class StoreFault {
  none,
  unavailable,    // refused before the work runs
  failed_commit,  // the work ran, nothing is kept: store_unavailable
  doubt_lost,     // the work ran, nothing is kept, but nobody knows: store_in_doubt
  doubt_kept,     // the work ran, everything is kept, but nobody knows: store_in_doubt
  throws,         // the work ran, then an exception leaves the store
};

class MemorySlashingStore final : public guard::SlashingStore {
 public:
  struct State {
    std::map<BlsPublicKey, guard::ValidatorRow> validators;
    std::map<std::int64_t, std::vector<guard::SignedBlock>> blocks;
    std::map<std::int64_t, std::vector<guard::SignedAttestation>> attestations;
    std::optional<Root> genesis;
    guard::Watermarks floor;
    std::vector<guard::Origin> origins;
  };

  Result<void> transact(const std::function<Result<void>(guard::SlashingTransaction&)>& work) override {
    const std::lock_guard lock(mutex_);
    const StoreFault fault = next_fault();
    if (fault == StoreFault::unavailable) {
      return fail(ErrorKind::store_unavailable, "the disk is gone");
    }
    State draft = state_;
    Transaction tx(draft);
    CC_TRY(work(tx));
    if (before_commit) {
      before_commit();
    }
    switch (fault) {
      case StoreFault::failed_commit:
        return fail(ErrorKind::store_unavailable, "the disk is full");
      case StoreFault::doubt_lost:
        return fail(ErrorKind::store_in_doubt, "the flush failed");
      case StoreFault::throws:
        throw std::runtime_error("the store broke");
      default:
        break;
    }
    state_ = std::move(draft);
    ++identity_.commits;
    if (fault == StoreFault::doubt_kept) {
      return fail(ErrorKind::store_in_doubt, "the flush failed");
    }
    return {};
  }
  Result<guard::StoreIdentity> identity() override {
    const std::lock_guard lock(mutex_);
    return identity_;
  }
  Result<guard::StoreIdentity> begin_run() override {
    const std::lock_guard lock(mutex_);
    ++identity_.run;
    ++identity_.commits;
    return identity_;
  }
  Result<void> name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                            const Root& core_digest) override {
    const std::lock_guard lock(mutex_);
    identity_.chamber = chamber;
    if (epoch >= identity_.highest_epoch) {
      identity_.highest_epoch = epoch;
      identity_.core_digest = core_digest;
    }
    return {};
  }

  // The next transactions, one fault each; `none` lets one pass.
  void push_fault(StoreFault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(fault);
  }
  State state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  // Runs after the work and before the commit of every transaction, inside it. Set before use.
  std::function<void()> before_commit;

 private:
  class Transaction final : public guard::SlashingTransaction {
   public:
    explicit Transaction(State& state) : state_(state) {}

    Result<std::optional<guard::ValidatorRow>> validator(const BlsPublicKey& key, bool create) override {
      if (const auto it = state_.validators.find(key); it != state_.validators.end()) {
        return it->second;
      }
      if (!create) {
        return std::nullopt;
      }
      guard::ValidatorRow row;
      row.id = static_cast<std::int64_t>(state_.validators.size()) + 1;
      state_.validators.emplace(key, row);
      return row;
    }
    Result<void> update_validator(const guard::ValidatorRow& row) override {
      for (auto& [key, stored] : state_.validators) {
        if (stored.id == row.id) {
          stored = row;
          return {};
        }
      }
      return fail(ErrorKind::store_unavailable, "no such validator row");
    }
    Result<std::vector<guard::SignedBlock>> blocks_at(std::int64_t validator, Slot slot) override {
      return matching(state_.blocks[validator], [&](const auto& block) { return block.slot == slot; });
    }
    Result<std::vector<guard::SignedAttestation>> attestations_at(std::int64_t validator, Epoch target) override {
      return matching(state_.attestations[validator], [&](const auto& vote) { return vote.target == target; });
    }
    Result<guard::VotesNear> votes_near(std::int64_t validator, Epoch source, Epoch target) override {
      const auto& all = state_.attestations[validator];
      return guard::VotesNear{
          matching(all, [&](const auto& vote) { return vote.target == target; }),
          first(all, [&](const auto& vote) { return vote.source < source && vote.target > target; }),
          first(all, [&](const auto& vote) { return vote.source > source && vote.target < target; })};
    }
    Result<void> add_block(std::int64_t validator, const guard::SignedBlock& block) override {
      auto& all = state_.blocks[validator];
      if (!first(all, [&](const auto& other) {
            return other.slot == block.slot && other.signing_root == block.signing_root;
          })) {
        all.push_back(block);
      }
      return {};
    }
    Result<void> add_attestation(std::int64_t validator, const guard::SignedAttestation& attestation) override {
      auto& all = state_.attestations[validator];
      if (!first(all, [&](const auto& other) {
            return other.source == attestation.source && other.target == attestation.target &&
                   other.signing_root == attestation.signing_root;
          })) {
        all.push_back(attestation);
      }
      return {};
    }
    Result<std::uint64_t> forget_below(std::int64_t validator, const guard::Watermarks& low) override {
      std::uint64_t gone = std::erase_if(
          state_.blocks[validator], [&](const auto& block) { return low.block_slot && block.slot < *low.block_slot; });
      gone += std::erase_if(state_.attestations[validator], [&](const auto& vote) {
        return low.target_epoch && vote.target < *low.target_epoch && low.source_epoch &&
               vote.source <= *low.source_epoch;
      });
      return gone;
    }
    Result<void> add_origin(const guard::Origin& origin) override {
      state_.origins.push_back(origin);
      return {};
    }
    Result<std::vector<guard::Origin>> origins(std::size_t limit) override {
      std::vector<guard::Origin> out(state_.origins.rbegin(), state_.origins.rend());
      out.resize(std::min(limit, out.size()));
      return out;
    }
    Result<std::optional<Root>> genesis_validators_root() override { return state_.genesis; }
    Result<void> set_genesis_validators_root(const Root& root) override {
      state_.genesis = root;
      return {};
    }
    Result<guard::Watermarks> floor() override { return state_.floor; }
    Result<void> raise_floor(const guard::Watermarks& floor) override {
      state_.floor.block_slot = std::max(state_.floor.block_slot, floor.block_slot);
      state_.floor.source_epoch = std::max(state_.floor.source_epoch, floor.source_epoch);
      state_.floor.target_epoch = std::max(state_.floor.target_epoch, floor.target_epoch);
      return {};
    }
    Result<std::vector<BlsPublicKey>> validators() override {
      std::vector<BlsPublicKey> out;
      out.reserve(state_.validators.size());
      for (const auto& [key, row] : state_.validators) {
        out.push_back(key);
      }
      return out;
    }
    Result<std::vector<guard::SignedBlock>> all_blocks(std::int64_t validator) override {
      auto all = state_.blocks[validator];
      std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(a.slot, a.signing_root) < std::tie(b.slot, b.signing_root);
      });
      return all;
    }
    Result<std::vector<guard::SignedAttestation>> all_attestations(std::int64_t validator) override {
      auto all = state_.attestations[validator];
      std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(a.target, a.source, a.signing_root) < std::tie(b.target, b.source, b.signing_root);
      });
      return all;
    }

   private:
    template <class T, class Predicate>
    static std::vector<T> matching(const std::vector<T>& all, Predicate wanted) {
      std::vector<T> out;
      for (const T& one : all) {
        if (wanted(one)) {
          out.push_back(one);
        }
      }
      return out;
    }
    template <class T, class Predicate>
    static std::optional<T> first(const std::vector<T>& all, Predicate wanted) {
      const std::vector<T> found = matching(all, wanted);
      return found.empty() ? std::nullopt : std::optional<T>(found.front());
    }

    State& state_;
  };

  StoreFault next_fault() {
    if (faults_.empty()) {
      return StoreFault::none;
    }
    const StoreFault fault = faults_.front();
    faults_.pop_front();
    return fault;
  }

  mutable std::mutex mutex_;
  State state_;
  guard::StoreIdentity identity_;
  std::deque<StoreFault> faults_;
};

}  // namespace cc::test
