// Checks by number, and one check in one transaction. For the tests of the slashing stores.
#pragma once

#include <string>

#include "guard/rules.h"

namespace cc::test {

inline BlsPublicKey key_of(std::uint32_t number) {
  BlsPublicKey key{};
  key[0] = 0xa0;
  for (std::size_t i = 0; i < 4; ++i) {
    key[44 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return key;
}
inline Root root_of(std::uint64_t number) {
  Root root{};
  for (std::size_t i = 0; i < 8; ++i) {
    root[24 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  return root;
}
inline guard::Check block(std::uint64_t slot, std::uint64_t root, std::uint32_t key = 1) {
  return {key_of(key), guard::BlockCheck{Slot{slot}}, root_of(root), root_of(0)};
}
inline guard::Check vote(std::uint64_t source, std::uint64_t target, std::uint64_t root, std::uint32_t key = 1) {
  return {key_of(key), guard::AttestationCheck{Epoch{source}, Epoch{target}}, root_of(root), root_of(0)};
}

// As the pipeline does it: announced, in one transaction. "ok" only when the store has flushed it, otherwise the code
// of the refusal or failure.
inline std::string ask(guard::SlashingStore& store, const guard::Check& check) {
  std::string said = "no answer";
  const guard::LookAhead ahead[] = {guard::look_ahead(check)};
  const Result<void> done = store.transact_ahead(ahead, [&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
    said = verdict ? std::string(facts(verdict->kind).code) : "ok";
    return {};
  });
  return done ? said : std::string(facts(done.error().kind).code);
}
// Not announced.
inline std::string ask_alone(guard::SlashingStore& store, const guard::Check& check) {
  std::string said = "no answer";
  const Result<void> done = store.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
    said = verdict ? std::string(facts(verdict->kind).code) : "ok";
    return {};
  });
  return done ? said : std::string(facts(done.error().kind).code);
}

}  // namespace cc::test
