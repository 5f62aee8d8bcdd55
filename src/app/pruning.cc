#include "app/pruning.h"

#include "base/log.h"

namespace cc::app {

Result<guard::Pruned> prune_store(guard::SlashingStore& store, const guard::Keep& keep,
                                  const std::function<bool()>& stop) {
  std::vector<BlsPublicKey> keys;
  CC_TRY(store.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(keys, tx.validators());
    return {};
  }));
  guard::Pruned total;
  for (const BlsPublicKey& key : keys) {
    if (stop()) {
      break;
    }
    guard::Pruned one;  // set anew when the work runs again
    CC_TRY(store.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(one, guard::prune_validator(tx, key, keep));
      return {};
    }));
    total.validators += one.validators;
    total.records += one.records;
  }
  return total;
}

void Pruner::start() {
  thread_ = std::thread([this] { run(); });
}

void Pruner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Pruner::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Pruner::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, interval_, [this] { return stopping_; })) {
        return;
      }
    }
    const auto pruned = prune_store(store_, keep_, [this] { return stopping(); });
    if (pruned) {
      log::info("slashing history pruned", {{"validators", pruned->validators}, {"records", pruned->records}});
    } else {
      log::warn("slashing history could not be pruned",
                {{"code", facts(pruned.error().kind).code}, {"reason", pruned.error().message}});
    }
  }
}

}  // namespace cc::app
