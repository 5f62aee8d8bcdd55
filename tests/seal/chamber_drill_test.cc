// What shows before the day of need that a chamber still opens: drills, rehearsals, probes of the KEKs.
#include "seal/chamber_fixture.h"

namespace cc::seal {
namespace {

const std::string kSource = "10.0.0.1";

Result<UnsealReply> submit(Chamber& chamber, const std::string& name) {
  return chamber.unseal(name, passphrase_of(name), kSource);
}
std::unique_ptr<Chamber> open_with_operators(World& world) {
  auto chamber = ready_to_unseal(world);
  EXPECT_TRUE(submit(*chamber, "alice"));
  EXPECT_TRUE(submit(*chamber, "bob"));
  EXPECT_EQ(chamber->status().state, VisibleState::unsealed);
  return chamber;
}
std::unique_ptr<Chamber> open_kms_only(World& world) {
  auto chamber = world.start();
  EXPECT_TRUE(init(world, *chamber, kms_only()));
  return chamber;
}

TEST(Drill, ProvesOneShareAndKeepsTheDate) {
  World world;
  const auto chamber = open_with_operators(world);
  EXPECT_EQ(chamber->status().drills->fresh, 3U) << "whoever registers has shown it";
  world.clock.unix += 91UL * 24 * 60 * 60;
  EXPECT_EQ(chamber->status().drills->fresh, 0U);
  EXPECT_EQ(chamber->status().drills->margin, -2);
  const std::uint64_t now = world.clock.unix;
  for (const char* name : {"alice", "bob", "carol"}) {
    const auto reply = chamber->drill(name, passphrase_of(name), kSource);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->credential_id, "default");
    EXPECT_EQ(reply->drilled_at, now);
  }
  EXPECT_EQ(chamber->status().drills->fresh, 3U);
  EXPECT_EQ(chamber->status().drills->margin, 1);
  EXPECT_EQ(code(chamber->drill("alice", passphrase("not her passphrase at all"), kSource)), "wrong_passphrase");
  EXPECT_EQ(world.record().members.lists[0].entries[1].drilled, now);
}

TEST(Drill, UnsealsNothingAndLapsesOnTheExactSecond) {
  World world;
  const auto chamber = ready_to_unseal(world);
  world.clock.unix += 60;
  ASSERT_TRUE(chamber->drill("alice", passphrase_of("alice"), kSource));
  EXPECT_EQ(chamber->status().state, VisibleState::kms_unsealed);
  EXPECT_EQ(chamber->status().shares_received, 0U);
  world.clock.unix += 90UL * 24 * 60 * 60;
  EXPECT_EQ(chamber->status().drills->fresh, 1U);
  world.clock.unix += 1;
  EXPECT_EQ(chamber->status().drills->fresh, 0U);
  EXPECT_EQ(chamber->status().drills->lapsed, (std::vector<std::string>{"alice", "bob", "carol"}));
}

TEST(Rehearsal, GoesAsFarAsTheRecordsCheckAndOpensNothing) {
  World world;
  const auto chamber = ready_to_unseal(world);
  const SealRecord before = world.record();
  const auto rehearse = [&](const std::string& name) { return chamber->rehearse(name, passphrase_of(name), kSource); };
  EXPECT_EQ(rehearse("alice")->shares_received, 1U);
  EXPECT_EQ(code(rehearse("alice")), "share_repeated");
  const auto complete = rehearse("bob");
  ASSERT_TRUE(complete) << complete.error().message;
  EXPECT_TRUE(complete->would_open);
  EXPECT_EQ(complete->shares_received, 2U);
  EXPECT_EQ(chamber->status().state, VisibleState::kms_unsealed);
  EXPECT_EQ(world.listener.openings, 0U);
  EXPECT_EQ(rehearse("carol")->shares_received, 1U) << "a new rehearsal: the shares were wiped";
  EXPECT_EQ(world.record(), before);
  ASSERT_TRUE(submit(*chamber, "alice"));
  ASSERT_TRUE(submit(*chamber, "bob"));
  ASSERT_TRUE(rehearse("bob")->would_open);
  EXPECT_TRUE(chamber->may_sign()) << "also while signing";
}

TEST(KekProbe, CountsHealthyOnesAndTheMargin) {
  World world;
  const auto chamber = open_kms_only(world);
  EXPECT_FALSE(chamber->status().keks);
  chamber->probe_keks();
  EXPECT_EQ(chamber->status().keks->healthy, 3U);
  EXPECT_EQ(chamber->status().keks->margin, 1);
  world.keks.broken["local://kek-2"] = ErrorKind::kms_denied;
  chamber->probe_keks();
  EXPECT_EQ(chamber->status().keks->healthy, 2U);
  EXPECT_EQ(chamber->status().keks->margin, 0);
  ASSERT_EQ(chamber->status().keks->sick.size(), 1U);
  EXPECT_EQ(chamber->status().keks->sick[0].first, "local://kek-2");
  world.keks.broken.clear();
  ASSERT_TRUE(chamber->rotate_kms({{"local://new-1", "local://new-2"}, 2}));
  EXPECT_FALSE(chamber->status().keks) << "what was probed is not in force any more";
}

}  // namespace
}  // namespace cc::seal
