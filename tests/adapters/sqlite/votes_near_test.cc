// The one statement that finds every vote a new one collides with, against a plain search, imported votes whose source
// lies above their target among them.
#include <algorithm>
#include <random>

#include "adapters/sqlite/sqlite_fixture.h"

namespace cc::sqlite {
namespace {

using guard::SignedAttestation;
using guard::VotesNear;

constexpr std::uint64_t kEpochs = 12;

bool holds(const std::optional<SignedAttestation>& found, const std::vector<SignedAttestation>& votes,
           const auto& collides) {
  const bool any = std::any_of(votes.begin(), votes.end(), collides);
  return found
             ? collides(*found) && std::any_of(votes.begin(), votes.end(),
                                               [&](const SignedAttestation& vote) {
                                                 return vote.source == found->source && vote.target == found->target &&
                                                        vote.signing_root == found->signing_root;
                                               })
             : !any;
}

TEST(VotesNear, AreTheOnesThatAPlainSearchFinds) {
  const test::TemporaryFolder folder;
  const auto store = open_store((folder / "slashing.sqlite").string()).value();
  std::mt19937_64 random(20261124);
  const auto epoch = [&] { return random() % kEpochs; };
  int found = 0;
  ASSERT_TRUE(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (std::uint32_t key = 1; key <= 30; ++key) {
      CC_ASSIGN(const auto row, tx.validator(key_of(key), true));
      std::vector<SignedAttestation> votes(random() % 9);
      for (SignedAttestation& vote : votes) {
        vote = {Epoch{epoch()}, Epoch{epoch()}, root_of(random())};
        CC_TRY(tx.add_attestation(row->id, vote));
      }
      for (std::uint64_t source = 0; source < kEpochs; ++source) {
        for (std::uint64_t target = 0; target < kEpochs; ++target) {
          CC_ASSIGN(const VotesNear near, tx.votes_near(row->id, Epoch{source}, Epoch{target}));
          EXPECT_EQ(near.at_target.size(), static_cast<std::size_t>(std::ranges::count_if(
                                               votes, [&](const auto& vote) { return vote.target.value == target; })));
          EXPECT_TRUE(holds(
              near.surrounding, votes,
              [&](const SignedAttestation& vote) { return vote.source.value < source && vote.target.value > target; }))
              << source << " " << target;
          EXPECT_TRUE(holds(
              near.surrounded, votes,
              [&](const SignedAttestation& vote) { return vote.source.value > source && vote.target.value < target; }))
              << source << " " << target;
          found += (near.surrounding ? 1 : 0) + (near.surrounded ? 1 : 0);
        }
      }
    }
    return {};
  }));
  EXPECT_GT(found, 500);
}

}  // namespace
}  // namespace cc::sqlite
