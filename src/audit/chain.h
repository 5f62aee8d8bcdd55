// The hash chain (docs/spec/audit.md): each entry is hashed by itself, and the head of the log after it is a hash over
// the head before it and the entry's hash. So a list of entry hashes alone shows that one head grew out of another.
//
// Chain is used by one thread at a time; the functions are pure.
#pragma once

#include <string>

#include "audit/entry.h"

namespace cc::audit {

// The log's state: how many entries, and what they hash to. All zero for an empty log.
struct Head {
  std::uint64_t number = 0;
  crypto::Digest value{};
  friend bool operator==(const Head&, const Head&) = default;
};
// "12:…64 hexadecimal digits…". Errors: usage.
std::string text_of(const Head& head);
Result<Head> parse_head(std::string_view text);

// SHA-256("cc/audit/v1/entry\n" ‖ the line without its head)
crypto::Digest entry_hash(std::string_view hashed_part);
// SHA-256("cc/audit/v1/head\n" ‖ head before, 32 bytes ‖ entry hash, 32 bytes)
crypto::Digest next_head(const crypto::Digest& before, const crypto::Digest& entry);

class Chain {
 public:
  Chain(const LogId& log, const Head& head) : log_(log), head_(head) {}

  const LogId& log() const { return log_; }
  const Head& head() const { return head_; }
  // Gives the draft its number and its place. Returns the line, without the line feed.
  std::string append(Draft what, std::uint64_t time, const std::optional<Signed>& checkpoint = std::nullopt);

 private:
  LogId log_;
  Head head_;
};

}  // namespace cc::audit
