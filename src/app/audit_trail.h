// The audit log of a signer: opened and looked through before anything else may happen, and joined to the chamber.
//
// The signer state remembers the head of the log every few seconds and at the stop. At the next start the log must hold
// that head: an entry edited, removed or cut since is found, and then no ceremony begins until a person has looked
// (docs/reference/audit.md). Of several signers on one state each has its own log and its own head, by its signer id.
// What a crash left of a last line is taken away, and an entry says so.
//
// Threads: any, after open().
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "adapters/files/audit_file.h"
#include "app/config.h"
#include "audit/trail.h"
#include "base/random.h"
#include "seal/chamber.h"
#include "seal/ports.h"

namespace cc::app {

// Where the log of a data directory lies.
std::string audit_path(const std::string& data_dir);
// The head of the log that the signer state remembers; nothing when it remembers none. Changes nothing and takes no
// lock: the signer may run. Errors: not_found when there is no state; store_unavailable when it cannot be read.
Result<std::optional<audit::Head>> head_in_state(const Config& config);
// SHA-256 over names, scopes, keys and operations of the access policies, not over their tokens.
crypto::Digest policies_digest(const Config& config);

class AuditTrail {
 public:
  // Finds, checks and continues the log, and tells that the signer starts. `state` outlives it. Errors:
  // store_unavailable when the file cannot be opened or the first entry cannot be kept. A log that does not hold is no
  // error here: facts().trouble says so, and ask() refuses.
  static Result<std::unique_ptr<AuditTrail>> open(const Config& config, seal::StateStore& state, const Clock& clock,
                                                  Random& random);
  // The same for a command on the stores of a stopped signer: nothing is told of a start. Errors: also
  // store_unavailable when the log does not hold.
  static Result<std::unique_ptr<AuditTrail>> open_offline(const Config& config, seal::StateStore& state,
                                                          const Clock& clock, Random& random);

  // Gives a log up that no longer holds, once its file is out of the way, and begins a new one whose first entry names
  // the head that was given up. `abandoned` must be the head remembered. Errors: usage saying what to do.
  static Result<void> begin_anew(const Config& config, seal::StateStore& state, const audit::Head& abandoned,
                                 const Clock& clock, Random& random);

  audit::Trail& journal() { return *trail_; }
  // State, epoch and seal record as they are now.
  void describe(const seal::Chamber& chamber, audit::Draft& what) const;
  // Tells a visible state or a trouble that no request brought about. Call every few seconds.
  void observe(const seal::Chamber& chamber);
  // Lets the signer state remember the head. Errors: those of the store.
  Result<void> remember();
  // The signer stops: the last entry, flushed and remembered.
  void stop();

 private:
  AuditTrail(seal::StateStore& state, std::string head_document, std::unique_ptr<files::AuditFile> file)
      : state_(state), head_document_(std::move(head_document)), file_(std::move(file)) {}
  static Result<std::unique_ptr<AuditTrail>> find(const Config& config, seal::StateStore& state, const Clock& clock,
                                                  Random& random,
                                                  const std::optional<audit::Head>& abandoned = std::nullopt);

  seal::StateStore& state_;
  const std::string head_document_;  // of the state
  std::unique_ptr<files::AuditFile> file_;
  std::unique_ptr<audit::Trail> trail_;
  std::optional<crypto::Digest> last_policies_;  // as the log found tells
  std::mutex mutex_;
  audit::Head remembered_;
  std::string told_state_, told_trouble_;
};

// Around the listener that loads the keys: tells the log that the chamber opens and closes, and gives it the key that
// signs checkpoints for as long.
class AuditedListener final : public seal::ChamberListener {
 public:
  // Both outlive it.
  AuditedListener(seal::ChamberListener& inner, audit::Trail& trail) : inner_(inner), trail_(trail) {}
  Result<std::uint64_t> opened(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                               const StillWanted& still_wanted) override;
  Result<seal::Resealed> reseal(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                std::size_t most) override;
  void closing() override;
  void record_exists(bool exists) override { inner_.record_exists(exists); }

 private:
  seal::ChamberListener& inner_;
  audit::Trail& trail_;
  std::mutex mutex_;
  std::optional<std::pair<seal::MasterKeyId, std::size_t>> last_;  // the master key in force, and how many there were
  bool open_ = false;
};

}  // namespace cc::app
