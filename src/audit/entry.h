// One entry of the audit log and its one written form: a line of JSON with members in a fixed order, no blanks and no
// escapes (docs/spec/audit.md). The reader accepts only what the writer writes, so decode∘encode is the identity.
//
// An entry holds no secret, by type: see audit/words.h. Pure functions; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/words.h"
#include "base/bytes.h"
#include "base/chain.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cc::audit {

enum class Event {
#define EVENT(name) name,
#include "audit/events.inc"
#undef EVENT
};
std::string_view name(Event event);
std::optional<Event> event_named(std::string_view text);

// asked: about to be done, written before; broken_off: asked, and ended without an answer; noted: a fact, no request.
enum class Outcome { asked, done, refused, broken_off, noted };
std::string_view name(Outcome outcome);

using LogId = std::array<std::uint8_t, 16>;
using CheckpointPublicKey = std::array<std::uint8_t, 32>;
using CheckpointSignature = std::array<std::uint8_t, 64>;

// More keys, members or bytes than this are spread over several entries, or left out.
inline constexpr std::size_t kMaxKeys = 256;
inline constexpr std::size_t kMaxMembers = 256;
inline constexpr std::size_t kMaxLineBytes = 512UL * 1024;

// What happened, before the log gave it a number. Absent members are not written.
struct Draft {
  Event event = Event::request;
  Outcome outcome = Outcome::noted;
  Author by{};
  std::optional<Word> request;          // request id
  std::optional<Word> from;             // address of the caller
  std::optional<Word> route;            // pattern, never the caller's path
  std::optional<std::uint64_t> status;  // of the HTTP answer
  std::optional<ErrorKind> code;
  std::optional<Word> state;              // the visible state afterwards
  std::optional<std::uint64_t> epoch;     // of the seal record
  std::optional<std::uint64_t> revision;  // of the stored seal record
  std::optional<crypto::Digest> record;   // its SHA-256
  std::optional<Word> subject;            // credential id, rotation, mode, operation, version
  std::vector<Word> members;              // KEKs or operators
  std::optional<std::uint64_t> threshold;
  std::vector<BlsPublicKey> keys;
  std::optional<std::uint64_t> count, failed;
  std::optional<crypto::Digest> digest;
  std::optional<Remark> remark;

  friend bool operator==(const Draft&, const Draft&) = default;
};

// Ed25519 over checkpoint_message() (audit/checkpoint.h).
struct Signed {
  CheckpointPublicKey key{};
  CheckpointSignature signature{};
  friend bool operator==(const Signed&, const Signed&) = default;
};

struct Entry {
  std::uint64_t number = 0;  // from 1, without a gap
  std::uint64_t time = 0;    // Unix seconds; for people, proves nothing
  Draft what;
  std::optional<LogId> log;  // in the first entry alone
  std::optional<Signed> checkpoint;
  crypto::Digest head{};  // of the log up to and with this entry

  friend bool operator==(const Entry&, const Entry&) = default;
};

// The line without its end and without `,"head":…}`: what is hashed.
std::string body_of(const Entry& entry);
// The whole line, without the line feed.
std::string encode(const Entry& entry);
// The line that body_of() and the head make, without building the body again.
std::string join_line(std::string_view body, const crypto::Digest& head);
// Errors: audit_log_broken saying what is wrong with the line.
Result<Entry> decode(std::string_view line);
// The hashed part of a line that decode() accepts.
std::string_view hashed_part(std::string_view line);

}  // namespace cc::audit
