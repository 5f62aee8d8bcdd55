// A piece of the log for an outsider: whole entries, the hashes of those behind them up to a checkpoint, and that
// checkpoint. Who holds the checkpoint's public key needs nothing else to know that these entries stood in the log, in
// this order and without a gap between them (docs/spec/audit.md).
//
// Pure.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "audit/verify.h"

namespace cc::audit {

struct Transcript {
  LogId log{};
  Head before;                         // of the log before the first entry
  std::vector<std::string> entries;    // lines
  std::vector<crypto::Digest> hashes;  // of the entries between the last one and the checkpoint
  std::string checkpoint;              // a line
};

// Takes entries `from` to `to` (0: to the last one that a checkpoint covers) out of lines that were verified.
class TranscriptBuilder {
 public:
  TranscriptBuilder(std::uint64_t from, std::uint64_t to) : from_(from), to_(to) {}
  void line(std::string_view text);
  // Errors: not_found when there are no such entries, wrong_state when no checkpoint covers the last of them yet.
  Result<Transcript> finish();

 private:
  std::uint64_t from_, to_;
  Transcript out_;
  std::vector<std::string> behind_;  // with to = 0: entries that no checkpoint covers yet
  bool covered_ = false;
};

// What an outsider does. Returns the entries. Errors: audit_log_broken saying what does not hold.
Result<std::vector<Entry>> check(const Transcript& transcript, const std::set<CheckpointPublicKey>& keys);

}  // namespace cc::audit
