// Many KEKs at once: the fastest decide, the slow ones delay nobody and are cleaned up.
#include "app/kek_services.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>

#include "app/allowed_keks.h"

namespace cc::app {
namespace {

// Answers at once, except for names that begin with "slow": those wait to be let go.
class GatedKeks final : public seal::KekService {
 public:
  Result<std::string> canonical_name(const std::string& name) const override { return name; }
  Result<void> prepare(const std::string& /*name*/) override { return {}; }
  Result<Bytes> wrap(const std::string& /*name*/, const seal::KekContext& /*context*/,
                     const SecretBytes& /*share*/) override {
    return Bytes{};
  }
  Result<SecretBytes> unwrap(const std::string& name, const seal::KekContext& /*context*/, ByteView wrapped) override {
    std::unique_lock lock(mutex_);
    ++asked;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ || !name.starts_with("slow"); });
    if (name.starts_with("bad")) {
      return fail(ErrorKind::kms_denied, name);
    }
    return SecretBytes::copy_of(wrapped);
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_asked(unsigned count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked >= count; });
  }
  unsigned asked = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

std::vector<seal::WrappedShare> shares(const std::vector<std::string>& names) {
  std::vector<seal::WrappedShare> out;
  for (const std::string& name : names) {
    out.push_back({name, {}, Bytes{static_cast<std::uint8_t>(out.size())}});
  }
  return out;
}

TEST(AllowedKeksTest, ANewLockUsesNoOtherKekAndAnOldOneStillOpens) {
  GatedKeks inner;
  AllowedKeks keks(inner, {"local://good*"});
  const SecretBytes share = SecretBytes::copy_of("share");
  EXPECT_TRUE(keks.prepare("local://good-1"));
  EXPECT_TRUE(keks.wrap("local://good-1", {}, share));
  EXPECT_EQ(keks.prepare("local://other").error().kind, ErrorKind::kek_not_allowed);
  EXPECT_EQ(keks.wrap("local://other", {}, share).error().kind, ErrorKind::kek_not_allowed)
      << "a KEK that stays in the lock is not prepared";
  EXPECT_TRUE(keks.unwrap("local://other", {}, Bytes{1}));
}

TEST(ParallelKeksTest, TheFastestAreEnough) {
  GatedKeks keks;
  std::vector<std::size_t> got;
  {
    ParallelKeks parallel(keks);
    parallel.unwrap_until(shares({"slow-1", "fast-1", "slow-2", "fast-2"}), [&](std::size_t place, auto outcome) {
      EXPECT_EQ(expose_secret_bytes(*outcome)[0], place);
      got.push_back(place);
      return got.size() < 2;
    });
    keks.wait_asked(4);
    keks.let_go();
  }  // joins the slow ones
  std::ranges::sort(got);
  EXPECT_EQ(got, (std::vector<std::size_t>{1, 3}));
}

TEST(ParallelKeksTest, EveryOutcomeIsToldWhenAllAreWanted) {
  GatedKeks keks;
  ParallelKeks parallel(keks);
  unsigned good = 0;
  unsigned bad = 0;
  parallel.unwrap_until(shares({"bad-1", "fast-1", "bad-2"}), [&](std::size_t /*place*/, auto outcome) {
    ++(outcome ? good : bad);
    return true;
  });
  EXPECT_EQ(good, 1U);
  EXPECT_EQ(bad, 2U);
  parallel.unwrap_until({}, [](std::size_t /*place*/, auto /*outcome*/) { return true; });
}

TEST(ParallelKeksTest, ALaterCallDoesNotWaitForTheSlowOfAnEarlierOne) {
  GatedKeks keks;
  ParallelKeks parallel(keks);
  for (unsigned round = 0; round < 3; ++round) {
    unsigned got = 0;
    parallel.unwrap_until(shares({"slow", "fast"}), [&](std::size_t place, auto /*outcome*/) {
      EXPECT_EQ(place, 1U);
      ++got;
      return false;
    });
    EXPECT_EQ(got, 1U);
  }
  keks.let_go();
}

}  // namespace
}  // namespace cc::app
