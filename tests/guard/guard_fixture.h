// What the tests of this room share: keys and roots by number, one store or transaction per case.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "guard/rules.h"
#include "support/memory_slashing_store.h"

namespace cc::guard {

inline BlsPublicKey key_of(std::uint8_t number) {
  BlsPublicKey key{};
  key[0] = 0xa0;
  key[47] = number;
  return key;
}
inline Root root_of(std::uint8_t number) {
  Root root{};
  root[31] = number;
  return root;
}

inline Check block(std::uint64_t slot, std::uint8_t root, std::uint8_t key = 1, std::uint8_t network = 0) {
  return {key_of(key), BlockCheck{Slot{slot}}, root_of(root), root_of(network)};
}
inline Check vote(std::uint64_t source, std::uint64_t target, std::uint8_t root, std::uint8_t key = 1,
                  std::uint8_t network = 0) {
  return {key_of(key), AttestationCheck{Epoch{source}, Epoch{target}}, root_of(root), root_of(network)};
}
inline Check unguarded(std::uint8_t key = 1, std::uint8_t network = 0) {
  return {key_of(key), std::monostate{}, root_of(9), root_of(network)};
}

// Runs one check in a transaction of its own: "ok" or the code of the refusal.
inline std::string ask(SlashingStore& store, const Policy& policy, const Check& check, Notes* notes = nullptr) {
  std::string said = "no answer";
  const LookAhead ahead[] = {look_ahead(check)};
  const Result<void> done = store.transact_ahead(ahead, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const Verdict verdict, check_and_record(tx, policy, check, notes));
    said = verdict ? std::string(facts(verdict->kind).code) : "ok";
    return {};
  });
  return done ? said : std::string(facts(done.error().kind).code);
}
// Why it was refused, in the words for the operator.
inline std::string reason(SlashingStore& store, const Policy& policy, const Check& check) {
  std::string said;
  const Result<void> done = store.transact([&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const Verdict verdict, check_and_record(tx, policy, check));
    said = verdict ? verdict->message : "";
    return {};
  });
  return done ? said : done.error().message;
}
template <class Work>
Result<void> change(SlashingStore& store, const Work& work) {
  return store.transact([&](SlashingTransaction& tx) -> Result<void> { return work(tx); });
}

inline constexpr Policy kComplete{Strategy::complete, false};
inline constexpr Policy kMinimal{Strategy::minimal, false};

}  // namespace cc::guard
