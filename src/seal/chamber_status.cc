// What others see of the chamber: status, credential ids, drills, KEKs. Read by any thread at any time.
#include <algorithm>

#include "seal/lock_kms.h"
#include "seal/machine.h"

namespace cc::seal {
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

std::vector<std::pair<std::string, std::optional<std::uint64_t>>> last_drills(const SealRecord& record) {
  std::vector<std::pair<std::string, std::optional<std::uint64_t>>> out;
  const MemberList* list = record.active_members();
  for (std::size_t i = 0; list != nullptr && i < list->entries.size(); ++i) {
    out.emplace_back(record.core.operators()->header.members[i], list->entries[i].drilled);
  }
  return out;
}

}  // namespace

void Chamber::Machine::publish() {
  const RecordPhase phase = !record_ && record_trouble_ ? RecordPhase::set : record_phase();
  Status next;
  std::map<std::string, std::vector<std::string>> credentials;
  std::vector<std::string> former;
  std::vector<std::pair<std::string, std::optional<std::uint64_t>>> drilled;
  if (record_) {
    const Lock& kms = record_->core.kms();
    next.epoch = record_->core.epoch;
    next.kms_threshold = kms.header.m;
    next.kms_members = kms.header.n();
    next.mode = "kms_only";
    next.held = record_->hints.hold;
    credentials = ids_by_operator(*record_);
    former = record_->core.retired_operators;
    drilled = last_drills(*record_);
    next.rotation = rotation_status();
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
  former_operators_ = std::move(former);
  drilled_ = std::move(drilled);
  if (!record_ || (probed_ && probed_->first != record_->core.kms().header.id)) {
    probed_.reset();
  }
  shown_phase_ = phase;
  may_sign_ = signs(visible_state(shown_phase_, process_));
}

std::optional<RotationStatus> Chamber::Machine::rotation_status() const {
  if (!record_->core.staged) {
    return resealing_status();
  }
  const StagedLock& staged = *record_->core.staged;
  RotationStatus out;
  out.kind = name(staged.kind());
  out.rotation = to_hex(rotation_digest(record_->core));
  out.threshold = staged.lock.header.m;
  out.members = staged.lock.header.n();
  const MemberList* list = record_->members_of(OperatorSet::staged);
  for (std::size_t i = 0; list != nullptr && i < list->entries.size(); ++i) {
    if (list->entries[i].pending) {
      out.waiting_for.push_back(staged.lock.header.members[i]);
    }
  }
  out.approvals_required = approvals_required(record_->core);
  out.approvals_received = approvals_ ? approvals_->counted() : 0;
  return out;
}

DrillStatus Chamber::Machine::drill_status() const {
  DrillStatus out;
  const std::uint64_t now = ports_.clock.unix_seconds();
  for (const auto& [name, date] : drilled_) {
    // A date in the future proves nothing: a clock was wrong.
    if (date && *date <= now && now - *date <= options_.drill_valid_seconds) {
      ++out.fresh;
    } else {
      out.lapsed.push_back(name);
    }
  }
  out.margin = static_cast<int>(out.fresh) - static_cast<int>(status_.unseal_threshold);
  return out;
}

void Chamber::Machine::probe_keks() {
  std::optional<Core> core;
  {
    const Turn turn(*this);
    if (record_ && process() != ProcessPhase::barred) {
      core = record_->core;
    }
  }
  if (!core) {
    return;
  }
  KekStatus found;
  const Lock& lock = core->kms();
  for (unsigned index = 1; index <= lock.header.n(); ++index) {
    const Result<void> healthy = probe_member(ports_.keks, core->chamber, lock, index);
    if (healthy) {
      ++found.healthy;
    } else {
      found.sick.emplace_back(lock.header.members[index - 1], healthy.error());
    }
  }
  found.margin = static_cast<int>(found.healthy) - static_cast<int>(lock.header.m);
  const std::lock_guard guard(public_);
  probed_.emplace(lock.header.id, std::move(found));
}

Status Chamber::Machine::status() const {
  const std::lock_guard lock(public_);
  Status out = status_;
  out.state = visible_state(shown_phase_, process_);
  out.sealed_by_command = process_ == ProcessPhase::barred;
  if (!drilled_.empty() && shown_phase_ != RecordPhase::registering) {
    out.drills = drill_status();
  }
  if (probed_) {
    out.keks = probed_->second;
  }
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
    const bool former = std::ranges::find(former_operators_, operator_name) != former_operators_.end();
    return fail(ErrorKind::unknown_operator, former ? "this operator belongs to a set that was replaced"
                                                    : "no operator of the set in force has this name");
  }
  return found->second;
}

}  // namespace cc::seal
