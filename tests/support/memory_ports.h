// The chamber's ports in memory, with faults: a state store, KEKs, a clock, randomness from a seed, a listener, traces.
//
// Every store write and every KEK call is one step of a shared StepCounter, with `all_calls` also every read and every
// opening of the listener; a fault is planted at a step number, so that a test can walk through all of them. A crash is
// an exception that is no std::exception: it leaves the chamber at once, as a killed process would.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "seal/kek_name.h"
#include "seal/ports.h"

namespace cc::test {

struct Crash {};

enum class StepFault {
  fails,         // refused, nothing happened
  lost_reply,    // a write happened, its outcome is unknown to the caller; a KEK call fails as unreachable
  lost_write,    // a write did not happen, its outcome is unknown to the caller; a KEK call is denied
  crash_before,  // the process dies before the step takes effect
  crash_after,   // the process dies after it
  throttled,     // refused for now
  denied,        // refused for lack of rights
  corrupted,     // what comes back is not what was asked for; of a store's reads and of KEKs
  stale,         // a read gives the revision before
  conflict,      // a write meets another one
};
inline constexpr std::array kAllFaults{
    StepFault::fails,     StepFault::lost_reply, StepFault::lost_write, StepFault::crash_before, StepFault::crash_after,
    StepFault::throttled, StepFault::denied,     StepFault::corrupted,  StepFault::stale,        StepFault::conflict};
inline constexpr std::array kFaultNames{"fails",     "lost_reply", "lost_write", "crash_before", "crash_after",
                                        "throttled", "denied",     "corrupted",  "stale",        "conflict"};

struct StepCounter {
  std::uint64_t taken = 0;
  std::optional<std::uint64_t> fault_at;  // counted from 0
  StepFault fault = StepFault::fails;
  bool all_calls = false;  // also reads of the store and calls of the listener are steps
  bool applied = false;    // the fault meant something at the step it was planted at

  std::optional<StepFault> next() {
    const bool here = fault_at == taken++;
    applied = applied || here;
    return here ? std::optional(fault) : std::nullopt;
  }
  std::optional<StepFault> next_of_all() { return all_calls ? next() : std::nullopt; }
  void means_nothing_here() { applied = false; }
  void plant(std::uint64_t at, StepFault what) {
    taken = 0;
    fault_at = at;
    fault = what;
    applied = false;
  }
  void clear() {
    taken = 0;
    fault_at.reset();
  }
};

class FakeClock final : public Clock {
 public:
  Milliseconds monotonic() const override { return now; }
  std::uint64_t unix_seconds() const override { return unix; }
  Milliseconds now{1000};
  std::uint64_t unix = 1'700'000'000;
};

// SHA-256(seed ‖ counter), block after block.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::string seed) : seed_(std::move(seed)) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) {
      if (used_ == block_.size()) {
        Bytes counter;
        append_u64_be(counter, counter_++);
        block_ = crypto::sha256({bytes_of(seed_), counter});
        used_ = 0;
      }
      byte = block_[used_++];
    }
  }

 private:
  std::string seed_;
  std::uint64_t counter_ = 0;
  crypto::Digest block_{};
  std::size_t used_ = 32;
};

class MemoryStateStore final : public seal::StateStore {
 public:
  explicit MemoryStateStore(StepCounter& steps) : steps_(steps) {}
  Result<std::optional<seal::Document>> read(const std::string& name) override {
    if (unreadable) {
      return fail(ErrorKind::store_unavailable, "the disk is gone");
    }
    const auto fault = steps_.next_of_all();
    const auto found = documents.find(name);
    std::optional<seal::Document> document = found == documents.end() ? std::nullopt : std::optional(found->second);
    if (fault == StepFault::crash_before || fault == StepFault::crash_after) {
      throw Crash{};
    }
    if (fault == StepFault::corrupted && document) {
      document->content[document->content.size() / 2] ^= 1;
    } else if (fault == StepFault::stale && earlier.contains(name)) {
      document = earlier.at(name);
    } else if (fault == StepFault::corrupted || fault == StepFault::stale || fault == StepFault::conflict) {
      steps_.means_nothing_here();
    } else if (fault) {
      return fail(ErrorKind::store_unavailable, "the store does not answer");
    }
    return document;
  }
  Result<std::uint64_t> write(const std::string& name, std::uint64_t expected, ByteView content) override {
    if (before_write) {
      std::exchange(before_write, nullptr)();
    }
    const auto fault = steps_.next();
    if (fault == StepFault::crash_before) {
      throw Crash{};
    }
    if (fault == StepFault::fails || fault == StepFault::throttled || fault == StepFault::denied) {
      return fail(ErrorKind::store_unavailable, "the disk is full");
    }
    if (fault == StepFault::conflict) {
      return fail(ErrorKind::record_conflict, "another revision");
    }
    const bool harmless = fault == StepFault::corrupted || fault == StepFault::stale;
    if (harmless) {
      steps_.means_nothing_here();
    }
    const auto found = documents.find(name);
    if ((found == documents.end() ? 0 : found->second.revision) != expected) {
      return fail(ErrorKind::record_conflict, "another revision");
    }
    if (fault != StepFault::lost_write) {
      if (found != documents.end()) {
        earlier[name] = found->second;
      }
      documents[name] = {expected + 1, Bytes(content.begin(), content.end())};
    }
    if (after_write) {
      std::exchange(after_write, nullptr)();
    }
    if (fault == StepFault::crash_after) {
      throw Crash{};
    }
    if (fault && !harmless) {
      return fail(ErrorKind::store_in_doubt, "the reply was lost");
    }
    return expected + 1;
  }

  seal::Document& record() { return documents.at(seal::kSealRecordDocument); }

  std::map<std::string, seal::Document> documents;
  std::map<std::string, seal::Document> earlier;  // one revision before
  bool unreadable = false;
  std::function<void()> before_write;  // runs once, before the next write: another replica
  std::function<void()> after_write;   // runs once, after the next write

 private:
  StepCounter& steps_;
};

// KEKs that are AES-256-GCM keys in memory; made by prepare(), kept over restarts of the chamber.
class FakeKekService final : public seal::KekService {
 public:
  explicit FakeKekService(StepCounter& steps) : steps_(steps) {}
  Result<std::string> canonical_name(const std::string& name) const override {
    CC_ASSIGN(seal::KekName parsed, seal::parse_kek_name(name));
    return std::move(parsed.canonical);
  }
  Result<void> prepare(const std::string& name) override {
    CC_TRY(step(name, true));
    known.insert(name);
    return after();
  }
  Result<Bytes> wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) override {
    CC_TRY(step(name, false));
    contexts.push_back(context);
    Bytes out = crypto::seal_box(key(name), encode(context), expose_secret_bytes(share), random_);
    CC_TRY(after());
    if (fault_ == StepFault::corrupted) {
      out.back() ^= 1;
    }
    return out;
  }
  Result<SecretBytes> unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) override {
    ++unwraps;
    CC_TRY(step(name, false));
    if (during_unwrap) {
      std::exchange(during_unwrap, nullptr)();
    }
    auto share = crypto::open_box(key(name), encode(context), wrapped);
    CC_TRY(after());
    if (fault_ == StepFault::corrupted) {
      return fail(ErrorKind::kms_mismatch, "not wrapped by this KEK");
    }
    return share ? std::move(share) : fail(ErrorKind::kms_mismatch, "not wrapped by this KEK");
  }

  std::set<std::string> known;
  std::map<std::string, ErrorKind> broken;  // KEKs that fail every call
  std::vector<seal::KekContext> contexts;
  unsigned unwraps = 0;
  std::function<void()> during_unwrap;  // runs once

 private:
  Secret<32> key(const std::string& name) const { return crypto::hkdf_sha256(bytes_of(name), bytes_of("fake"), {}); }
  static Bytes encode(const seal::KekContext& context) {
    Bytes out;
    for (const auto& [name, value] : context) {
      append(out, bytes_of(name));
      append(out, bytes_of("="));
      append(out, bytes_of(value));
      append(out, bytes_of(";"));
    }
    return out;
  }
  Result<void> step(const std::string& name, bool creates) {
    fault_ = steps_.next();
    if (fault_ == StepFault::crash_before) {
      throw Crash{};
    }
    if (fault_ == StepFault::stale || fault_ == StepFault::conflict || (fault_ == StepFault::corrupted && creates)) {
      steps_.means_nothing_here();
    }
    if (fault_ == StepFault::fails || fault_ == StepFault::lost_reply || fault_ == StepFault::throttled) {
      return fail(ErrorKind::kms_unreachable, "no route");
    }
    if (fault_ == StepFault::lost_write || fault_ == StepFault::denied) {
      return fail(ErrorKind::kms_denied, "not allowed");
    }
    if (const auto found = broken.find(name); found != broken.end()) {
      return fail(found->second, "planted");
    }
    return creates || known.contains(name) ? Result<void>() : Result<void>(fail(ErrorKind::kms_missing, "no such key"));
  }
  Result<void> after() {
    if (fault_ == StepFault::crash_after) {
      throw Crash{};
    }
    return {};
  }
  StepCounter& steps_;
  std::optional<StepFault> fault_;
  SeededRandom random_{"fake kek nonces"};
};

class MemoryTraces final : public seal::TraceKeeper {
 public:
  explicit MemoryTraces(StepCounter& steps) : steps_(steps) {}
  Result<seal::Traces> traces() override { return kept; }
  Result<void> remember(const seal::ChamberId& chamber, std::uint64_t epoch,
                        const std::array<std::uint8_t, 32>& core_digest) override {
    const auto fault = steps_.next();
    if (fault == StepFault::crash_before) {
      throw Crash{};
    }
    if (fault && fault != StepFault::lost_reply && fault != StepFault::crash_after) {
      return fail(ErrorKind::store_unavailable, "the slashing store is gone");
    }
    if (epoch >= kept.highest_epoch) {
      kept.named_chamber = chamber;
      kept.highest_epoch = epoch;
      kept.core_digest = core_digest;
    }
    if (fault == StepFault::crash_after) {
      throw Crash{};
    }
    return fault ? Result<void>(fail(ErrorKind::store_in_doubt, "the reply was lost")) : Result<void>();
  }
  seal::Traces kept;

 private:
  StepCounter& steps_;
};

// Keeps what it was told, the master keys included: tests forge records with them.
class RecordingListener final : public seal::ChamberListener {
 public:
  // With a counter, opening is a step of it.
  explicit RecordingListener(StepCounter* steps = nullptr) : steps_(steps) {}
  Result<std::uint64_t> opened(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                               const StillWanted& still_wanted) override {
    ++openings;
    const auto fault = steps_ == nullptr ? std::nullopt : steps_->next_of_all();
    if (fault == StepFault::crash_before) {
      throw Crash{};
    }
    if (fault && fault != StepFault::crash_after) {
      return fail(ErrorKind::store_unavailable, "the key store does not answer");
    }
    if (refuse) {
      return fail(*refuse);
    }
    last_chamber = chamber;
    master.emplace();
    master->current = keys.current;
    for (const auto& [id, key] : keys.keys) {
      master->keys.emplace(id, key.clone());
    }
    if (load_records) {
      CC_ASSIGN(const std::uint64_t keys_loaded, load_records(chamber, keys));
      loaded = true;
      if (fault == StepFault::crash_after) {
        throw Crash{};
      }
      return keys_loaded;
    }
    loaded = true;
    if (during_opened) {
      std::exchange(during_opened, nullptr)();
    }
    if (fault == StepFault::crash_after) {
      throw Crash{};
    }
    wanted_at_the_end = still_wanted();
    return 42;
  }
  Result<seal::Resealed> reseal(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                std::size_t most) override {
    if (reseal_records) {
      return reseal_records(chamber, keys, most);
    }
    return fail(ErrorKind::store_unavailable, "this test has no key records");
  }
  void closing() override {
    ++closings;
    loaded = false;
    if (close_records) {
      close_records();
    }
  }
  void record_exists(bool exists) override { exists_told.push_back(exists); }

  unsigned openings = 0;
  std::atomic<unsigned> closings = 0;
  std::atomic<bool> loaded = false;
  std::optional<Error> refuse;
  std::optional<seal::ChamberId> last_chamber;
  std::optional<seal::MasterKeys> master;  // kept beyond closing(), for forging
  std::vector<bool> exists_told;
  std::function<void()> during_opened;  // runs once
  bool wanted_at_the_end = false;       // what the chamber said when the keys were loaded
  // A key service, where a test has one.
  std::function<Result<std::uint64_t>(const seal::ChamberId&, const seal::MasterKeys&)> load_records;
  std::function<void()> close_records;
  std::function<Result<seal::Resealed>(const seal::ChamberId&, const seal::MasterKeys&, std::size_t)> reseal_records;

 private:
  StepCounter* steps_;
};

}  // namespace cc::test
