// The slashing protection store as a port, and the EIP-3076 rules over it.
//
// The rules (rules.h) are pure code over SlashingTransaction; a store gives durable transactions that are serialised
// per validator. Check and record run in one transaction, in order, each request seeing those before it in the batch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/chain.h"
#include "base/result.h"

namespace cc::guard {

// Watermarks only rise. A message below its validator's low watermark is refused; at the slot or target of the
// watermark only the recorded identical root passes. A vote's source may equal its watermark.
struct Watermarks {
  std::optional<Slot> block_slot;
  std::optional<Epoch> source_epoch;
  std::optional<Epoch> target_epoch;
  bool operator==(const Watermarks&) const = default;
};

struct SignedBlock {
  Slot slot;
  std::optional<Root> signing_root;  // absent in imported history without roots
};
struct SignedAttestation {
  Epoch source;
  Epoch target;
  std::optional<Root> signing_root;
};

// The recorded votes that a new one can collide with.
struct VotesNear {
  std::vector<SignedAttestation> at_target;      // all of them
  std::optional<SignedAttestation> surrounding;  // some vote with source < the new one's and target > the new one's
  std::optional<SignedAttestation> surrounded;   // some vote the other way round
};

// A key's permit: withdrawn first when the key is deactivated or deleted, given back only by an explicit import or
// activation.
enum class Permit { permitted, retired };

struct ValidatorRow {
  std::int64_t id = 0;
  Permit permit = Permit::permitted;
  std::uint64_t generation = 0;
  bool history_known = false;  // any record, any import, or generated here
  Watermarks low;
};

// Where history came from, for people to read: one note per import and per declaration. It never permits a signature.
enum class OriginKind {
  import,         // `slashing import`
  keymanager,     // slashing_protection of a keymanager import
  empty_history,  // somebody declared that these validators never signed before
};
struct Origin {
  OriginKind kind = OriginKind::import;
  std::string source;          // name of the file, or who declared it
  std::optional<Root> digest;  // SHA-256 of the interchange text
  std::uint64_t at = 0;        // Unix seconds
  std::uint64_t validators = 0, blocks = 0, attestations = 0;
};

// Primitive reads and writes inside one durable transaction.
class SlashingTransaction {
 public:
  virtual ~SlashingTransaction() = default;
  // The validator's row; created (permitted, no history) when absent and `create` is set.
  virtual Result<std::optional<ValidatorRow>> validator(const BlsPublicKey& key, bool create) = 0;
  virtual Result<void> update_validator(const ValidatorRow& row) = 0;
  virtual Result<std::vector<SignedBlock>> blocks_at(std::int64_t validator, Slot slot) = 0;
  virtual Result<std::vector<SignedAttestation>> attestations_at(std::int64_t validator, Epoch target) = 0;
  virtual Result<VotesNear> votes_near(std::int64_t validator, Epoch source, Epoch target) = 0;
  // A record that is there already is not added twice.
  virtual Result<void> add_block(std::int64_t validator, const SignedBlock& block) = 0;
  virtual Result<void> add_attestation(std::int64_t validator, const SignedAttestation& attestation) = 0;
  // Deletes the blocks with a slot below low.block_slot, and the votes with a target below low.target_epoch and a
  // source not above low.source_epoch; an absent mark deletes nothing. The caller has stored at least these watermarks
  // for the validator before, in this transaction or an earlier one. Returns the number of records deleted.
  virtual Result<std::uint64_t> forget_below(std::int64_t validator, const Watermarks& low) = 0;
  virtual Result<std::optional<Root>> genesis_validators_root() = 0;
  virtual Result<void> set_genesis_validators_root(const Root& root) = 0;
  // Watermarks of every validator, also of those the store has not seen yet (set by `slashing adopt`). Only rise. At
  // the slot or target of the floor nothing passes, whatever is recorded there.
  virtual Result<Watermarks> floor() = 0;
  virtual Result<void> raise_floor(const Watermarks& floor) = 0;
  // For export. Validators in order of public key, blocks in order of slot, votes in order of target, then source.
  virtual Result<std::vector<BlsPublicKey>> validators() = 0;
  virtual Result<std::vector<SignedBlock>> all_blocks(std::int64_t validator) = 0;
  virtual Result<std::vector<SignedAttestation>> all_attestations(std::int64_t validator) = 0;
  // Notes on where history came from; kept for good. The newest first, at most `limit`.
  virtual Result<void> add_origin(const Origin& origin) = 0;
  virtual Result<std::vector<Origin>> origins(std::size_t limit) = 0;
};

// Who the store is, so that a foreign, empty or older one is noticed (DESIGN section 4). Of a store
// that several signers share, run and commits are those of all of them, and the chamber is this signer's own.
struct StoreIdentity {
  std::array<std::uint8_t, 16> id{};
  std::uint64_t run = 0;                                // grows by one with every opening for signing
  std::uint64_t commits = 0;                            // grows by one with every committed transaction
  std::optional<std::array<std::uint8_t, 16>> chamber;  // the chamber it serves
  std::uint64_t highest_epoch = 0;                      // highest seal epoch seen
  Root core_digest{};                                   // digest of the seal record's core at that epoch
};

// What a transaction will be asked about, so that a store across a network can lock and read it in one go. A hint: what
// was not announced is looked up as it comes.
struct LookAhead {
  BlsPublicKey key{};
  std::optional<Slot> slot;             // a block
  std::optional<Epoch> source, target;  // a vote
};

class SlashingStore {
 public:
  using Work = std::function<Result<void>(SlashingTransaction&)>;
  virtual ~SlashingStore() = default;
  // Runs `work` in one durable transaction and returns after the flush. When `work` fails, nothing is kept.
  // Errors: those of `work`; store_unavailable (nothing kept); store_in_doubt (outcome unknown: release nothing; the
  // store reopens itself before the next transaction).
  virtual Result<void> transact(const Work& work) = 0;
  // The same, announced. A store may run it beside others on other validators.
  virtual Result<void> transact_ahead(std::span<const LookAhead> ahead, const Work& work);
  // Runs `work` and keeps nothing of it. Unlike a refused transaction it does not hold up others where that can be
  // avoided. Errors: as above, without store_in_doubt.
  virtual Result<void> look(const Work& work);
  virtual Result<StoreIdentity> identity() = 0;
  // Starts a run: called once per opening for signing, after the identity was found in order. Durable. Returns the new
  // one.
  virtual Result<StoreIdentity> begin_run() = 0;
  // Names the chamber it serves and its highest epoch; the epoch of one chamber never falls (record_older). Durable.
  virtual Result<void> name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                                    const Root& core_digest) = 0;
};

}  // namespace cc::guard
