#include "guard/rules.h"

#include <gmock/gmock.h>

#include "guard/guard_fixture.h"

namespace cc::guard {
namespace {

using test::MemorySlashingStore;
using testing::HasSubstr;

TEST(Blocks, AreSignedInRisingOrderAndTheIdenticalOneAgain) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(11, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(11, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(11, 3)), "slashable");
  EXPECT_EQ(ask(store, kComplete, block(9, 1)), "slashable");
}

TEST(Blocks, FillAGapAboveTheLowWatermark) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(20, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(15, 3)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(15, 4)), "slashable");
}

TEST(Blocks, TreatTheAllZeroRootLikeAnyOther) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 0)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(10, 0)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "slashable");
}

TEST(Blocks, OfOneKeyDoNotBindAnother) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(10, 2, 2)), "ok");
}

TEST(Blocks, ReachTheLargestSlot) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(~0ULL, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(~0ULL, 2)), "slashable");
  EXPECT_EQ(ask(store, kComplete, block(~0ULL - 1, 2)), "slashable");
}

TEST(Attestations, RefuseADoubleVote) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(2, 3, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(2, 3, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(2, 3, 2)), "slashable");
  EXPECT_THAT(reason(store, kComplete, vote(2, 3, 2)), HasSubstr("double vote"));
}

TEST(Attestations, RefuseTheSameRootWithAnotherSource) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(2, 5, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(3, 5, 1)), "slashable");
}

TEST(Attestations, RefuseSurroundVotesOfBothKindsAndNameTheOther) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(0, 1, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(5, 10, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(4, 11, 3)), "slashable");
  EXPECT_THAT(reason(store, kComplete, vote(4, 11, 3)),
              HasSubstr("lie around the signed vote with source 5 and target 10"));
  EXPECT_EQ(ask(store, kComplete, vote(6, 9, 3)), "slashable");
  EXPECT_THAT(reason(store, kComplete, vote(6, 9, 3)),
              HasSubstr("lie inside the signed vote with source 5 and target 10"));
  EXPECT_EQ(ask(store, kComplete, vote(5, 11, 3)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(4, 9, 4)), "ok");
}

TEST(Attestations, RefuseASourceAfterTheTarget) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(4, 3, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(3, 3, 1)), "ok");
}

TEST(Attestations, StopAtTheLowWatermarks) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(10, 20, 1)), "ok");
  EXPECT_THAT(reason(store, kComplete, vote(9, 30, 2)), HasSubstr("source epoch 9 is below the low watermark 10"));
  EXPECT_THAT(reason(store, kComplete, vote(10, 19, 2)), HasSubstr("target epoch 19 is below the low watermark 20"));
  EXPECT_EQ(ask(store, kComplete, vote(10, 21, 2)), "ok");
}

TEST(Watermarks, RefuseWhatStandsAtThemWithoutARecord) {
  MemorySlashingStore store;
  ASSERT_TRUE(change(
      store, [](SlashingTransaction& tx) { return raise_watermarks(tx, key_of(1), {Slot{100}, Epoch{5}, Epoch{6}}); }));
  EXPECT_EQ(ask(store, kComplete, block(100, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, block(101, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(5, 6, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(5, 7, 1)), "ok");
}

TEST(Watermarks, NeverFall) {
  MemorySlashingStore store;
  const auto raise = [](Watermarks marks) {
    return [marks](SlashingTransaction& tx) { return raise_watermarks(tx, key_of(1), marks); };
  };
  ASSERT_TRUE(change(store, raise({Slot{100}, Epoch{5}, Epoch{6}})));
  ASSERT_TRUE(change(store, raise({Slot{50}, std::nullopt, Epoch{3}})));
  EXPECT_EQ(store.state().validators.at(key_of(1)).low, (Watermarks{Slot{100}, Epoch{5}, Epoch{6}}));
}

TEST(Watermarks, RaisedOverARecordRefuseEvenTheIdenticalMessage) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) {
    return raise_watermarks(tx, key_of(1), {Slot{11}, std::nullopt, std::nullopt});
  }));
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "slashable");
}

TEST(Floor, BindsValidatorsTheStoreHasNeverSeen) {
  MemorySlashingStore store;
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return tx.raise_floor({Slot{100}, Epoch{3}, Epoch{4}}); }));
  for (const Policy& policy : {kComplete, kMinimal}) {
    EXPECT_EQ(ask(store, policy, block(100, 1, 7)), "slashable");
    EXPECT_EQ(ask(store, policy, vote(2, 9, 1, 7)), "slashable");
    EXPECT_EQ(ask(store, policy, vote(3, 4, 1, 7)), "slashable");
  }
  EXPECT_TRUE(store.state().validators.empty());
  EXPECT_EQ(ask(store, kComplete, block(101, 1, 7)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(3, 5, 1, 7)), "ok");
}

TEST(Minimal, KeepsWatermarksAloneAndRefusesTheIdenticalMessage) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kMinimal, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kMinimal, block(10, 1)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, block(12, 1)), "ok");
  EXPECT_EQ(ask(store, kMinimal, block(11, 1)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, vote(2, 3, 1)), "ok");
  EXPECT_EQ(ask(store, kMinimal, vote(1, 4, 1)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, vote(2, 3, 1)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, vote(2, 4, 1)), "ok");
  EXPECT_TRUE(store.state().blocks[1].empty());
  EXPECT_TRUE(store.state().attestations[1].empty());
}

TEST(Strategies, MayBeChangedOverOneStoreEitherWay) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(0, 1, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(5, 10, 2)), "ok");
  EXPECT_EQ(ask(store, kMinimal, vote(4, 11, 3)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, vote(6, 9, 3)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, vote(5, 10, 3)), "slashable");
  EXPECT_EQ(ask(store, kMinimal, vote(7, 12, 3)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(7, 12, 4)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(6, 13, 4)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(7, 13, 4)), "ok");
}

TEST(Network, IsTheOneOfTheFirstRecord) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, unguarded(1, 7)), "ok");
  EXPECT_FALSE(store.state().genesis) << "a message without a record decides nothing";
  EXPECT_EQ(ask(store, kComplete, vote(4, 3, 1, 1, 7)), "slashable");
  EXPECT_FALSE(store.state().genesis) << "nor does a refused one";
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 1, 5)), "ok");
  EXPECT_EQ(store.state().genesis, root_of(5));
  EXPECT_EQ(ask(store, kComplete, block(11, 1, 2, 6)), "network_mismatch");
  EXPECT_EQ(ask(store, kComplete, vote(1, 2, 1, 2, 6)), "network_mismatch");
  EXPECT_EQ(ask(store, kComplete, unguarded(2, 6)), "network_mismatch");
  EXPECT_EQ(ask(store, kComplete, unguarded(2, 5)), "ok");
}

TEST(Network, OfZerosIsANetwork) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 1, 0)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(11, 1, 1, 1)), "network_mismatch");
}

TEST(Network, SetBeforehandIsNeverExchanged) {
  MemorySlashingStore store;
  const auto set = [](std::uint8_t number) {
    return [number](SlashingTransaction& tx) { return set_network(tx, root_of(number)); };
  };
  ASSERT_TRUE(change(store, set(3)));
  ASSERT_TRUE(change(store, set(3)));
  EXPECT_EQ(change(store, set(4)).error().kind, ErrorKind::network_mismatch);
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 1, 4)), "network_mismatch");
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 1, 3)), "ok");
}

TEST(Network, IsLeftAloneByMessagesWithoutARoot) {
  MemorySlashingStore store;
  Check check = unguarded();
  check.genesis_validators_root.reset();
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return set_network(tx, root_of(3)); }));
  EXPECT_EQ(ask(store, kComplete, check), "ok");
}

TEST(Permits, WithdrawnRefuseEveryKindUntilGivenBack) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return withdraw(tx, key_of(1)); }));
  EXPECT_EQ(ask(store, kComplete, block(11, 1)), "key_retired");
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "key_retired");
  EXPECT_EQ(ask(store, kComplete, vote(1, 2, 1)), "key_retired");
  EXPECT_EQ(ask(store, kComplete, unguarded()), "key_retired");
  EXPECT_EQ(ask(store, kComplete, unguarded(2)), "ok");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return permit(tx, key_of(1), false); }));
  EXPECT_EQ(ask(store, kComplete, block(11, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(10, 2)), "slashable");
  EXPECT_EQ(store.state().validators.at(key_of(1)).generation, 2U);
}

TEST(Permits, OfAKeyNeverSeenAreWithdrawnToo) {
  MemorySlashingStore store;
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return withdraw(tx, key_of(1)); }));
  EXPECT_EQ(ask(store, kComplete, block(11, 1)), "key_retired");
}

TEST(History, IsRequiredWhenThePolicySaysSo) {
  const Policy strict{Strategy::complete, true};
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, strict, block(10, 1)), "no_history");
  EXPECT_EQ(ask(store, strict, vote(1, 2, 1)), "no_history");
  EXPECT_EQ(ask(store, strict, unguarded()), "ok");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return permit(tx, key_of(1), false); }));
  EXPECT_EQ(ask(store, strict, block(10, 1)), "no_history");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) {
    return raise_watermarks(tx, key_of(1), {Slot{5}, std::nullopt, std::nullopt});
  }));
  EXPECT_EQ(ask(store, strict, block(10, 1)), "no_history");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return permit(tx, key_of(1), true); }));
  EXPECT_EQ(ask(store, strict, block(10, 1)), "ok");
}

TEST(History, ThatIsUnknownIsNotedOnceAndARepeatIsNoted) {
  MemorySlashingStore store;
  Notes notes;
  EXPECT_EQ(ask(store, kComplete, block(10, 1), &notes), "ok");
  EXPECT_TRUE(notes.without_history);
  EXPECT_FALSE(notes.repeated);
  EXPECT_EQ(ask(store, kComplete, block(10, 1), &notes), "ok");
  EXPECT_FALSE(notes.without_history);
  EXPECT_TRUE(notes.repeated);
  EXPECT_EQ(ask(store, kComplete, block(11, 1), &notes), "ok");
  EXPECT_FALSE(notes.without_history);
  EXPECT_FALSE(notes.repeated);
}

TEST(Refusals, WriteNothing) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, vote(4, 3, 1)), "slashable");
  EXPECT_EQ(ask(store, Policy{Strategy::complete, true}, block(4, 3)), "no_history");
  EXPECT_TRUE(store.state().validators.empty());
  EXPECT_EQ(ask(store, kComplete, vote(3, 4, 1)), "ok");
  const auto before = store.state();
  EXPECT_EQ(ask(store, kComplete, vote(3, 4, 2)), "slashable");
  const auto after = store.state();
  EXPECT_EQ(after.validators.at(key_of(1)).low, before.validators.at(key_of(1)).low);
  EXPECT_EQ(after.attestations.at(1).size(), 1U);
}

TEST(Batch, LetsEachCheckSeeThoseBeforeIt) {
  MemorySlashingStore store;
  std::vector<std::string> said;
  const Result<void> done = store.transact([&](SlashingTransaction& tx) -> Result<void> {
    for (const Check& check : {block(10, 1), block(10, 2), block(10, 1), vote(1, 4, 1), vote(2, 3, 1), vote(1, 4, 2)}) {
      CC_ASSIGN(const Verdict verdict, check_and_record(tx, kComplete, check));
      said.push_back(verdict ? "no" : "ok");
    }
    return {};
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(said, (std::vector<std::string>{"ok", "no", "ok", "ok", "no", "no"}));
}

}  // namespace
}  // namespace cc::guard
