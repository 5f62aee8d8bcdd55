// Pruning and declared empty histories. tests/guard/property_test.cc prunes in the middle of random histories.
#include "guard/history.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "guard/guard_fixture.h"
#include "guard/interchange.h"

namespace cc::guard {
namespace {

using test::MemorySlashingStore;

Pruned prune(SlashingStore& store, std::uint64_t epochs, std::uint64_t slots_per_epoch = 4) {
  Pruned out;
  EXPECT_TRUE(change(store, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(out, prune_validator(tx, key_of(1), {epochs, slots_per_epoch}));
    return {};
  }));
  return out;
}

TEST(Prune, KeepsTheNewestEpochsAndRaisesTheWatermarksOverTheRest) {
  MemorySlashingStore store;
  for (std::uint64_t epoch = 1; epoch <= 20; ++epoch) {
    EXPECT_EQ(ask(store, kComplete, vote(epoch - 1, epoch, 1)), "ok");
    EXPECT_EQ(ask(store, kComplete, block(epoch * 4, 1)), "ok");
  }
  EXPECT_EQ(prune(store, 5).records, 30U);
  const auto state = store.state();
  const Watermarks low = state.validators.at(key_of(1)).low;
  EXPECT_EQ(low.target_epoch, Epoch{16});
  EXPECT_EQ(low.source_epoch, Epoch{14}) << "the source of the newest vote forgotten";
  EXPECT_EQ(low.block_slot, Slot{64});
  EXPECT_EQ(ask(store, kComplete, vote(15, 16, 1)), "ok") << "the identical vote at the mark";
  EXPECT_EQ(ask(store, kComplete, vote(14, 15, 1)), "slashable") << "forgotten: not even the identical one";
  EXPECT_EQ(ask(store, kComplete, vote(13, 30, 1)), "slashable") << "would surround what was forgotten";
  EXPECT_EQ(ask(store, kComplete, block(60, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(20, 21, 1)), "ok");
  EXPECT_EQ(prune(store, 6).records, 0U);
}

TEST(Prune, ARecordFarInTheFutureDoesNotPushOutTheRest) {
  MemorySlashingStore store;
  for (std::uint64_t epoch = 1; epoch <= 20; ++epoch) {
    EXPECT_EQ(ask(store, kComplete, vote(epoch - 1, epoch, 1)), "ok");
  }
  EXPECT_EQ(ask(store, kComplete, vote(20, UINT64_MAX, 1)), "ok");
  prune(store, 5);
  EXPECT_EQ(store.state().validators.at(key_of(1)).low.target_epoch, Epoch{17});
}

TEST(Prune, LeavesShortHistoriesUnknownValidatorsAndTheExtremesAlone) {
  MemorySlashingStore store;
  EXPECT_EQ(prune(store, 5).records, 0U);
  EXPECT_EQ(ask(store, kComplete, vote(0, 1, 1)), "ok");
  EXPECT_EQ(prune(store, 1).records, 0U);
  EXPECT_EQ(ask(store, kComplete, vote(1, 2, 1)), "ok");
  EXPECT_EQ(prune(store, 0).records, 0U);
  EXPECT_EQ(prune(store, UINT64_MAX, UINT64_MAX).records, 0U);
  EXPECT_EQ(prune(store, 1).records, 1U);
  EXPECT_EQ(ask(store, kComplete, vote(1, 2, 1)), "ok");
}

bool allows(SlashingStore& store, const Check& check) {
  bool allowed = false;
  static_cast<void>(change(store, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const Verdict verdict, check_and_record(tx, kComplete, check));
    allowed = !verdict;
    return fail(ErrorKind::internal, "given up on purpose");
  }));
  return allowed;
}

// Imported votes come in any shape, also with the source above the target.
TEST(Prune, OnlyEverRefusesMoreAndOnlyBelowTheMarks) {
  EXPECT_TRUE(rc::check("before and after a pruning", [] {
    const auto small = rc::gen::inRange<std::uint64_t>(0, 12);
    Interchange file;
    file.genesis_validators_root = root_of(0);
    file.data.push_back({key_of(1), {}, {}});
    for (const auto& [a, b] :
         *rc::gen::container<std::vector<std::pair<std::uint64_t, std::uint64_t>>>(rc::gen::pair(small, small))) {
      file.data[0].attestations.push_back({Epoch{a}, Epoch{b}, root_of(1)});
      file.data[0].blocks.push_back({Slot{a}, root_of(1)});
    }
    MemorySlashingStore whole;
    MemorySlashingStore pruned;
    for (SlashingStore* store : std::initializer_list<SlashingStore*>{&whole, &pruned}) {
      RC_ASSERT(change(*store, [&](SlashingTransaction& tx) -> Result<void> {
                  CC_TRY(import_interchange(tx, file, Strategy::complete));
                  return {};
                }).has_value());
    }
    prune(pruned, *rc::gen::inRange<std::uint64_t>(1, 5), 1);
    const auto state = pruned.state();
    const auto known = state.validators.find(key_of(1));
    const Watermarks low = known == state.validators.end() ? Watermarks() : known->second.low;
    const std::uint64_t low_slot = low.block_slot.value_or(Slot{0}).value;
    const std::uint64_t low_source = low.source_epoch.value_or(Epoch{0}).value;
    const std::uint64_t low_target = low.target_epoch.value_or(Epoch{0}).value;
    for (const std::uint8_t root : std::initializer_list<std::uint8_t>{1, 2}) {
      for (std::uint64_t a = 0; a < 14; ++a) {
        const bool block_before = allows(whole, block(a, root));
        const bool block_after = allows(pruned, block(a, root));
        RC_ASSERT(block_before || !block_after);
        RC_ASSERT(block_after == block_before || a < low_slot);
        for (std::uint64_t b = a; b < 14; ++b) {
          const bool before = allows(whole, vote(a, b, root));
          const bool after = allows(pruned, vote(a, b, root));
          RC_ASSERT(before || !after);
          RC_ASSERT(after == before || b < low_target || a < low_source);
        }
      }
    }
  }));
}

TEST(EmptyHistory, LetsAKeySignUnderRequireHistoryAndLeavesANote) {
  MemorySlashingStore store;
  const Policy strict{Strategy::complete, true};
  EXPECT_EQ(ask(store, strict, block(5, 1)), "no_history");
  const auto declare = [&] {
    return change(
        store, [&](SlashingTransaction& tx) { return allow_empty_history(tx, {key_of(1), key_of(2)}, "a test", 77); });
  };
  EXPECT_TRUE(declare());
  EXPECT_TRUE(declare());
  EXPECT_EQ(ask(store, strict, block(5, 1)), "ok");
  EXPECT_EQ(ask(store, strict, block(5, 2)), "slashable");
  EXPECT_EQ(ask(store, strict, block(5, 1, 3)), "no_history");
  const auto origins = store.state().origins;
  ASSERT_EQ(origins.size(), 1U) << "the second declaration changed nothing";
  EXPECT_EQ(origins[0].validators, 2U);
  EXPECT_EQ(origins[0].source, "a test");
}

TEST(EmptyHistory, GivesNoPermitBackAndLowersNoWatermark) {
  MemorySlashingStore store;
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) -> Result<void> {
    CC_TRY(raise_watermarks(tx, key_of(1), {Slot{9}, std::nullopt, std::nullopt}));
    CC_TRY(withdraw(tx, key_of(2)));
    return allow_empty_history(tx, {key_of(1), key_of(2)}, "a test", 1);
  }));
  EXPECT_EQ(ask(store, kComplete, block(8, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, block(8, 1, 2)), "key_retired");
}

}  // namespace
}  // namespace cc::guard
