// Seal and resume.
#include "base/log.h"
#include "seal/machine.h"

namespace cc::seal {
namespace {

// How long a seal waits for a ceremony under way before it leaves the wiping of secrets to that ceremony's end.
constexpr Milliseconds kPatience{2000};

}  // namespace

Result<void> Chamber::Machine::seal(const std::string& reason, bool hold, bool all) {
  fire(ProcessEvent::seal);
  ports_.listener.closing();
  {
    // Its end wipes every secret, as the process is barred now.
    const Turn turn(*this, kPatience);
  }
  log::warn("sealed by command", {{"reason", reason}, {"hold", hold ? "yes" : "no"}, {"all", all ? "yes" : "no"}});
  if (!hold && !all) {
    return {};
  }
  CC_TRY(store_hints(hold, all));
  // The status shows the hold at once. What cannot be read now is read by the next step.
  if (const Turn turn(*this, kPatience); turn.taken() && refresh()) {
    publish();
  }
  return {};
}

Result<void> Chamber::Machine::resume() {
  const Turn turn(*this);
  CC_TRY(refresh());
  if (record_ && record_->hints.hold) {
    SealRecord next = *record_;
    next.hints.hold = false;
    CC_TRY(commit(next));
  }
  fire(ProcessEvent::resume);
  // Said anew even when nothing changed: the seal has shut the gate.
  told_exists_.reset();
  tell_listener(record_.has_value());
  log::warn("resumed by command");
  publish();
  return {};
}

}  // namespace cc::seal
