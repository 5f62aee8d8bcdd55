#include "audit/verify.h"

#include <algorithm>

#include "audit/checkpoint.h"

namespace cc::audit {
namespace {

std::string entries(std::uint64_t first, std::uint64_t last) {
  return first == last ? "entry " + std::to_string(first)
                       : "entries " + std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::unreadable:
      return "unreadable";
    case FaultKind::altered:
      return "altered";
    case FaultKind::missing:
      return "missing";
    case FaultKind::reordered:
      return "reordered";
    case FaultKind::torn:
      return "torn";
    case FaultKind::cut:
      return "cut";
    case FaultKind::rewritten:
      return "rewritten";
    case FaultKind::forged:
      return "forged";
    case FaultKind::not_signed:
      return "not_signed";
  }
  return "?";
}

void Verifier::fault(FaultKind kind, std::uint64_t number, std::string detail) {
  constexpr std::size_t kMost = 10'000;  // whoever fills a file with rubbish does not fill the memory too
  if (faults_.size() < kMost) {
    faults_.push_back({kind, number, std::move(detail)});
  }
}

void Verifier::line(std::string_view text) {
  ++lines_;
  entry_.reset();
  Result<Entry> entry = decode(text);
  if (!entry) {
    // It stands for the entry that belongs here; its head is not known, so neither is the next one's base.
    fault(FaultKind::unreadable, head_.number + 1,
          "line " + std::to_string(lines_) + " is no entry: " + entry.error().message);
    ++head_.number;
    base_known_ = false;
    return;
  }
  place(*entry, text);
}

void Verifier::place(const Entry& entry, std::string_view text) {
  if (entry.number <= head_.number) {
    const bool was_missing = std::ranges::any_of(
        gaps_, [&](const auto& gap) { return gap.first <= entry.number && entry.number <= gap.second; });
    fault(FaultKind::reordered, entry.number,
          "entry " + std::to_string(entry.number) + " stands behind entry " + std::to_string(head_.number) +
              (was_missing ? ", not in its own place" : "; that number was there before"));
    return;
  }
  if (entry.number > head_.number + 1) {
    gaps_.emplace(head_.number + 1, entry.number - 1);
    base_known_ = false;
  }
  const Head before = head_;
  const Head after{entry.number, entry.head};
  const bool follows = next_head(before.value, entry_hash(hashed_part(text))) == entry.head;
  if (base_known_ && !follows) {
    fault(FaultKind::altered, entry.number,
          "entry " + std::to_string(entry.number) + " does not follow from what stands before it: it" +
              (entry.number > 1 ? " or entry " + std::to_string(entry.number - 1) : std::string()) + " was altered");
  }
  if (entry.log) {
    log_ = entry.log;
  }
  if (entry.checkpoint && base_known_) {
    check_checkpoint(entry, before);
  }
  head_ = after;
  base_known_ = true;
  entry_ = entry;
  check_known(after);
  check_signing(entry);
}

// A signer signs when its chamber opens, at least every 64 entries from then on, and when it closes: whoever takes the
// checkpoints out to write the rest anew leaves a span without them.
void Verifier::check_signing(const Entry& entry) {
  constexpr std::uint64_t kMostUnsigned = 128;  // twice as many: some come between what is told and its signature
  if (expected_.keys.empty()) {
    return;
  }
  if (entry.checkpoint) {
    signed_since_opened_ = true;
    if (unsigned_) {
      unsigned_ = 0;
    }
  } else if (entry.what.event == Event::opened) {
    unsigned_ = 0;
    signed_since_opened_ = false;
  } else if (entry.what.event == Event::closed || entry.what.event == Event::started) {
    if (unsigned_ && !signed_since_opened_ && entry.what.event == Event::closed) {
      fault(FaultKind::not_signed, entry.number,
            "the chamber was open before entry " + std::to_string(entry.number) +
                ", and the log holds no checkpoint of that time: it was written anew, or cut and written on");
    }
    unsigned_.reset();
  } else if (unsigned_ && ++*unsigned_ == kMostUnsigned) {
    fault(FaultKind::not_signed, entry.number,
          std::to_string(kMostUnsigned) + " entries up to " + std::to_string(entry.number) +
              " without a checkpoint, though the chamber was open");
  }
}

void Verifier::check_checkpoint(const Entry& entry, const Head& before) {
  ++checkpoints_;
  keys_.insert(entry.checkpoint->key);
  const std::string which = "checkpoint " + std::to_string(entry.number);
  if (!log_ || !holds(*entry.checkpoint, *log_, before, entry.time)) {
    fault(FaultKind::forged, entry.number, which + ": the signature does not hold for the entries before it");
  } else if (!expected_.keys.empty() && !expected_.keys.contains(entry.checkpoint->key)) {
    fault(FaultKind::forged, entry.number,
          which + " is signed by another key, " + to_hex(entry.checkpoint->key) +
              "; after a change of the master key name both keys");
  } else {
    signed_up_to_ = before.number;
  }
}

void Verifier::check_known(const Head& now) {
  for (const Head& known : expected_.heads) {
    if (known.number == now.number && known.value != now.value) {
      fault(FaultKind::rewritten, now.number,
            "entry " + std::to_string(now.number) +
                " is there, but its head is not the remembered one: the log was "
                "rewritten at or before it");
    }
  }
}

void Verifier::settle_missing() {
  for (const auto& [first, last] : gaps_) {
    fault(FaultKind::missing, first, entries(first, last) + (first == last ? " is" : " are") + " not there");
  }
  gaps_.clear();
}

void Verifier::finish(std::uint64_t torn) {
  if (torn != 0) {
    fault(FaultKind::torn, head_.number + 1,
          "behind entry " + std::to_string(head_.number) + " stand " + std::to_string(torn) +
              " bytes of a line without an end: a write that a crash broke off (the signer settles it at its next "
              "start), or a cut");
  }
  settle_missing();
  if (!expected_.keys.empty() && signed_up_to_ == 0) {
    fault(FaultKind::not_signed, head_.number,
          "no checkpoint of the key that was named is in this log: it proves nothing of it");
  }
  for (const Head& known : expected_.heads) {
    if (known.number > head_.number) {
      fault(FaultKind::cut, head_.number + 1,
            "the log ends with entry " + std::to_string(head_.number) + ", but entry " + std::to_string(known.number) +
                " is known to exist: " + entries(head_.number + 1, known.number) + " cut off");
    }
  }
}

}  // namespace cc::audit
