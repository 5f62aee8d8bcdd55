// Start, the second-by-second step, and following other replicas.
#include "base/log.h"
#include "seal/machine.h"

namespace cc::seal {

Result<void> Chamber::Machine::boot() {
  const Turn turn(*this);
  Result<void> outcome = refresh();
  if (!outcome) {
    // What is unknown or lost counts as existing: nothing signs without a chamber that may be there.
    tell_listener(true);
  }
  return outcome;
}

Result<void> Chamber::Machine::poll() {
  const Turn turn(*this);
  return refresh();
}

void Chamber::Machine::tick() {
  const Turn turn(*this, std::try_to_lock);
  if (turn.taken()) {
    drop_expired_round();
  }
}

void Chamber::Machine::drop_expired_round() {
  const bool limited = options_.unseal_timeout > Milliseconds(0);
  for (std::optional<Quorum>* quorum : {&approvals_, &rehearsal_}) {
    if (*quorum && limited && ports_.clock.monotonic() - (*quorum)->started >= options_.unseal_timeout) {
      log::warn("operators took too long; what they gave towards a rotation or a rehearsal was wiped");
      quorum->reset();
      publish();
    }
  }
  if (round_ && limited && ports_.clock.monotonic() - round_->started >= options_.unseal_timeout) {
    log::warn("the unseal round timed out; collected shares were wiped",
              {{"shares", std::uint64_t{round_->shares.counted()}}});
    fire(ProcessEvent::reset_round);
    round_.reset();
    publish();
  }
}

}  // namespace cc::seal
