#include "app/listener.h"

#include "base/log.h"

namespace cc::app {
namespace {

constexpr Milliseconds kDrain{2000};

keys::MasterKeysView view_of(const seal::MasterKeys& keys) {
  keys::MasterKeysView view;
  view.current = keys.current;
  for (const auto& [id, key] : keys.keys) {
    view.keys.push_back({id, &key});
  }
  return view;
}

}  // namespace

Result<std::uint64_t> OpeningListener::opened(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                              const StillWanted& still_wanted) {
  CC_ASSIGN(const std::uint64_t loaded, keys_.load(chamber, view_of(keys)));
  const std::lock_guard lock(mutex_);
  // A seal says so first and closes then, under this mutex: what it says before is seen here, what it says later shuts
  // the gate again.
  if (!still_wanted()) {
    keys_.close();
  }
  if (!keys_.is_open()) {
    return fail(ErrorKind::signer_sealed, "the signer was sealed while its keys were loading");
  }
  open_ = true;
  pipeline_.open_gate();
  files_.opened();
  pairs_.opened();
  log::info("keys loaded", {{"keys", loaded}});
  return loaded;
}

Result<seal::Resealed> OpeningListener::reseal(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                               std::size_t most) {
  CC_ASSIGN(const keys::KeyService::Resealed moved, keys_.reseal(chamber, view_of(keys), most));
  return seal::Resealed{moved.done, moved.left};
}

void OpeningListener::closing() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  pairs_.closed();
  pipeline_.close_gate(kDrain);
  keys_.close();
  files_.closed();
}

void OpeningListener::record_exists(bool exists) {
  const std::lock_guard lock(mutex_);
  if (!exists || open_) {
    pipeline_.open_gate();
    files_.opened();
  } else {
    pipeline_.close_gate(kDrain);
    files_.closed();
  }
}

}  // namespace cc::app
