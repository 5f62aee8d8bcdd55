// A small log with everything in it, made from fixed values: the published vectors are this log.
#pragma once

#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/transcript.h"

namespace cc::audit::test {

inline constexpr std::uint64_t kTime = 1'700'000'000;

inline LogId log_id() {
  LogId out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(0xa0 + i);
  }
  return out;
}

inline Secret<32> master_key(std::uint8_t first = 0) {
  Secret<32> out;
  for (std::size_t i = 0; i < 32; ++i) {
    expose_secret_bytes(out)[i] = static_cast<std::uint8_t>(first + i);
  }
  return out;
}
inline CheckpointKey checkpoint_key(std::uint8_t first = 0) {
  const Bytes chamber{0xc0, 0xff, 0xee, 0, 0xc0, 0xff, 0xee, 1, 0xc0, 0xff, 0xee, 2, 0xc0, 0xff, 0xee, 3};
  return CheckpointKey::of(master_key(first), chamber);
}

inline Draft draft(Event event, Outcome outcome = Outcome::noted, Author by = {}) {
  Draft out;
  out.event = event;
  out.outcome = outcome;
  out.by = std::move(by);
  return out;
}

// Every member, in one entry that never happens.
inline Draft full_draft() {
  Draft out = draft(Event::rotate_unseal, Outcome::done, Author::policy("ops-team"));
  out.request = Word::of("0a1b2c3d-7");
  out.from = Word::of("192.0.2.7");
  out.route = Word::of("/api/v1/chamber/rotate/unseal");
  out.status = 409;
  out.code = ErrorKind::wrong_state;
  out.state = Word::of("awaiting_rotation");
  out.epoch = 3;
  out.revision = 17;
  out.record = crypto::sha256(bytes_of("a seal record"));
  out.subject = Word::of("dry_run");
  out.members = {*Word::of("alice"),
                 *Word::of("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")};
  out.threshold = 2;
  BlsPublicKey key{};
  key.fill(0xb1);
  out.keys = {key, key};
  out.count = 2;
  out.failed = 1;
  out.digest = crypto::sha256(bytes_of("a file"));
  out.remark = Remark::of("end of day, as agreed");
  return out;
}

class LogOf {
 public:
  void add(Draft what) { lines.push_back(chain.append(std::move(what), time++)); }
  void sign(const CheckpointKey& key) {
    const Signed made = key.sign(log_id(), chain.head(), time);
    lines.push_back(chain.append(draft(Event::checkpoint), time++, made));
  }
  std::string text() const {
    std::string out;
    for (const std::string& line : lines) {
      out += line + "\n";
    }
    return out;
  }
  std::vector<std::string> lines;
  Chain chain{log_id(), Head{}};
  std::uint64_t time = kTime;
};

// Twelve entries, the published log.
inline LogOf published_log() {
  LogOf out;
  out.add(draft(Event::log_started));
  Draft started = draft(Event::started);
  started.subject = Word::of("0.1.0");
  out.add(started);
  out.add(draft(Event::init, Outcome::asked, Author::anyone()));
  out.add(draft(Event::opened));
  out.sign(checkpoint_key());
  out.add(draft(Event::init, Outcome::done, Author::setup_token()));
  Draft wrong = draft(Event::unseal, Outcome::refused, Author::of_operator("bob"));
  wrong.status = 403;
  wrong.code = ErrorKind::wrong_passphrase;
  out.add(wrong);
  out.add(full_draft());
  Draft slashable = draft(Event::sign, Outcome::refused, Author::policy("signing-client"));
  slashable.status = 412;
  slashable.code = ErrorKind::slashable;
  out.add(slashable);
  out.add(draft(Event::closed));
  out.sign(checkpoint_key());
  out.add(draft(Event::stopped));
  return out;
}

inline Verifier verified(const std::string& text, Expectations expected = {}) {
  Verifier out(std::move(expected));
  std::size_t at = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    out.line(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  out.finish(text.size() - at);
  return out;
}

// "altered 3, missing 5"
inline std::string faults_of(const Verifier& verifier) {
  std::string out;
  for (const Fault& fault : verifier.faults()) {
    out += (out.empty() ? "" : ", ") + std::string(name(fault.kind)) + " " + std::to_string(fault.number);
  }
  return out;
}

}  // namespace cc::audit::test
