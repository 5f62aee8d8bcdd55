// Whether Shamir's scheme branches on a secret or uses one as an address: memcheck is told that the secret is undefined
// memory, and counts every decision that depends on it. Each test starts itself again under valgrind.
//
// Sanitizers and valgrind exclude each other, so a sanitizer build leaves this file empty; so does a machine without
// valgrind's headers (Debian package valgrind).
#if !defined(CC_SANITIZED) && __has_include(<valgrind/memcheck.h>)

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/memcheck.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/gf256.h"
#include "crypto/shamir.h"
#include "support/seeded_random.h"

namespace cc::crypto {
namespace {

constexpr const char* kInner = "CC_TEST_UNDER_VALGRIND";

void poison(std::span<const std::uint8_t> bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
void declassify(std::span<const std::uint8_t> bytes) { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }

// How many decisions on poisoned data memcheck saw while `work` ran.
template <class Work>
unsigned decisions_on_secrets(Work work) {
  const auto before = static_cast<unsigned>(VALGRIND_COUNT_ERRORS);
  work();
  return static_cast<unsigned>(VALGRIND_COUNT_ERRORS) - before;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs the current test in a child under valgrind and expects it to pass there. True in the parent, which is then done.
bool ran_under_valgrind() {
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

TEST(ConstantTime, TheDetectorFindsAPlantedBranchAndAPlantedTableLookUp) {
  if (ran_under_valgrind()) {
    return;
  }
  volatile std::uint8_t secret = 5;
  volatile int result = 0;
  static const int table[256] = {1, 2, 3};
  VALGRIND_MAKE_MEM_UNDEFINED(const_cast<std::uint8_t*>(&secret), 1);
  EXPECT_GT(decisions_on_secrets([&] {
              if ((secret & 1) != 0) {
                result = 1;
              }
            }),
            0U);
  EXPECT_GT(decisions_on_secrets([&] { result = table[secret]; }), 0U);
}

TEST(ConstantTime, FieldArithmeticDecidesNothingOnItsOperands) {
  if (ran_under_valgrind()) {
    return;
  }
  std::array<std::uint8_t, 2> operands = {0x53, 0xCA};
  std::array<std::uint8_t, 2> results{};
  poison(operands);
  EXPECT_EQ(decisions_on_secrets([&] {
              results[0] = gf256::multiply(operands[0], operands[1]);
              results[1] = gf256::inverse(operands[0]);
            }),
            0U);
  declassify(results);
  EXPECT_EQ(results, (std::array<std::uint8_t, 2>{0x01, 0xCA}));
}

TEST(ConstantTime, SplittingDecidesNothingOnTheSecret) {
  if (ran_under_valgrind()) {
    return;
  }
  test::SeededRandom random(26);
  const auto secret = random.secret<32>();
  poison(expose_secret_bytes(secret));
  EXPECT_EQ(decisions_on_secrets([&] {
              const auto shares = split(secret, 3, 5, random);
              const auto wire = to_rtss((*shares)[4], ShareId{}, 3);
            }),
            0U);
}

TEST(ConstantTime, CombiningDecidesOnItsVerdictAlone) {
  if (ran_under_valgrind()) {
    return;
  }
  test::SeededRandom random(27);
  const auto secret = random.secret<32>();
  auto shares = split(secret, 3, 3, random).value();
  for (const bool wrong : {false, true}) {
    expose_secret_bytes(shares[1].value)[0] ^= wrong ? 1 : 0;
    for (const Share& share : shares) {
      poison(expose_secret_bytes(share.value));
    }
    bool held = false;
    EXPECT_EQ(decisions_on_secrets([&] { held = combine(shares).has_value(); }), 1U);
    EXPECT_EQ(held, !wrong);
    for (const Share& share : shares) {
      declassify(expose_secret_bytes(share.value));
    }
  }
}

}  // namespace
}  // namespace cc::crypto

#endif
