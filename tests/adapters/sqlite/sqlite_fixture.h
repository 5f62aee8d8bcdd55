// What the tests of the SQLite stores share.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include "adapters/sqlite/slashing_store.h"
#include "guard/rules.h"
#include "support/process.h"
#include "support/seeded_random.h"

namespace cc::sqlite {

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

// One check in one transaction: "ok" only when the store has flushed it, otherwise the code of the refusal or failure.
inline std::string ask(guard::SlashingStore& store, const guard::Check& check) {
  std::string said = "no answer";
  const Result<void> done = store.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
    said = verdict ? std::string(facts(verdict->kind).code) : "ok";
    return {};
  });
  return done ? said : std::string(facts(done.error().kind).code);
}

inline Result<std::unique_ptr<SqliteSlashingStore>> open_store(const std::string& path,
                                                               OpenMode mode = OpenMode::open_or_create) {
  test::SeededRandom random(42);
  return SqliteSlashingStore::open(path, mode, random);
}

// Runs `work` in a child process; its exit status.
inline int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace cc::sqlite
