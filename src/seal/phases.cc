#include "seal/phases.h"

#include <array>

namespace cc::seal {
namespace {

using RP = RecordPhase;
using RE = RecordEffect;
using PP = ProcessPhase;
using PE = ProcessEffect;

constexpr RecordCell to(RP next, RE effect) { return {next, effect, std::nullopt, ""}; }
constexpr RecordCell no(RP same, ErrorKind error, const char* advice) { return {same, RE::refuse, error, advice}; }
constexpr ProcessCell to(PP next, PE effect) { return {next, effect, std::nullopt, ""}; }
constexpr ProcessCell no(PP same, ErrorKind error, const char* advice) { return {same, PE::refuse, error, advice}; }

constexpr const char* kInitFirst = "there is no chamber yet; run `operator init` first";
constexpr const char* kAlready = "use `operator rotate kms`, `rotate unseal` or `rotate mode` to change the locks";
constexpr const char* kAlreadyRegistering =
    "operators are registering; finish, or cancel with `operator init-reset`, before a new init";
constexpr const char* kFinishRegistering = "operators are still registering; let all of them run `operator register`";
constexpr const char* kNoReset = "init-reset is only for a chamber whose operators are still registering";
constexpr const char* kAllRegistered = "every operator of this set is registered; the token was used or replaced";
constexpr const char* kRotating = "a rotation is under way; finish it or run `operator rotate unseal-cancel`";
constexpr const char* kNotRotating = "no rotation is under way";
constexpr const char* kResealing =
    "the key records are being moved to the new master key; that ends by itself, see `operator status`";
constexpr const char* kTooLate =
    "the new master key is in force already and its rotation cannot be taken back; it ends by itself";

using RecordRow = std::array<RecordCell, kRecordPhases>;  // none, registering, set, rotating, resealing
constexpr RecordCell kNone = no(RP::none, ErrorKind::not_initialized, kInitFirst);
constexpr RecordCell kUnregistered = no(RP::registering, ErrorKind::wrong_state, kFinishRegistering);
constexpr std::array<RecordRow, kRecordEvents> kRecordTable{{
    // init_kms_only
    {{to(RP::set, RE::write_record), no(RP::registering, ErrorKind::already_initialized, kAlreadyRegistering),
      no(RP::set, ErrorKind::already_initialized, kAlready), no(RP::rotating, ErrorKind::already_initialized, kAlready),
      no(RP::resealing, ErrorKind::already_initialized, kAlready)}},
    // init_operators
    {{to(RP::registering, RE::write_record), no(RP::registering, ErrorKind::already_initialized, kAlreadyRegistering),
      no(RP::set, ErrorKind::already_initialized, kAlready), no(RP::rotating, ErrorKind::already_initialized, kAlready),
      no(RP::resealing, ErrorKind::already_initialized, kAlready)}},
    // init_reset
    {{kNone, to(RP::none, RE::write_tombstone), no(RP::set, ErrorKind::wrong_state, kNoReset),
      no(RP::rotating, ErrorKind::wrong_state, kNoReset), no(RP::resealing, ErrorKind::wrong_state, kNoReset)}},
    // register_share
    {{kNone, to(RP::registering, RE::write_members), no(RP::set, ErrorKind::registration_token_invalid, kAllRegistered),
      to(RP::rotating, RE::write_members), no(RP::resealing, ErrorKind::registration_token_invalid, kAllRegistered)}},
    // register_last_share
    {{kNone, to(RP::set, RE::write_members), no(RP::set, ErrorKind::registration_token_invalid, kAllRegistered),
      to(RP::set, RE::commit_staged), no(RP::resealing, ErrorKind::registration_token_invalid, kAllRegistered)}},
    // unseal_share
    {{kNone, kUnregistered, to(RP::set, RE::read_only), to(RP::rotating, RE::read_only),
      to(RP::resealing, RE::read_only)}},
    // rotate_kms
    {{kNone, kUnregistered, to(RP::set, RE::write_record), no(RP::rotating, ErrorKind::wrong_state, kRotating),
      no(RP::resealing, ErrorKind::wrong_state, kResealing)}},
    // stage_lock
    {{kNone, kUnregistered, to(RP::rotating, RE::write_record), no(RP::rotating, ErrorKind::wrong_state, kRotating),
      no(RP::resealing, ErrorKind::wrong_state, kResealing)}},
    // cancel_staged
    {{kNone, no(RP::registering, ErrorKind::wrong_state, kNotRotating),
      no(RP::set, ErrorKind::wrong_state, kNotRotating), to(RP::set, RE::write_record),
      no(RP::resealing, ErrorKind::wrong_state, kTooLate)}},
    // approve_rotation
    {{kNone, kUnregistered, no(RP::set, ErrorKind::wrong_state, kNotRotating), to(RP::rotating, RE::read_only),
      no(RP::resealing, ErrorKind::wrong_state, kNotRotating)}},
    // commit_rotation
    {{kNone, kUnregistered, no(RP::set, ErrorKind::wrong_state, kNotRotating), to(RP::set, RE::commit_staged),
      no(RP::resealing, ErrorKind::wrong_state, kNotRotating)}},
    // rotate_master
    {{kNone, kUnregistered, to(RP::resealing, RE::write_record), no(RP::rotating, ErrorKind::wrong_state, kRotating),
      no(RP::resealing, ErrorKind::wrong_state, kResealing)}},
    // commit_master
    {{kNone, kUnregistered, no(RP::set, ErrorKind::wrong_state, kNotRotating), to(RP::resealing, RE::commit_staged),
      no(RP::resealing, ErrorKind::wrong_state, kResealing)}},
    // drop_master
    {{kNone, kUnregistered, no(RP::set, ErrorKind::wrong_state, kNotRotating),
      no(RP::rotating, ErrorKind::wrong_state, kRotating), to(RP::set, RE::write_record)}},
    // change_credentials
    {{kNone, kUnregistered, to(RP::set, RE::write_members), to(RP::rotating, RE::write_members),
      to(RP::resealing, RE::write_members)}},
    // read_members
    {{kNone, to(RP::registering, RE::read_only), to(RP::set, RE::read_only), to(RP::rotating, RE::read_only),
      to(RP::resealing, RE::read_only)}},
}};

constexpr const char* kKmsPending = "look at `operator status` for the KEK in trouble, and try again in a moment";
constexpr const char* kBarred = "the signer was sealed by command; run `operator resume` or restart it first";
constexpr const char* kUnsealFirst =
    "the locks are changed by an unsealed signer only; let the operators run `operator unseal` first";
constexpr const char* kOpenAlready = "the chamber is unsealed already";

using ProcessRow = std::array<ProcessCell, kProcessPhases>;  // closed, barred, kms_open, open
constexpr std::array<ProcessRow, kProcessEvents> kProcessTable{{
    // init
    {{to(PP::closed, PE::serve), no(PP::barred, ErrorKind::wrong_state, kBarred),
      no(PP::kms_open, ErrorKind::already_initialized, kAlready),
      no(PP::open, ErrorKind::already_initialized, kAlready)}},
    // kms_step
    {{to(PP::closed, PE::try_keks), to(PP::barred, PE::nothing), to(PP::kms_open, PE::nothing),
      to(PP::open, PE::nothing)}},
    // kms_lock_opened
    {{to(PP::kms_open, PE::keep_kms), to(PP::barred, PE::wipe), to(PP::kms_open, PE::keep_kms),
      to(PP::open, PE::keep_kms)}},
    // register_share
    {{no(PP::closed, ErrorKind::kms_pending, kKmsPending), no(PP::barred, ErrorKind::wrong_state, kBarred),
      to(PP::kms_open, PE::serve), to(PP::open, PE::serve)}},
    // use_credential
    {{no(PP::closed, ErrorKind::kms_pending, kKmsPending), no(PP::barred, ErrorKind::wrong_state, kBarred),
      to(PP::kms_open, PE::serve), to(PP::open, PE::serve)}},
    // unseal_share
    {{no(PP::closed, ErrorKind::kms_pending, kKmsPending), no(PP::barred, ErrorKind::wrong_state, kBarred),
      to(PP::kms_open, PE::serve), no(PP::open, ErrorKind::wrong_state, kOpenAlready)}},
    // change_locks
    {{no(PP::closed, ErrorKind::kms_pending, kKmsPending), no(PP::barred, ErrorKind::wrong_state, kBarred),
      no(PP::kms_open, ErrorKind::wrong_state, kUnsealFirst), to(PP::open, PE::serve)}},
    // reset_round
    {{to(PP::closed, PE::drop_round), to(PP::barred, PE::drop_round), to(PP::kms_open, PE::drop_round),
      to(PP::open, PE::drop_round)}},
    // master_key_ready
    {{to(PP::open, PE::go_open), to(PP::barred, PE::wipe), to(PP::open, PE::go_open), to(PP::open, PE::nothing)}},
    // registration_complete
    {{to(PP::closed, PE::wipe), to(PP::barred, PE::wipe), to(PP::closed, PE::wipe), to(PP::open, PE::nothing)}},
    // epoch_changed
    {{to(PP::closed, PE::wipe), to(PP::barred, PE::wipe), to(PP::closed, PE::wipe), to(PP::open, PE::reopen_kms)}},
    // record_gone
    {{to(PP::closed, PE::wipe), to(PP::barred, PE::wipe), to(PP::closed, PE::wipe), to(PP::closed, PE::wipe)}},
    // seal
    {{to(PP::barred, PE::wipe), to(PP::barred, PE::wipe), to(PP::barred, PE::wipe), to(PP::barred, PE::wipe)}},
    // resume
    {{to(PP::closed, PE::nothing), to(PP::closed, PE::nothing), to(PP::kms_open, PE::nothing),
      to(PP::open, PE::nothing)}},
}};

template <class Cell>
Result<void> refusal(const Cell& found) {
  return found.error ? Result<void>(fail(*found.error, found.advice)) : Result<void>();
}

}  // namespace

const RecordCell& cell(RecordPhase phase, RecordEvent event) {
  return kRecordTable.at(static_cast<std::size_t>(event)).at(static_cast<std::size_t>(phase));
}
const ProcessCell& cell(ProcessPhase phase, ProcessEvent event) {
  return kProcessTable.at(static_cast<std::size_t>(event)).at(static_cast<std::size_t>(phase));
}
Result<void> allow(RecordPhase phase, RecordEvent event) { return refusal(cell(phase, event)); }
Result<void> allow(ProcessPhase phase, ProcessEvent event) { return refusal(cell(phase, event)); }

VisibleState visible_state(RecordPhase record, ProcessPhase process) {
  switch (record) {
    case RecordPhase::none:
      return VisibleState::uninitialized;
    case RecordPhase::registering:
      return VisibleState::awaiting_registration;
    case RecordPhase::set:
    case RecordPhase::rotating:
    case RecordPhase::resealing:
      break;
  }
  switch (process) {
    case ProcessPhase::closed:
    case ProcessPhase::barred:
      return VisibleState::sealed;
    case ProcessPhase::kms_open:
      return VisibleState::kms_unsealed;
    case ProcessPhase::open:
      break;
  }
  return record == RecordPhase::rotating ? VisibleState::awaiting_rotation : VisibleState::unsealed;
}

bool signs(VisibleState state) { return state == VisibleState::unsealed || state == VisibleState::awaiting_rotation; }

std::string_view name(VisibleState state) {
  constexpr std::array<std::string_view, 6> kNames{"uninitialized", "awaiting_registration", "sealed", "kms_unsealed",
                                                   "unsealed",      "awaiting_rotation"};
  return kNames.at(static_cast<std::size_t>(state));
}
std::string_view name(RecordPhase phase) {
  constexpr std::array<std::string_view, kRecordPhases> kNames{"none", "registering", "set", "rotating", "resealing"};
  return kNames.at(static_cast<std::size_t>(phase));
}
std::string_view name(ProcessPhase phase) {
  constexpr std::array<std::string_view, kProcessPhases> kNames{"closed", "barred", "kms_open", "open"};
  return kNames.at(static_cast<std::size_t>(phase));
}

}  // namespace cc::seal
