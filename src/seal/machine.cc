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
  round_.reset();
}

namespace {

// Ids by operator. Who is in the set in force and in the staged one has one list, each id once.
std::map<std::string, std::vector<std::string>> ids_by_operator(const SealRecord& record) {
  std::map<std::string, std::vector<std::string>> out;
  for (const OperatorSet set : {OperatorSet::active, OperatorSet::staged}) {
    const MemberList* list = record.members_of(set);
    for (std::size_t i = 0; list != nullptr && i < list->entries.size(); ++i) {
      auto& ids = out[record.core.operators(set)->header.members[i]];
      for (const StoredCredential& credential : list->entries[i].credentials) {
        if (std::ranges::find(ids, credential.id) == ids.end()) {
          ids.push_back(credential.id);
        }
      }
    }
  }
  return out;
}

}  // namespace

void Chamber::Machine::publish() {
  const RecordPhase phase = !record_ && record_trouble_ ? RecordPhase::set : record_phase();
  Status next;
  std::map<std::string, std::vector<std::string>> credentials;
  if (record_) {
    const Lock& kms = record_->core.kms();
    next.epoch = record_->core.epoch;
    next.kms_threshold = kms.header.m;
    next.kms_members = kms.header.n();
    next.mode = "kms_only";
    next.held = record_->hints.hold;
    credentials = ids_by_operator(*record_);
    if (const Lock* operators = record_->core.operators()) {
      next.mode = "unseal";
      next.unseal_threshold = operators->header.m;
      next.operators = operators->header.n();
      next.registered = next.operators - waiting_shares(*record_->active_members());
    } else {
      const auto local =
          std::ranges::count_if(kms.header.members, [](const auto& m) { return m.starts_with("local://"); });
      next.kek_beside_data = local >= static_cast<std::ptrdiff_t>(kms.header.m);
    }
  }
  next.shares_received = round_ ? round_->shares.counted() : 0;
  next.trouble = record_trouble_ ? record_trouble_ : opening_trouble_;
  const std::lock_guard lock(public_);
  next.keys_loaded = process_ == ProcessPhase::open ? status_.keys_loaded : 0;
  status_ = std::move(next);
  credentials_ = std::move(credentials);
  shown_phase_ = phase;
  may_sign_ = signs(visible_state(shown_phase_, process_));
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

Status Chamber::Machine::status() const {
  const std::lock_guard lock(public_);
  Status out = status_;
  out.state = visible_state(shown_phase_, process_);
  out.sealed_by_command = process_ == ProcessPhase::barred;
  return out;
}

std::optional<std::string> Chamber::Machine::setup_token() const {
  const std::lock_guard lock(public_);
  if (setup_token_.empty()) {
    return std::nullopt;
  }
  const auto text = expose_secret_bytes(setup_token_);
  return std::string(text.begin(), text.end());
}

Result<std::vector<std::string>> Chamber::Machine::credential_ids(const std::string& operator_name) const {
  const std::lock_guard lock(public_);
  CC_TRY(allow(shown_phase_, RecordEvent::read_members));
  const auto found = credentials_.find(operator_name);
  if (found == credentials_.end()) {
    return fail(ErrorKind::unknown_operator, "no operator of the set in force has this name");
  }
  return found->second;
}

}  // namespace cc::seal
