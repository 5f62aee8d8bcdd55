// The two machines of the chamber, each one table with every cell filled (DESIGN section 4).
//
// Record phase: read off the stored record, changed only by one conditional write. Process phase: this process only,
// nothing stored. The six visible states are derived from both. Pure functions, no state, any thread.
//
// The process phase `barred` is `closed` after a seal or under a hold: it looks the same from outside, but no
// background step leaves it; only resume or a restart does.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "seal/chamber.h"

namespace cc::seal {

// resealing: the key records are on their way from one master key to the next; people are not waited for.
enum class RecordPhase { none, registering, set, rotating, resealing };
inline constexpr std::size_t kRecordPhases = 5;

enum class RecordEvent {
  init_kms_only,
  init_operators,
  init_reset,
  register_share,       // an operator takes over a waiting share, others still wait
  register_last_share,  // the last waiting share is taken over
  unseal_share,
  rotate_kms,
  stage_lock,  // rotate unseal, rotate mode: a new operators lock beside the active one
  cancel_staged,
  approve_rotation,  // an operator in force agrees to what is staged
  commit_rotation,   // every share is taken over, every approval given
  rotate_master,     // a new master key beside the old one, at once
  commit_master,     // the same, once the operators in force have agreed
  drop_master,       // no key record needs the old master key any more
  change_credentials,
  read_members,  // list credential ids
};
inline constexpr std::size_t kRecordEvents = 16;

enum class RecordEffect {
  refuse,
  write_record,     // a new record: core, members, hints
  write_tombstone,  // the record is replaced by a tombstone
  write_members,    // the members part alone
  commit_staged,    // the staged lock becomes the active one, epoch + 1
  read_only,        // the record stays as it is
};

struct RecordCell {
  RecordPhase next;
  RecordEffect effect;
  std::optional<ErrorKind> error;  // set exactly when effect is refuse
  const char* advice;              // what to do next; empty when allowed
};
const RecordCell& cell(RecordPhase phase, RecordEvent event);
// The cell's refusal as an error; nothing when the event is allowed.
Result<void> allow(RecordPhase phase, RecordEvent event);

enum class ProcessPhase { closed, barred, kms_open, open };
inline constexpr std::size_t kProcessPhases = 4;

enum class ProcessEvent {
  init,
  kms_step,         // the background step asks whether to try the KEKs
  kms_lock_opened,  // enough KEKs answered
  register_share,
  use_credential,  // add, remove or try a credential: needs the pepper, not the master key
  unseal_share,
  change_locks,  // stage, approve, cancel, put in force: needs the master key
  reset_round,
  master_key_ready,  // the ring is loaded
  registration_complete,
  epoch_changed,  // another replica committed a change of the locks
  record_gone,    // init-reset
  seal,           // the command, and a hold found at start
  resume,
};
inline constexpr std::size_t kProcessEvents = 14;

enum class ProcessEffect {
  refuse,
  nothing,
  try_keks,    // unwrap the KMS lock's shares
  keep_kms,    // keep the KMS lock's key and the pepper
  serve,       // run the ceremony
  drop_round,  // wipe collected shares
  go_open,     // keep the master keys, signing starts
  wipe,        // wipe every secret this process holds
  reopen_kms,  // wipe what belongs to the old KMS lock and open the new one; signing goes on
};

struct ProcessCell {
  ProcessPhase next;
  ProcessEffect effect;
  std::optional<ErrorKind> error;  // set exactly when effect is refuse
  const char* advice;
};
const ProcessCell& cell(ProcessPhase phase, ProcessEvent event);
Result<void> allow(ProcessPhase phase, ProcessEvent event);

VisibleState visible_state(RecordPhase record, ProcessPhase process);
// unsealed and awaiting_rotation.
bool signs(VisibleState state);

std::string_view name(RecordPhase phase);
std::string_view name(ProcessPhase phase);

}  // namespace cc::seal
