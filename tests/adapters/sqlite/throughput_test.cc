// Measures; the numbers are printed, not judged, since they belong to the disk. What is judged: that long histories and
// many validators do not make a check slower than its index promises.
#include <chrono>
#include <iostream>

#include "adapters/sqlite/sqlite_fixture.h"

namespace cc::sqlite {
namespace {

constexpr std::size_t kBatch = 512;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One attestation of every validator for one epoch, in batches; checks per second.
double one_epoch(guard::SlashingStore& store, std::uint32_t validators, std::uint64_t epoch) {
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t first = 0; first < validators; first += kBatch) {
    EXPECT_TRUE(store.transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      for (std::uint32_t i = first; i < std::min<std::uint32_t>(first + kBatch, validators); ++i) {
        CC_ASSIGN(
            const guard::Verdict verdict,
            guard::check_and_record(tx, guard::Policy{}, vote(epoch, epoch + 1, epoch, (i * 7919U) % validators)));
        EXPECT_FALSE(verdict);
      }
      return {};
    }));
  }
  return validators / seconds_since(start);
}

TEST(Throughput, OfAttestationChecksInBatches) {
  const test::TemporaryFolder folder;
  auto store = open_store((folder / "slashing.sqlite").string());
  ASSERT_TRUE(store);
  constexpr std::uint32_t kValidators = 20000;
  const double fresh = one_epoch(**store, kValidators, 1);
  const double next = one_epoch(**store, kValidators, 2);
  std::cout << "slashing store: " << kValidators << " validators, batches of " << kBatch << ": "
            << static_cast<int>(fresh) << " checks/s for new validators, " << static_cast<int>(next)
            << " checks/s in the next epoch\n";
}

TEST(Throughput, OfACheckDoesNotGrowWithTheHistory) {
  const test::TemporaryFolder folder;
  auto store = open_store((folder / "slashing.sqlite").string());
  ASSERT_TRUE(store);
  constexpr std::uint64_t kEpochs = 100000;
  ASSERT_TRUE((*store)->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (std::uint64_t epoch = 1; epoch <= kEpochs; ++epoch) {
      CC_TRY(guard::check_and_record(tx, guard::Policy{}, vote(epoch, epoch + 1, epoch)));
    }
    return {};
  }));
  const auto time_of = [&](std::uint32_t key, std::uint64_t first) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE((*store)->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      for (std::uint64_t epoch = first; epoch < first + 2000; ++epoch) {
        CC_ASSIGN(const guard::Verdict verdict,
                  guard::check_and_record(tx, guard::Policy{}, vote(epoch, epoch + 1, epoch, key)));
        EXPECT_FALSE(verdict);
      }
      return {};
    }));
    return seconds_since(start) / 2000 * 1e6;
  };
  const double without = time_of(2, 1);
  const double with = time_of(1, kEpochs + 1);
  std::cout << "slashing store: " << without << " us per check without history, " << with << " us behind " << kEpochs
            << " votes\n";
  EXPECT_LT(with, 20 * without + 100) << "a check reads the whole history";
}

}  // namespace
}  // namespace cc::sqlite
