// The chamber: the state machine around the seal record (DESIGN section 4). Every ceremony goes through here.
//
// Two machines as tables in phases.h: the record phase (read off the stored record) and the process phase (this process
// only). Six visible states are derived from both. No I/O of its own: KEKs, store, clock and randomness are ports.
//
// Threads: every call may come from any thread. Ceremonies are serialised inside; they may block on a KEK or on
// Argon2id, so call them off the I/O threads. status(), may_sign() and setup_token() never wait for a ceremony.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/password.h"
#include "seal/device.h"
#include "seal/ports.h"

namespace cc::seal {

enum class VisibleState { uninitialized, awaiting_registration, sealed, kms_unsealed, unsealed, awaiting_rotation };
std::string_view name(VisibleState state);

struct InitRequest {
  std::vector<std::string> keks;  // kms_key_arns
  unsigned kms_threshold = 0;
  unsigned unseal_threshold = 0;  // 0 with no operators: kms_only
  std::vector<std::string> operators;
};
struct InitReply {
  VisibleState state;
  std::uint64_t validators_loaded = 0;                               // kms_only
  std::vector<std::pair<std::string, SecretBytes>> operator_tokens;  // operator mode, in the order given
};

// How an operator proves who they are: a passphrase, or what their hardware key answered to the credential's challenge.
// Kinds and lengths: seal/device.h.
struct CredentialSecret {
  std::string kind = "passphrase";
  SecretBytes secret;
  // What the hardware key was asked; with a new credential of such a kind, and only there.
  std::optional<DeviceChallenge> device{};  // NOLINT(readability-redundant-member-init): keeps initialisers of two free
};
struct NamedCredential {
  std::string id;
  CredentialSecret secret;
};
// What the hardware key of one credential is to be asked; no secret.
struct NamedChallenge {
  std::string credential_id;
  DeviceChallenge device;
  bool operator==(const NamedChallenge&) const = default;
};
struct RegisterReply {
  unsigned registered = 0;
  unsigned remaining = 0;
  std::optional<VisibleState> state;  // set when this was the last registration
};
struct UnsealReply {
  unsigned shares_received = 0;
  unsigned shares_required = 0;
  bool would_open = false;            // a rehearsal was complete and the record proven
  std::optional<VisibleState> state;  // set when this share opened the chamber
  std::uint64_t validators_loaded = 0;
};

// Who asks for a rotation: the token's holder alone, or with the approval of a quorum of the operators in force.
// Giving up the operators lock always needs the quorum.
enum class RotationApproval { token, quorum };
struct KmsSetRequest {
  std::vector<std::string> keks;
  unsigned threshold = 0;
};
struct OperatorSetRequest {
  unsigned threshold = 0;
  std::vector<std::string> operators;
};
struct RotationReply {
  VisibleState state = VisibleState::unsealed;  // awaiting_rotation: staged, not in force yet
  std::vector<std::pair<std::string, SecretBytes>> operator_tokens;
  unsigned shares = 0, threshold = 0;        // a KMS rotation that is in force
  std::vector<std::string> safe_to_disable;  // KEKs that no lock in force needs any more
  std::string rotation;                      // with approvals required: what they are for
  unsigned approvals_received = 0, approvals_required = 0;
};
struct ApproveReply {
  unsigned approvals_received = 0, approvals_required = 0;
  std::optional<VisibleState> state;  // set once the quorum is there
  std::vector<std::string> safe_to_disable;
};
struct DrillReply {
  std::string credential_id;
  std::uint64_t drilled_at = 0;  // Unix seconds
};

struct RotationStatus {
  std::string kind;      // "operators", "kms", "kms_only" or "master"
  std::string rotation;  // digest of what is staged; an approval names it
  unsigned threshold = 0, members = 0;
  std::vector<std::string> waiting_for;  // new operators who have to register
  unsigned approvals_received = 0, approvals_required = 0;
  // The new master key is in force and key records are moved to it, by this process since it opened. Nothing is staged
  // then and nobody is waited for. `left` is unknown until an open process has counted.
  bool resealing = false;
  std::uint64_t resealed = 0;
  std::optional<std::uint64_t> left;
};
// Which operators have shown lately that a credential opens their share.
struct DrillStatus {
  unsigned fresh = 0;
  std::vector<std::string> lapsed;  // never, or too long ago
  int margin = 0;                   // fresh ones beyond the threshold
};
// KEKs as the last probe found them.
struct KekStatus {
  unsigned healthy = 0;
  std::vector<std::pair<std::string, Error>> sick;
  int margin = 0;  // healthy ones beyond the threshold
};

struct Status {
  VisibleState state = VisibleState::uninitialized;
  std::uint64_t epoch = 0;
  std::string mode;  // "", "kms_only" or "unseal"
  unsigned kms_threshold = 0, kms_members = 0;
  unsigned unseal_threshold = 0, operators = 0;
  unsigned shares_received = 0;
  unsigned registered = 0;
  std::optional<Error> trouble;  // why the chamber is not further (KMS, record_missing, …)
  std::uint64_t keys_loaded = 0;
  bool kek_beside_data = false;  // a thief of this disk opens a kms_only chamber
  // A seal or a hold is in force; only resume (or, without hold, a restart) ends it.
  bool sealed_by_command = false;
  bool held = false;  // sealed with hold: stays sealed over restarts
  std::optional<RotationStatus> rotation;
  std::optional<DrillStatus> drills;  // with operators, once they have registered
  std::optional<KekStatus> keks;      // once they were probed
};

struct ChamberOptions {
  Milliseconds unseal_timeout{30 * 60 * 1000};  // 0: never
  crypto::Argon2Params argon2;
  // Attempts before back-off starts, per operator and source.
  unsigned free_attempts = 5;
  RotationApproval rotation_approval = RotationApproval::token;
  std::uint64_t drill_valid_seconds = 90UL * 24 * 60 * 60;
};

class Chamber {
 public:
  struct Ports {
    KekService& keks;
    StateStore& store;
    TraceKeeper& traces;
    ChamberListener& listener;
    Clock& clock;
    Random& random;
  };
  Chamber(Ports ports, ChamberOptions options);
  ~Chamber();

  // Reads the record and settles the first state. With a record the KMS step is left to run_kms_step().
  Result<void> boot();
  // Tries to open the KMS lock (and with kms_only the chamber). Safe to call at any time and again after a failure;
  // does nothing when there is nothing to do. The caller retries with jitter while it fails, calls it after boot, after
  // the last registration and after resume, and may simply call it every few seconds.
  Result<void> run_kms_step();
  // Drops collected shares whose time is over. Call once a second.
  void tick();
  // Reads the record again, as another replica may have changed it: a higher epoch, a finished registration, a seal for
  // all. Call every few seconds. Errors: why this replica cannot follow; status().trouble says the same.
  Result<void> poll();

  Status status() const;
  // Whether sealed keys may sign (unsealed, awaiting_rotation). Cheap; read on every request.
  bool may_sign() const;
  // The setup token while it is good for something; logged by the composition root. Changes after init-reset.
  std::optional<std::string> setup_token() const;

  Result<InitReply> init(const InitRequest& request, const SecretBytes& setup_token);
  Result<void> init_reset(const SecretBytes& setup_token);
  Result<RegisterReply> register_operator(const std::string& operator_name, const SecretBytes& registration_token,
                                          const std::string& credential_id, const CredentialSecret& credential);
  // `source` names the caller for back-off (an address); it is never stored.
  Result<UnsealReply> unseal(const std::string& operator_name, const CredentialSecret& credential,
                             const std::string& source);
  // Wipes collected shares; the caller proves a credential, or is already authorised.
  Result<UnsealReply> unseal_reset(const std::string& operator_name, const CredentialSecret& credential,
                                   const std::string& source);
  Result<UnsealReply> unseal_reset_authorised();
  // Acts locally first and cannot fail; the error, if any, says what could not be stored afterwards. `hold` keeps every
  // replica sealed over restarts; `all` raises the seal generation, so that the other replicas follow when they poll.
  Result<void> seal(const std::string& reason, bool hold, bool all = false);
  // After a seal: allows the KMS step again.
  Result<void> resume();
  Result<std::vector<std::string>> credential_ids(const std::string& operator_name) const;
  // What this operator's hardware keys are to be asked, in the set in force and in the staged one; none with
  // passphrases alone. An operator whom nobody knows has one made up, the same each time. Errors: kms_pending,
  // wrong_state.
  Result<std::vector<NamedChallenge>> challenges(const std::string& operator_name);
  // The operator proves an existing credential; nobody else can. During a rotation the change is made in both sets, if
  // the credential opens a share in both. Errors: wrong_passphrase (also for an unknown operator or credential),
  // too_many_attempts; once proven credential_exists, credentials_full.
  Result<void> add_credential(const std::string& operator_name, const NamedCredential& existing,
                              const NamedCredential& added, const std::string& source);
  // Errors: as above; once proven unknown_credential, last_credential.
  Result<void> remove_credential(const std::string& operator_name, const NamedCredential& existing,
                                 const std::string& removed_id, const std::string& source);

  // Rotation, while signing goes on. The locks in force stay so until one conditional write replaces them; a refusal or
  // a failure leaves them as they were. Errors: wrong_state, record_conflict (another process was first), what init
  // says of members and KEKs.
  Result<RotationReply> rotate_kms(const KmsSetRequest& request);
  Result<RotationReply> rotate_unseal(const OperatorSetRequest& request);
  Result<RotationReply> rotate_to_unseal(const OperatorSetRequest& request);  // mode kms_only to unseal
  Result<RotationReply> rotate_to_kms_only();
  Result<void> rotate_cancel();
  // A new master key beside the old one; then work_on_master_key() moves the key records and drops the old one. With an
  // operators lock m operators in force have to approve, whatever rotation_approval says: what lies behind their lock
  // is sealed anew, and only their shares give the lock's key.
  Result<RotationReply> rotate_master();
  // Moves some key records to the current master key, and drops the old one when none needs it. True while there is
  // more to do: call again. Goes on where another process, or this one before a restart, left off. Cheap when there is
  // nothing to do; call every few seconds. Errors: as ChamberListener::reseal; record_conflict, store_unavailable.
  Result<bool> work_on_master_key();
  // An operator in force agrees to the rotation with this digest. Errors: rotation_changed, approval_repeated.
  Result<ApproveReply> approve(const std::string& operator_name, const CredentialSecret& credential,
                               const std::string& rotation, const std::string& source);
  // As unseal, up to the check of the record, and then wiped; also while unsealed.
  Result<UnsealReply> rehearse(const std::string& operator_name, const CredentialSecret& credential,
                               const std::string& source);
  // The credential opens the operator's share: nothing more happens, and the date is kept.
  Result<DrillReply> drill(const std::string& operator_name, const CredentialSecret& credential,
                           const std::string& source);
  // Asks every KEK in force for its share and compares; for status(). Blocks on the KEKs, holds up no ceremony.
  void probe_keks();

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace cc::seal
