// A test that starts itself again under valgrind, where a secret is memory that memcheck believes undefined: every
// branch and every address that depends on it is counted.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/memcheck.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "base/locked_memory.h"

namespace cc::test {

inline constexpr const char* kInner = "CC_TEST_UNDER_VALGRIND";

inline void poison(std::span<const std::uint8_t> bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
inline void declassify(std::span<const std::uint8_t> bytes) { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }

// How many decisions on poisoned data memcheck saw while `work` ran.
template <class Work>
unsigned decisions_on_secrets(Work work) {
  const auto before = static_cast<unsigned>(VALGRIND_COUNT_ERRORS);
  work();
  return static_cast<unsigned>(VALGRIND_COUNT_ERRORS) - before;
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs the current test in a child under valgrind and expects it to pass there. True in the parent, which is then done.
inline bool ran_under_valgrind() {
  if (RUNNING_ON_VALGRIND != 0) {
    // The old valgrind does not know memfd_secret; locking changes nothing here.
    EXPECT_TRUE(configure_locked_memory(LockMode::off));
    return false;
  }
  if (std::getenv(kInner) != nullptr) {
    ADD_FAILURE() << "valgrind did not take the test program over";
    return true;
  }
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string filter = std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string log = testing::TempDir() + "cc-valgrind-" + std::to_string(getpid());
  const pid_t child = fork();
  if (child == 0) {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    setenv(kInner, "1", 1);
    execlp("valgrind", "valgrind", "-q", "--error-limit=no", self.c_str(), filter.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "exit status " << status << " (127 in the second byte: install valgrind)\n"
      << contents(log);
  EXPECT_NE(contents(log).find("[  PASSED  ] 1 test."), std::string::npos);
  std::filesystem::remove(log);
  return true;
}

}  // namespace cc::test
