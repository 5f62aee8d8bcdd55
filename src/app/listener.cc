#include "app/listener.h"

#include "base/log.h"

namespace cc::app {
namespace {

constexpr Milliseconds kDrain{2000};

}  // namespace

Result<std::uint64_t> OpeningListener::opened(const seal::ChamberId& chamber, const seal::MasterKeys& keys) {
  keys::MasterKeysView view;
  view.current = keys.current;
  for (const auto& [id, key] : keys.keys) {
    view.keys.push_back({id, &key});
  }
  CC_ASSIGN(const std::uint64_t loaded, keys_.load(chamber, view));
  const std::lock_guard lock(mutex_);
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
  }
}

}  // namespace cc::app
