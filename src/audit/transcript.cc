#include "audit/transcript.h"

#include "audit/checkpoint.h"

namespace cc::audit {
namespace {

tl::unexpected<Error> broken(const std::string& what) {
  return fail(ErrorKind::audit_log_broken, "the transcript does not hold: " + what);
}

}  // namespace

void TranscriptBuilder::line(std::string_view text) {
  const Result<Entry> entry = decode(text);
  if (!entry || (covered_ && to_ != 0)) {
    return;
  }
  if (entry->log) {
    out_.log = *entry->log;
  }
  if (entry->number + 1 == from_) {
    out_.before = {entry->number, entry->head};
  }
  const bool signs_all = entry->checkpoint && !out_.entries.empty() && (to_ == 0 || entry->number > to_);
  const bool signs_waiting = entry->checkpoint && to_ == 0 && !behind_.empty();
  if (signs_all || signs_waiting) {
    out_.entries.insert(out_.entries.end(), behind_.begin(), behind_.end());
    behind_.clear();
    out_.checkpoint = text;
    covered_ = true;
  }
  if (to_ == 0 && entry->number >= from_) {
    behind_.emplace_back(text);
  } else if (entry->number >= from_ && entry->number <= to_) {
    out_.entries.emplace_back(text);
  } else if (to_ != 0 && entry->number > to_ && !covered_) {
    out_.hashes.push_back(entry_hash(hashed_part(text)));
  }
}

Result<Transcript> TranscriptBuilder::finish() {
  const bool whole = to_ == 0 || (to_ >= from_ && out_.entries.size() == to_ - from_ + 1);
  if (from_ == 0 || !whole || (out_.entries.empty() && behind_.empty())) {
    return fail(ErrorKind::not_found, "the log does not have all of these entries");
  }
  if (!covered_) {
    return fail(ErrorKind::wrong_state,
                "no checkpoint covers these entries yet; one is made when the chamber opens, when it is sealed and "
                "every 64 entries");
  }
  return std::move(out_);
}

Result<std::vector<Entry>> check(const Transcript& transcript, const std::set<CheckpointPublicKey>& keys) {
  std::vector<Entry> out;
  Head at = transcript.before;
  if (transcript.entries.empty() || (at.number == 0 && at.value != crypto::Digest{})) {
    return broken("it has no entries, or a wrong start");
  }
  for (const std::string& line : transcript.entries) {
    Result<Entry> entry = decode(line);
    const std::uint64_t number = at.number + 1;
    if (!entry || entry->number != number || (entry->log && *entry->log != transcript.log)) {
      return broken("entry " + std::to_string(number) + " is not there, or is none");
    }
    at = {number, next_head(at.value, entry_hash(hashed_part(line)))};
    if (at.value != entry->head) {
      return broken("entry " + std::to_string(number) + " does not follow from what stands before it");
    }
    out.push_back(*std::move(entry));
  }
  for (const crypto::Digest& hash : transcript.hashes) {
    at = {at.number + 1, next_head(at.value, hash)};
  }
  const Result<Entry> checkpoint = decode(transcript.checkpoint);
  if (!checkpoint || !checkpoint->checkpoint || checkpoint->number != at.number + 1) {
    return broken("the checkpoint is none, or another's");
  }
  if (!keys.contains(checkpoint->checkpoint->key)) {
    return broken("the checkpoint is signed by " + to_hex(checkpoint->checkpoint->key) + ", a key that was not named");
  }
  if (!holds(*checkpoint->checkpoint, transcript.log, at, checkpoint->time)) {
    return broken("the checkpoint's signature is not over these entries");
  }
  return out;
}

}  // namespace cc::audit
