// Reads a log line by line and names everything that is wrong with it: entries altered, missing, out of order, behind
// each other that do not belong together, a tail that was cut, checkpoints that are forged.
//
// One object, one thread, one log.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "audit/chain.h"

namespace cc::audit {

enum class FaultKind {
  unreadable,  // not an entry
  altered,     // its head does not follow from the entry before it and its content
  missing,     // one or more entries are not there
  reordered,   // stands where it does not belong, or twice
  torn,        // the last line has no end: a crash, or cut with a knife
  cut,         // the log ends before an entry that is known to exist
  rewritten,   // an entry is there, but it is not the one that is known
  forged,      // a checkpoint whose signature does not hold, or of another key
  not_signed,  // with a key named: checkpoints that the signer would have written are not there
};
std::string_view name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::unreadable;
  std::uint64_t number = 0;  // of the entry meant
  std::string detail;        // a sentence for people
};

struct Expectations {
  std::vector<Head> heads;             // remembered by somebody
  std::set<CheckpointPublicKey> keys;  // empty: any key that signs for itself
};

class Verifier {
 public:
  explicit Verifier(Expectations expected = {}) : expected_(std::move(expected)) {}

  // The next line, without its line feed.
  void line(std::string_view text);
  // The log ended with `torn` bytes that no line feed ended. Call once, at the end.
  void finish(std::uint64_t torn = 0);

  const std::vector<Fault>& faults() const { return faults_; }
  // The last entry that stood where it belongs.
  const Head& head() const { return head_; }
  const std::optional<LogId>& log() const { return log_; }
  // The last line, when it was a good entry.
  const std::optional<Entry>& entry() const { return entry_; }
  // The checkpoint that covers most, and how many there are; their keys.
  std::uint64_t signed_up_to() const { return signed_up_to_; }
  std::uint64_t checkpoints() const { return checkpoints_; }
  // Entries behind it, which nobody signed.
  std::uint64_t unsigned_tail() const { return head_.number - std::min(head_.number, signed_up_to_); }
  const std::set<CheckpointPublicKey>& keys() const { return keys_; }

 private:
  void place(const Entry& entry, std::string_view text);
  void check_known(const Head& now);
  void check_signing(const Entry& entry);
  void check_checkpoint(const Entry& entry, const Head& before);
  void fault(FaultKind kind, std::uint64_t number, std::string detail);
  void settle_missing();

  Expectations expected_;
  std::vector<Fault> faults_;
  Head head_;
  bool base_known_ = true;  // head_ is the head before the next entry
  std::optional<LogId> log_;
  std::optional<Entry> entry_;
  std::uint64_t lines_ = 0;
  std::map<std::uint64_t, std::uint64_t> gaps_;  // first missing → last missing
  std::uint64_t signed_up_to_ = 0, checkpoints_ = 0;
  std::set<CheckpointPublicKey> keys_;
  std::optional<std::uint64_t> unsigned_;  // entries since the last checkpoint, while the chamber is open
  bool signed_since_opened_ = false;
};

}  // namespace cc::audit
