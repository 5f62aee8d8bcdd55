#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <type_traits>

#include "base/bytes.h"
#include "base/random.h"

namespace cc {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);
static_assert(!std::is_copy_constructible_v<Secret<32>> && !std::is_convertible_v<Secret<32>, ByteView>);
static_assert(!std::is_convertible_v<SecretBytes, std::string>);

TEST(SecretBytes, HoldsACopyAndGivesItBackOnlyThroughOneDoor) {
  const SecretBytes secret = SecretBytes::copy_of(std::string_view("hunter2hunter2"));
  EXPECT_EQ(secret.size(), 14U);
  EXPECT_EQ(expose_secret_bytes(secret)[0], 'h');
}

TEST(SecretBytes, ComparesWholeContents) {
  const SecretBytes a = SecretBytes::copy_of(std::string_view("0123456789"));
  EXPECT_TRUE(a == a.clone());
  EXPECT_FALSE(a == SecretBytes::copy_of(std::string_view("0123456788")));
  EXPECT_FALSE(a == SecretBytes::copy_of(std::string_view("012345678")));
  EXPECT_TRUE(SecretBytes() == SecretBytes());  // NOLINT(readability-container-size-empty)
}

TEST(SecretBytes, IsEmptyAfterItMovedAway) {
  SecretBytes a = SecretBytes::copy_of(std::string_view("0123456789"));
  const SecretBytes b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): the moved-from state is the subject
  EXPECT_EQ(b.size(), 10U);
}

TEST(SecretBytes, LeavesZerosWhereItLay) {
  // The pool hands the same block out again: what the next owner finds must be zero.
  const std::uint8_t* first = nullptr;
  {
    const SecretBytes secret = SecretBytes::copy_of(std::string_view("this must not remain anywhere 32"));
    first = expose_secret_bytes(secret).data();
  }
  const SecretBytes next(32);
  ASSERT_EQ(expose_secret_bytes(next).data(), first);
  for (const std::uint8_t byte : expose_secret_bytes(next)) {
    EXPECT_EQ(byte, 0);
  }
}

TEST(LockedMemory, HoldsThousandsOfKeysInFewPages) {
  const std::size_t before = locked_memory_report().bytes_mapped;
  std::vector<Secret<32>> keys(10'000);
  const LockedMemoryReport report = locked_memory_report();
  EXPECT_GE(report.bytes_in_use, 320'000U);
  EXPECT_LE(report.bytes_mapped - before, 400'000U);
}

TEST(LockedMemory, NamesItsBacking) {
  const Secret<32> key;
  const LockedMemoryReport report = locked_memory_report();
  EXPECT_TRUE(report.backing == LockBacking::memfd_secret || report.backing == LockBacking::mlock ||
              report.backing == LockBacking::unlocked);
  std::cout << "memory for secrets: " << name(report.backing) << '\n';
}

// memfd_secret pages cannot even be read through /proc/self/mem; locked pages can, by the same user.
TEST(LockedMemory, SecretPagesAreClosedToTheKernelsBackDoor) {
  SystemRandom random;
  const Secret<32> key = random.secret<32>();
  if (locked_memory_report().backing != LockBacking::memfd_secret) {
    std::cout << "this kernel has no memfd_secret: nothing to read here\n";
    return;
  }
  std::ifstream memory("/proc/self/mem", std::ios::binary);
  memory.seekg(static_cast<std::streamoff>(reinterpret_cast<std::uintptr_t>(expose_secret_bytes(key).data())));
  std::array<char, 32> out{};
  memory.read(out.data(), out.size());
  EXPECT_TRUE(memory.fail());
}

TEST(LockedMemory, LargeBlocksHaveTheirOwnPages) {
  SecretBytes large(100'000);
  expose_secret_bytes(large)[99'999] = 1;
  EXPECT_EQ(large.size(), 100'000U);
}

#ifndef CC_SANITIZED
// A small block may share its page, but no secret ever borders ordinary memory.
TEST(LockedMemoryDeathTest, AGuardPageStandsBehindEveryLargeBlock) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        SecretBytes large(8192);
        volatile std::uint8_t* end = expose_secret_bytes(large).data() + 8192;
        *end = 1;
      },
      "");
}
#endif

TEST(Wipe, ClearsTexts) {
  std::string text = "a secret that is long enough to live on the heap, not inside the object";
  wipe(text);
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace cc
