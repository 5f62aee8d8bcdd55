#include "guard/pairing.h"

#include <gmock/gmock.h>

#include "guard/guard_fixture.h"

namespace cc::guard {
namespace {

StoreIdentity identity(std::uint8_t id, std::uint64_t run, std::uint64_t commits, bool named = false) {
  StoreIdentity out;
  out.id[0] = id;
  out.run = run;
  out.commits = commits;
  if (named) {
    out.chamber.emplace();
  }
  return out;
}
Checkpoint remembered(std::uint8_t id, std::uint64_t run, std::uint64_t commits) {
  return checkpoint_of(identity(id, run, commits));
}

struct Cell {
  const char* what;
  std::optional<Checkpoint> remembered;
  StoreFound found;
  std::optional<StoreIdentity> identity;
  Pairing without_traces;
  Pairing with_traces;
};

TEST(Pairing, EveryCellOfTheTable) {
  const auto none = std::nullopt;
  const Cell cells[] = {
      {"nothing remembered, no file", none, StoreFound::missing, none, Pairing::create, Pairing::missing},
      {"nothing remembered, empty file", none, StoreFound::empty, none, Pairing::create, Pairing::empty},
      {"nothing remembered, untouched", none, StoreFound::present, identity(1, 0, 0), Pairing::name, Pairing::empty},
      {"nothing remembered, committed", none, StoreFound::present, identity(1, 0, 1), Pairing::foreign,
       Pairing::foreign},
      {"nothing remembered, ran", none, StoreFound::present, identity(1, 1, 0), Pairing::foreign, Pairing::foreign},
      {"nothing remembered, named", none, StoreFound::present, identity(1, 0, 0, true), Pairing::foreign,
       Pairing::foreign},
      {"remembered, no file", remembered(1, 2, 9), StoreFound::missing, none, Pairing::missing, Pairing::missing},
      {"remembered, empty file", remembered(1, 2, 9), StoreFound::empty, none, Pairing::empty, Pairing::empty},
      {"remembered, untouched", remembered(1, 2, 9), StoreFound::present, identity(2, 0, 0), Pairing::empty,
       Pairing::empty},
      {"remembered, another used", remembered(1, 2, 9), StoreFound::present, identity(2, 5, 90, true), Pairing::foreign,
       Pairing::foreign},
      {"remembered, fewer commits", remembered(1, 2, 9), StoreFound::present, identity(1, 2, 8), Pairing::behind,
       Pairing::behind},
      {"remembered, an earlier run", remembered(1, 2, 9), StoreFound::present, identity(1, 1, 9), Pairing::behind,
       Pairing::behind},
      {"remembered, set back to its beginning", remembered(1, 2, 9), StoreFound::present, identity(1, 0, 0),
       Pairing::behind, Pairing::behind},
      {"remembered, exactly", remembered(1, 2, 9), StoreFound::present, identity(1, 2, 9), Pairing::proceed,
       Pairing::proceed},
      {"remembered, ahead", remembered(1, 2, 9), StoreFound::present, identity(1, 3, 12, true), Pairing::proceed,
       Pairing::proceed},
      {"remembered before the first commit", remembered(1, 0, 0), StoreFound::present, identity(1, 0, 0),
       Pairing::proceed, Pairing::proceed},
  };
  for (const Cell& cell : cells) {
    EXPECT_EQ(pair(cell.remembered, cell.found, cell.identity, false), cell.without_traces) << cell.what;
    EXPECT_EQ(pair(cell.remembered, cell.found, cell.identity, true), cell.with_traces) << cell.what << ", traces";
  }
}

// A store that several signers share differs in one cell: a signer without memory and without traces joins a used one.
TEST(Pairing, ASharedStoreIsJoinedByANewSignerOnly) {
  const auto shared = [](const std::optional<Checkpoint>& memory, StoreFound found,
                         const std::optional<StoreIdentity>& store,
                         bool traces) { return pair(memory, found, store, traces, Sharing::several_signers); };
  const auto none = std::nullopt;
  for (const StoreIdentity& used : {identity(1, 0, 1), identity(1, 1, 0), identity(1, 3, 40, true)}) {
    EXPECT_EQ(shared(none, StoreFound::present, used, false), Pairing::join);
    EXPECT_EQ(shared(none, StoreFound::present, used, true), Pairing::foreign);
    EXPECT_EQ(shared(remembered(2, 1, 1), StoreFound::present, used, false), Pairing::foreign);
  }
  EXPECT_EQ(shared(none, StoreFound::missing, none, false), Pairing::create);
  EXPECT_EQ(shared(none, StoreFound::missing, none, true), Pairing::missing);
  EXPECT_EQ(shared(remembered(1, 2, 9), StoreFound::missing, none, false), Pairing::missing);
  EXPECT_EQ(shared(none, StoreFound::present, identity(1, 0, 0), false), Pairing::name);
  EXPECT_EQ(shared(none, StoreFound::present, identity(1, 0, 0), true), Pairing::empty);
  EXPECT_EQ(shared(remembered(1, 2, 9), StoreFound::present, identity(2, 0, 0), false), Pairing::empty);
  EXPECT_EQ(shared(remembered(1, 2, 9), StoreFound::present, identity(1, 2, 8), false), Pairing::behind);
  EXPECT_EQ(shared(remembered(1, 2, 9), StoreFound::present, identity(1, 7, 900), true), Pairing::proceed);
  EXPECT_FALSE(may_sign(Pairing::join));
}

TEST(Pairing, SignsOnlyWithItsOwnStoreAndExplainsEveryOther) {
  for (const Pairing pairing : {Pairing::missing, Pairing::empty, Pairing::foreign, Pairing::behind}) {
    EXPECT_FALSE(may_sign(pairing));
    const Error error = explain(pairing, "/data/slashing.sqlite");
    EXPECT_EQ(error.kind, ErrorKind::slashing_store_mismatch);
    EXPECT_THAT(error.message, testing::HasSubstr("/data/slashing.sqlite"));
    EXPECT_THAT(error.message, testing::HasSubstr("slashing adopt"));
  }
  EXPECT_TRUE(may_sign(Pairing::proceed));
  EXPECT_FALSE(may_sign(Pairing::create));
  EXPECT_FALSE(may_sign(Pairing::name));
}

TEST(Checkpoint, ComesBackAsItWasWritten) {
  const Checkpoint checkpoint = checkpoint_of(identity(7, 0x0102030405060708, ~0ULL));
  const Bytes bytes = encode(checkpoint);
  EXPECT_EQ(to_hex(bytes),
            "43435350010700000000000000000000000000000001020304050607"
            "08ffffffffffffffff");
  const auto back = decode_checkpoint(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, checkpoint);
}

TEST(Checkpoint, IsRefusedCutLengthenedOrOfAnotherFormat) {
  const Bytes bytes = encode(remembered(7, 1, 2));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_checkpoint(ByteView(bytes).first(size))) << size;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_checkpoint(longer));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto read = decode_checkpoint(flipped);
    if (bit < 40) {
      EXPECT_EQ(read.error().kind, ErrorKind::record_malformed) << bit;
    } else {
      ASSERT_TRUE(read) << bit;
      EXPECT_EQ(encode(*read), flipped) << bit;
    }
  }
}

TEST(Adopt, RaisesWhatHoldsForKnownAndUnknownValidatorsAndLowersNothing) {
  test::MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(500, 1, 1)), "ok");
  const auto adopt_at = [](std::uint64_t slot) {
    return [slot](SlashingTransaction& tx) { return adopt(tx, {Slot{slot}, Epoch{slot / 32}, Epoch{slot / 32 + 1}}); };
  };
  ASSERT_TRUE(change(store, adopt_at(640)));
  EXPECT_EQ(ask(store, kComplete, block(600, 1, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, block(600, 1, 2)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(19, 30, 1, 2)), "slashable");
  ASSERT_TRUE(change(store, adopt_at(64)));
  EXPECT_EQ(ask(store, kComplete, block(600, 1, 2)), "slashable");
  EXPECT_EQ(ask(store, kComplete, block(641, 1, 2)), "ok");
}

}  // namespace
}  // namespace cc::guard
