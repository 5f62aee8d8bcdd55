#include "seal/machine.h"

#include <algorithm>

namespace cc::seal {

Chamber::Machine::Turn::~Turn() {
  if (taken() && machine_.process() == ProcessPhase::barred) {
    machine_.wipe_secrets();
    machine_.publish();
  }
}

ProcessPhase Chamber::Machine::process() const {
  const std::lock_guard lock(public_);
  return process_;
}

const ProcessCell& Chamber::Machine::fire(ProcessEvent event) {
  const std::lock_guard lock(public_);
  const ProcessCell& found = cell(process_, event);
  process_ = found.next;
  may_sign_ = signs(visible_state(shown_phase_, process_));
  return found;
}

void Chamber::Machine::wipe_secrets() {
  kms_.reset();
  master_.reset();
  operators_key_.reset();
  drawn_.reset();
  drawn_operators_key_.reset();
  resealed_.reset();
  resealing_since_.reset();
  told_master_.reset();
  round_.reset();
  approvals_.reset();
  rehearsal_.reset();
}

Result<void> Chamber::Machine::note(Result<void> outcome) {
  opening_trouble_ = outcome ? std::nullopt : std::optional<Error>(outcome.error());
  publish();
  return outcome;
}

// After a seal nothing signs from any source, so that no record then counts as one that exists, until resume. A seal
// that comes in between has barred the process before it closed the gate: asking once more leaves no gap.
void Chamber::Machine::tell_listener(bool exists) {
  for (bool tell = exists || process() == ProcessPhase::barred; told_exists_ != tell;
       tell = exists || process() == ProcessPhase::barred) {
    told_exists_ = tell;
    ports_.listener.record_exists(tell);
  }
}

void Chamber::Machine::settle_setup_token(bool renew) {
  const RecordPhase phase = record_phase();
  const bool good = !record_trouble_ && (phase == RecordPhase::none || phase == RecordPhase::registering);
  const std::lock_guard lock(public_);
  if (!good || renew) {
    setup_token_.wipe();
  }
  if (good && setup_token_.empty()) {
    setup_token_ = draw_token(kSetupTokenPrefix, ports_.random).text;
  }
}

Result<void> Chamber::Machine::check_setup_token(const SecretBytes& given) const {
  const std::lock_guard lock(public_);
  if (setup_token_.empty() || !equal_constant_time(expose_secret_bytes(given), expose_secret_bytes(setup_token_))) {
    return fail(
        ErrorKind::setup_token_invalid,
        "the setup token is not the one in this server's log; every start and every init-reset draws a new one");
  }
  return {};
}

}  // namespace cc::seal
