// What the tests of the SQLite stores share.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include "adapters/sqlite/slashing_store.h"
#include "support/checks.h"
#include "support/process.h"
#include "support/seeded_random.h"

namespace cc::sqlite {

using test::ask;
using test::block;
using test::key_of;
using test::root_of;
using test::vote;

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
