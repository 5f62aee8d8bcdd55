// Where everything that has to be told is told; and the file behind it, as a port.
//
// Threads: a Journal is called from any thread. Callbacks come on its own thread, or at once on the caller's.
#pragma once

#include <functional>
#include <memory>

#include "audit/chain.h"

namespace cc::audit {

class Journal {
 public:
  virtual ~Journal() = default;
  // Keeps the entry and calls `then` once it is durable or could not be made so. A failed entry is kept in memory and
  // tried again. Never blocks.
  virtual void keep(Draft what, std::function<void(Result<void>)> then) = 0;
  // The same for a refusal, of which a flood is summed up: what is left out is counted, and the count is told.
  virtual void keep_refusal(Draft what, std::function<void(Result<void>)> then) = 0;
  // Blocks until the entry is durable. Of callers who have `proven` nothing (a name in a request is no proof) a flood
  // is summed up like refusals. Errors: store_unavailable saying what to do; whoever asks first then does not begin.
  virtual Result<void> ask(Draft what, bool proven) = 0;

  struct Facts {
    LogId log{};
    Head durable;
    std::optional<CheckpointPublicKey> key;             // while the chamber is open
    std::optional<Error> trouble;                       // why entries cannot be kept
    std::uint64_t waiting = 0;                          // bytes not yet on disk
    std::uint64_t entries = 0, left_out = 0, lost = 0;  // since the start
  };
  virtual Facts facts() const = 0;
  // Hashes of the entries from.number + 1 …, at most `limit`. Blocks on the file. Errors: not_found when the log has no
  // such entry, record_conflict when its head there is another.
  virtual Result<std::vector<crypto::Digest>> hashes_after(const Head& from, std::size_t limit) const = 0;
};

// The file of the log. Used by one thread at a time, but for read().
class LogFile {
 public:
  virtual ~LogFile() = default;
  // Writes whole lines and flushes them. After a failure the file ends where it did before, or the next call sees to
  // that first. Errors: store_unavailable.
  virtual Result<void> append(std::string_view lines) = 0;
  // Makes sure that a few entries more will fit even when the disk fills up. Errors: store_unavailable.
  virtual Result<void> reserve() = 0;
  // Calls back with every whole line, from the first, until it says no. Returns how many bytes stand behind the last
  // line feed. Any thread. Errors: store_unavailable.
  virtual Result<std::uint64_t> read(const std::function<bool(std::string_view)>& line) const = 0;
};

}  // namespace cc::audit
