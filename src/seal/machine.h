// Inside the chamber: what it knows of the stored record, its secrets, and the steps that the ceremonies share.
// One source file per ceremony: chamber_boot.cc, chamber_kms.cc, chamber_init.cc, chamber_register.cc,
// chamber_unseal.cc, chamber_challenge.cc, chamber_seal.cc, chamber_credentials.cc, chamber_rotate.cc,
// chamber_master.cc, chamber_quorum.cc; chamber_store.cc reads and writes the record, chamber_status.cc says what
// others see.
//
// Threads: `ceremony_` serialises ceremonies and guards everything not said otherwise. `public_` guards what other
// threads read at any time; it is held briefly and never across a port. seal() flips the process phase under `public_`
// alone, so it never waits for a KEK; a ceremony under way notices when it fires its next event and wipes what it made.
#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "seal/backoff.h"
#include "seal/chamber.h"
#include "seal/credential.h"
#include "seal/lock.h"
#include "seal/phases.h"
#include "seal/record.h"
#include "seal/record_keys.h"

namespace cc::seal {

class Chamber::Machine {
 public:
  Machine(Ports ports, ChamberOptions options)
      : ports_(ports), options_(options), backoff_(ports.clock, options.free_attempts) {}

  Result<void> boot();
  Result<void> run_kms_step();
  void tick();
  Result<void> poll();
  Result<InitReply> init(const InitRequest& request, const SecretBytes& setup_token);
  Result<void> init_reset(const SecretBytes& setup_token);
  Result<RegisterReply> register_operator(const std::string& operator_name, const SecretBytes& token_text,
                                          const std::string& credential_id, const CredentialSecret& credential);
  Result<UnsealReply> unseal(const std::string& operator_name, const CredentialSecret& credential,
                             const std::string& source);
  Result<UnsealReply> unseal_reset(const std::string& operator_name, const CredentialSecret& credential,
                                   const std::string& source);
  Result<UnsealReply> unseal_reset_authorised();
  Result<std::vector<NamedChallenge>> challenges(const std::string& operator_name);
  Result<void> add_credential(const std::string& operator_name, const NamedCredential& existing,
                              const NamedCredential& added, const std::string& source);
  Result<void> remove_credential(const std::string& operator_name, const NamedCredential& existing,
                                 const std::string& removed_id, const std::string& source);
  Result<RotationReply> rotate_kms(const KmsSetRequest& request);
  Result<RotationReply> rotate_unseal(const OperatorSetRequest& request);
  Result<RotationReply> rotate_to_unseal(const OperatorSetRequest& request);
  Result<RotationReply> rotate_to_kms_only();
  Result<void> rotate_cancel();
  Result<RotationReply> rotate_master();
  Result<bool> work_on_master_key();
  Result<ApproveReply> approve(const std::string& operator_name, const CredentialSecret& credential,
                               const std::string& rotation, const std::string& source);
  Result<UnsealReply> rehearse(const std::string& operator_name, const CredentialSecret& credential,
                               const std::string& source);
  Result<DrillReply> drill(const std::string& operator_name, const CredentialSecret& credential,
                           const std::string& source);
  void probe_keks();
  Result<void> seal(const std::string& reason, bool hold, bool all);
  Result<void> resume();

  Status status() const;
  bool may_sign() const { return may_sign_; }
  std::optional<std::string> setup_token() const;
  Result<std::vector<std::string>> credential_ids(const std::string& operator_name) const;

 private:
  // Holds the ceremony lock. A seal that came meanwhile left secrets to the ceremony: they are wiped when it ends.
  class Turn {
   public:
    explicit Turn(Machine& machine) : machine_(machine), lock_(machine.ceremony_) {}
    Turn(Machine& machine, std::try_to_lock_t how) : machine_(machine), lock_(machine.ceremony_, how) {}
    Turn(Machine& machine, Milliseconds patience) : machine_(machine), lock_(machine.ceremony_, patience) {}
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool taken() const { return lock_.owns_lock(); }

   private:
    Machine& machine_;
    std::unique_lock<std::timed_mutex> lock_;
  };

  // The highest this process has seen; the store may not go back behind it.
  struct Seen {
    std::uint64_t revision = 0;
    crypto::Digest content{};  // of that revision
    std::optional<ChamberId> chamber;
    bool was_set = false;
    std::uint64_t epoch = 0;
    crypto::Digest epoch_digest{};
    std::uint64_t member_changes = 0;
    std::uint64_t seal_generation = 0;
  };
  struct KmsSecrets {
    Secret<32> lock_key;
    Secret<32> pepper;
    SecretBytes inner;
    LockId lock{};
  };
  // Held only while a master key is retiring: what lies behind the operators lock is sealed anew at the end.
  struct OperatorsKey {
    LockId lock{};
    Secret<32> key;
  };
  // A credential under stronger Argon2id parameters, to be stored once the chamber is open and its record proven.
  struct Raised {
    unsigned index = 0;
    StoredCredential before;
    Bytes box;
  };
  // The shares of one unseal round.
  struct Round {
    ShareCollection shares;
    Milliseconds started{};
    std::vector<Raised> raised;
  };

  // Shares that operators gave for something else than unsealing: a rotation, or a rehearsal (purpose zero).
  struct Quorum {
    crypto::Digest purpose{};
    ShareCollection shares;
    Milliseconds started{};
    bool proven = false;  // m shares opened the operators lock; they are wiped then
    unsigned required = 0;
    std::optional<Secret<32>> lock_key;  // of the operators lock, for what is sealed behind it anew
    unsigned counted() const { return proven ? required : shares.counted(); }
  };

  // chamber_store.cc: the record.
  // Reads the record, checks it against what was seen, and follows what changed. Its error is also the trouble; a
  // record taken in before then stays in force.
  Result<void> refresh();
  Result<void> take_in(const std::optional<Document>& document);
  Result<void> check_nothing_lost(bool tombstone);
  Result<void> check_not_older(const Document& document, const SealRecord& record) const;
  Result<void> check_macs(const SealRecord& record);
  // Makes a checked or just written record the one in force.
  void adopt(const Document& document, const StoredRecord& record);
  void follow(const SealRecord& next);
  void remember_seen(const Document& document, const SealRecord* record);
  // Writes conditionally after the revision held, then adopts. A write in doubt is read back before anything is said.
  Result<void> commit(const StoredRecord& record);
  Result<std::uint64_t> write_and_settle(std::uint64_t expected, const Bytes& content);
  Result<void> store_hints(bool hold, bool all);
  RecordPhase record_phase() const { return record_ ? phase_of(*record_) : RecordPhase::none; }

  // chamber_kms.cc: opening.
  Result<void> open_kms();
  Result<void> open_chamber(MasterKeys keys);
  // Same chamber, no newer epoch, no other core of this epoch; then remembers this one.
  Result<void> remember_trace(const Core& core);

  // chamber_init.cc
  struct NewChamber;
  struct DealtOperators {
    Lock lock;
    Bytes content;  // the master keys, sealed under the lock
    MemberList list;
    std::vector<std::pair<std::string, SecretBytes>> tokens;
  };
  Result<void> check_init(const InitRequest& request) const;
  static Result<void> check_operators(const OperatorSetRequest& request);
  Result<NewChamber> build(const InitRequest& request);
  Result<DealtOperators> deal_operators(const ChamberId& chamber, const Secret<32>& pepper,
                                        const OperatorSetRequest& request, const SecretBytes& master_keys);
  Result<void> store_new(const NewChamber& made, RecordEvent event);
  Result<InitReply> finish_init(NewChamber made);

  // chamber_register.cc
  // 1-based; nothing when the operators lock of that set has no such member.
  std::optional<unsigned> member_index(const std::string& operator_name, OperatorSet set = OperatorSet::active) const;
  MemberName member_name(unsigned index, OperatorSet set = OperatorSet::active) const;
  // The set whose members register now.
  OperatorSet registering_set() const {
    return record_phase() == RecordPhase::rotating ? OperatorSet::staged : OperatorSet::active;
  }
  Result<void> allow_register() const;
  Result<SecretBytes> take_pending(OperatorSet set, unsigned index, const SecretBytes& token_text) const;
  Result<void> store_credential(OperatorSet set, unsigned index, const StoredCredential& credential);

  // chamber_unseal.cc
  // A credential that opened.
  struct Opened {
    unsigned index = 0;
    SecretBytes rtss;
    bool retired = false;  // the credential is of a lock that was replaced
    StoredCredential stored;
    crypto::Argon2Params params;
    Bytes device;
  };
  Result<Opened> prove(const std::string& operator_name, const PreparedSecret& secret, const std::string& source);
  // Any credential of an operator in force.
  Result<Opened> prove_any(const std::string& operator_name, const PreparedSecret& secret, const std::string& source);
  Result<std::optional<Opened>> try_credentials(unsigned index, const PreparedSecret& secret);
  Result<void> catch_up_work(unsigned spent, const PreparedSecret& secret);
  Result<UnsealReply> count_share(const Opened& opened, const PreparedSecret& secret);
  // Stored parameters below the configured ones are raised on use.
  Result<void> raise_credential(const Opened& opened, const PreparedSecret& secret);
  Result<void> store_raised(const std::vector<Raised>& raised);
  Result<UnsealReply> open_round(Result<Secret<32>> combined);
  void drop_expired_round();
  UnsealReply counters() const;

  // chamber_credentials.cc
  // A credential that was named and opened its share.
  struct Proven {
    OperatorSet set = OperatorSet::active;
    unsigned index = 0;
    StoredCredential stored;
    SecretBytes rtss;
  };
  Result<void> allow_credentials() const;
  // Nothing when the operator or the credential is not of this set, or the secret is another; the work is the same.
  Result<std::optional<Proven>> open_named(OperatorSet set, const std::string& operator_name,
                                           const std::string& credential_id, const PreparedSecret& secret) const;
  // In the set in force and in the staged one: one or both.
  Result<std::vector<Proven>> prove_named(const std::string& operator_name, const NamedCredential& existing,
                                          const std::string& source);
  // Changes the entries of the proven members in one write; tried again when another process wrote meanwhile, as long
  // as the credentials that were proven still stand.
  using EditEntry = std::function<Result<void>(std::size_t which, MemberEntry& entry)>;
  Result<void> edit_entries(const std::vector<Proven>& proven, const EditEntry& edit);

  // chamber_rotate.cc
  struct InForce {
    SealRecord record;
    KmsSecrets kms;
    std::optional<MasterKeys> master;           // when they change
    std::optional<OperatorsKey> operators_key;  // for the end of a change of the master key
  };
  Result<void> allow_rotation(RecordEvent event) const;
  unsigned approvals_required(const Core& core) const;
  static void authenticate(SealRecord& record, const Secret<32>& pepper, const MasterKeys& master);
  static Result<void> prove_record(const SealRecord& record, const KmsSecrets& kms, const MasterKeys& master);
  Result<StagedLock> build_kms_lock(const KmsSetRequest& request);
  Result<KmsSecrets> open_staged_kms(const StagedLock& staged);
  Result<void> stage(StagedLock staged, std::optional<MemberList> list);
  Result<RotationReply> stage_operators(const OperatorSetRequest& request);
  Result<InForce> in_force(SealRecord next);
  Result<void> put_in_force(SealRecord next);
  Result<void> settle_trace();
  Result<bool> finish_rotation();
  RotationReply waiting_reply() const;
  RotationReply kms_reply(const std::vector<std::string>& before) const;
  std::vector<std::string> safe_to_disable(const std::vector<std::string>& before) const;

  // chamber_master.cc
  // Seals the master keys as the innermost content and proves the record; with an operators lock under its key.
  Result<InForce> seal_master_keys(SealRecord next, MasterKeys keys, const OperatorsKey* operators_key);
  // The record with a new master key beside the old one.
  Result<InForce> master_in_force(SealRecord next);
  Result<void> drop_retiring();
  // A record under a master key that this process does not hold: one it drew itself and lost the reply of, or one that
  // another process put in force and the KMS lock gives.
  Result<void> learn_master(const SealRecord& record);
  // Keeps the lock's key while a master key is retiring.
  // What was drawn is in force.
  void take_drawn();
  void keep_operators_key(const Secret<32>& lock_key);
  std::optional<RotationStatus> resealing_status() const;

  // chamber_quorum.cc
  Result<void> need_operators() const;
  bool approved(const Core& core) const;
  // Returns the operators lock's key.
  Result<Secret<32>> prove_quorum(const ShareCollection& shares) const;
  Result<void> count_towards(std::optional<Quorum>& quorum, const crypto::Digest& purpose, const Opened& opened);

  // chamber_status.cc
  std::optional<RotationStatus> rotation_status() const;
  DrillStatus drill_status() const;  // under public_

  // Phases, secrets, and what other threads see.
  ProcessPhase process() const;
  const ProcessCell& fire(ProcessEvent event);
  void wipe_secrets();
  void publish();
  // Keeps the failure of an opening as the trouble to show, or clears it.
  Result<void> note(Result<void> outcome);
  void tell_listener(bool exists);
  void settle_setup_token(bool renew);
  Result<void> check_setup_token(const SecretBytes& given) const;

  Ports ports_;
  ChamberOptions options_;

  std::timed_mutex ceremony_;
  std::optional<SealRecord> record_;  // the record in force; empty with phase none and while `record_trouble_` is set
  std::uint64_t revision_ = 0;        // of the stored document, tombstones included
  std::optional<Error> record_trouble_;
  std::optional<Error> opening_trouble_;
  std::optional<bool> told_exists_;
  Seen seen_;
  std::optional<KmsSecrets> kms_;
  std::optional<MasterKeys> master_;
  std::optional<OperatorsKey> operators_key_;
  // Drawn, and perhaps stored: kept until it is known whether the write that put them in force happened.
  std::optional<MasterKeys> drawn_;
  std::optional<OperatorsKey> drawn_operators_key_;
  std::optional<Resealed> resealed_;  // by this process; `done` sums up
  std::optional<Round> round_;
  std::optional<Quorum> approvals_;
  std::optional<Quorum> rehearsal_;
  std::uint64_t traced_epoch_ = 0;  // the slashing store knows of it
  bool round_was_dropped_ = false;  // by a change of the epoch, until the next unseal was told
  Backoff backoff_;

  mutable std::mutex public_;
  ProcessPhase process_ = ProcessPhase::closed;
  Status status_;  // but for `state`, which is derived when asked
  // Shown as `set` while the record cannot be read: closed, and never called uninitialized.
  RecordPhase shown_phase_ = RecordPhase::set;
  std::map<std::string, std::vector<std::string>> credentials_;
  std::vector<std::string> former_operators_;
  std::vector<std::pair<std::string, std::optional<std::uint64_t>>> drilled_;  // operators in force
  std::optional<std::pair<LockId, KekStatus>> probed_;
  SecretBytes setup_token_;  // empty when void
  std::atomic<bool> may_sign_{false};
};

}  // namespace cc::seal
