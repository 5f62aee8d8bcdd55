// What every slashing store holds to, said once: each adapter's tests run these cases on a place of their own, beside
// what is theirs alone. `kSlashingContract` is for every store, `kSharedSlashingContract` for those that several
// signers have open at once.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "guard/interchange.h"
#include "guard/rules.h"
#include "support/checks.h"

namespace cc::test {

// Where one case's store lies. A SQLite store is closed before it is opened again, by whoever has it.
class SlashingPlace {
 public:
  using Store = std::unique_ptr<guard::SlashingStore>;
  using Chamber = std::array<std::uint8_t, 16>;
  virtual ~SlashingPlace() = default;
  virtual Result<Store> try_open(bool must_exist, const std::optional<Chamber>& chamber) = 0;
  Store open(const std::optional<Chamber>& chamber = std::nullopt) {
    auto store = try_open(false, chamber);
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }
  Store reopen(Store& before) {
    before.reset();
    return open();
  }
};

struct SlashingCase {
  const char* name;
  void (*run)(SlashingPlace&);
};
inline std::string name_of(const testing::TestParamInfo<SlashingCase>& one) { return one.param.name; }

namespace contract {

inline void keeps_what_it_recorded_over_a_reopening(SlashingPlace& place) {
  auto store = place.open();
  EXPECT_EQ(ask(*store, block(10, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(2, 3, 1)), "ok");
  store = place.reopen(store);
  for (const auto& asking : {&ask, &ask_alone}) {
    EXPECT_EQ(asking(*store, block(10, 1)), "ok");
    EXPECT_EQ(asking(*store, block(10, 2)), "slashable");
    EXPECT_EQ(asking(*store, vote(2, 3, 1)), "ok");
    EXPECT_EQ(asking(*store, vote(2, 3, 2)), "slashable");
    EXPECT_EQ(asking(*store, vote(1, 4, 2)), "slashable");
  }
}

inline void refuses_each_kind_of_surround_vote_announced_or_not(SlashingPlace& place) {
  auto store = place.open();
  EXPECT_EQ(ask(*store, vote(0, 1, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(4, 8, 1)), "ok");
  for (const auto& asking : {&ask, &ask_alone}) {
    EXPECT_EQ(asking(*store, vote(5, 7, 2)), "slashable");
    EXPECT_EQ(asking(*store, vote(3, 9, 2)), "slashable");
    EXPECT_EQ(asking(*store, vote(4, 8, 2)), "slashable");
    EXPECT_EQ(asking(*store, vote(3, 8, 1)), "slashable");
  }
  EXPECT_EQ(ask(*store, vote(8, 9, 1)), "ok");
}

// Every question about one validator's votes against a plain search.
inline Result<int> compare_with_a_plain_search(guard::SlashingTransaction& tx, const guard::ValidatorRow& row,
                                               const std::vector<guard::SignedAttestation>& votes,
                                               std::uint64_t epochs) {
  using Vote = guard::SignedAttestation;
  int found = 0;
  const auto right = [&](const std::optional<Vote>& answer, const auto& collides) {
    found += answer ? 1 : 0;
    const auto is_answer = [&](const Vote& vote) {
      return vote.source == answer->source && vote.target == answer->target &&
             vote.signing_root == answer->signing_root;
    };
    return answer ? collides(*answer) && std::ranges::any_of(votes, is_answer) : std::ranges::none_of(votes, collides);
  };
  for (Epoch source{0}; source.value < epochs; ++source.value) {
    for (Epoch target{0}; target.value < epochs; ++target.value) {
      CC_ASSIGN(const guard::VotesNear near, tx.votes_near(row.id, source, target));
      EXPECT_EQ(near.at_target.size(), static_cast<std::size_t>(std::ranges::count(votes, target, &Vote::target)));
      EXPECT_TRUE(
          right(near.surrounding, [&](const Vote& vote) { return vote.source < source && vote.target > target; }))
          << source.value << " " << target.value;
      EXPECT_TRUE(
          right(near.surrounded, [&](const Vote& vote) { return vote.source > source && vote.target < target; }))
          << source.value << " " << target.value;
    }
  }
  return found;
}

// Imported votes whose source lies above their target are among them.
inline void finds_the_votes_near_a_new_one_that_a_plain_search_finds(SlashingPlace& place) {
  constexpr std::uint64_t kEpochs = 9;
  auto store = place.open();
  std::mt19937_64 random(20261124);
  const auto epoch = [&] { return Epoch{random() % kEpochs}; };
  int found = 0;
  for (std::uint32_t key = 1; key <= 10; ++key) {
    std::vector<guard::SignedAttestation> votes(random() % 9);
    std::vector<guard::LookAhead> ahead;
    for (std::uint64_t pair = 0; pair < kEpochs * kEpochs; ++pair) {
      ahead.push_back({key_of(key), {}, Epoch{pair / kEpochs}, Epoch{pair % kEpochs}});
    }
    const auto compare = [&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(const auto row, tx.validator(key_of(key), true));
      CC_ASSIGN(const int more, compare_with_a_plain_search(tx, *row, votes, kEpochs));
      found += more;
      return {};
    };
    const auto add = [&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(const auto row, tx.validator(key_of(key), true));
      for (guard::SignedAttestation& vote : votes) {
        vote = {epoch(), epoch(), root_of(random())};
        CC_TRY(tx.add_attestation(row->id, vote));
      }
      return compare(tx);
    };
    const Result<void> added = key % 2 == 0 ? store->transact_ahead(ahead, add) : store->transact(add);
    ASSERT_TRUE(added) << added.error().message;
    const Result<void> after = key % 2 == 0 ? store->transact(compare) : store->transact_ahead(ahead, compare);
    ASSERT_TRUE(after) << after.error().message;
  }
  EXPECT_GT(found, 200);
}

inline void sees_what_the_same_batch_recorded_before(SlashingPlace& place) {
  auto store = place.open();
  const std::vector<guard::Check> batch{block(5, 1),   block(5, 2),   block(5, 1),   vote(3, 6, 1),  vote(4, 5, 1),
                                        vote(2, 7, 1), vote(3, 6, 2), vote(3, 6, 1), block(5, 1, 2), vote(6, 7, 9)};
  std::vector<guard::LookAhead> ahead;
  for (const guard::Check& check : batch) {
    ahead.push_back(guard::look_ahead(check));
  }
  std::string said;
  ASSERT_TRUE(store->transact_ahead(ahead, [&](guard::SlashingTransaction& tx) -> Result<void> {
    for (const guard::Check& check : batch) {
      CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, guard::Policy{}, check));
      said += verdict ? '-' : '+';
    }
    return {};
  }));
  EXPECT_EQ(said, "+-++---+++");
  EXPECT_EQ(store->identity()->commits, 1U);
}

inline void is_not_made_when_it_must_exist(SlashingPlace& place) {
  const auto store = place.try_open(true, std::nullopt);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::not_found);
}

inline void counts_runs_and_commits_and_not_refusals(SlashingPlace& place) {
  auto store = place.open();
  const auto first = store->identity();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->run, 0U);
  EXPECT_EQ(first->commits, 0U);
  EXPECT_FALSE(first->chamber);
  EXPECT_EQ(store->begin_run()->run, 1U);
  EXPECT_EQ(store->identity()->commits, 1U);
  EXPECT_EQ(ask(*store, block(10, 1)), "ok");
  EXPECT_EQ(store->identity()->commits, 2U);
  EXPECT_EQ(ask(*store, block(10, 2)), "slashable");
  EXPECT_EQ(ask(*store, block(10, 1)), "ok");
  EXPECT_EQ(store->identity()->commits, 2U);
  store = place.reopen(store);
  EXPECT_EQ(store->identity()->id, first->id);
  EXPECT_EQ(store->identity()->run, 1U);
  EXPECT_EQ(store->begin_run()->run, 2U);
}

inline void keeps_nothing_of_a_transaction_that_fails_or_throws(SlashingPlace& place) {
  auto store = place.open();
  const auto failing = store->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::check_and_record(tx, guard::Policy{}, block(10, 1)));
    return fail(ErrorKind::overloaded, "given up");
  });
  EXPECT_EQ(failing.error().kind, ErrorKind::overloaded);
  const auto throwing = store->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::check_and_record(tx, guard::Policy{}, block(10, 1)));
    throw std::bad_alloc();
  });
  EXPECT_EQ(throwing.error().kind, ErrorKind::internal);
  EXPECT_EQ(store->identity()->commits, 0U);
  EXPECT_EQ(ask(*store, block(10, 2)), "ok");
}

inline void orders_numbers_of_all_64_bits(SlashingPlace& place) {
  auto store = place.open();
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
  EXPECT_EQ(ask(*store, vote(0, 1, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(kTop - 1, kTop + 1, 1)), "ok");
  EXPECT_EQ(ask(*store, vote(5, ~std::uint64_t{0}, 1)), "slashable");
  EXPECT_EQ(ask(*store, vote(kTop, kTop, 1)), "slashable");
  EXPECT_EQ(ask(*store, block(~std::uint64_t{0}, 1)), "ok");
  EXPECT_EQ(ask(*store, block(~std::uint64_t{0}, 2)), "slashable");
}

inline void refuses_to_lower_watermarks(SlashingPlace& place) {
  auto store = place.open();
  EXPECT_EQ(ask(*store, block(10, 1)), "ok");
  const auto lowered = store->transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(auto row, tx.validator(key_of(1), false));
    row->low.block_slot = Slot{9};
    return tx.update_validator(*row);
  });
  ASSERT_FALSE(lowered);
  EXPECT_EQ(lowered.error().kind, ErrorKind::store_unavailable);
}

inline void raises_its_floor_only(SlashingPlace& place) {
  auto store = place.open();
  const auto raise = [&](guard::Watermarks floor) {
    EXPECT_TRUE(store->transact([&](guard::SlashingTransaction& tx) { return tx.raise_floor(floor); }));
    store = place.reopen(store);
    guard::Watermarks now;
    EXPECT_TRUE(store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(now, tx.floor());
      return {};
    }));
    return now;
  };
  EXPECT_EQ(raise({}), guard::Watermarks{});
  EXPECT_EQ(raise({Slot{5}, std::nullopt, Epoch{7}}), (guard::Watermarks{Slot{5}, std::nullopt, Epoch{7}}));
  EXPECT_EQ(raise({Slot{4}, Epoch{1}, Epoch{9}}), (guard::Watermarks{Slot{5}, Epoch{1}, Epoch{9}}));
}

inline void exports_what_was_imported(SlashingPlace& place) {
  auto store = place.open();
  guard::Interchange file;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    file.data.push_back({key_of(i), {}, {}});
    for (std::uint64_t n = 1; n <= 40; ++n) {
      file.data.back().blocks.push_back({Slot{n}, root_of(n)});
      file.data.back().attestations.push_back({Epoch{n}, Epoch{n + 1}, root_of(n)});
    }
  }
  const auto imported = store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::import_interchange(tx, file, guard::Strategy::complete, guard::Gap::open));
    return {};
  });
  ASSERT_TRUE(imported) << imported.error().message;
  const auto looked = store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto out, guard::export_interchange(tx, guard::ExportForm::complete, {}));
    EXPECT_EQ(out.data.size(), 10U);
    for (const auto& entry : out.data) {
      EXPECT_EQ(entry.blocks.size(), 40U);
      EXPECT_EQ(entry.attestations.size(), 40U);
    }
    return {};
  });
  ASSERT_TRUE(looked) << looked.error().message;
  EXPECT_EQ(ask(*store, block(20, 7, 3)), "slashable");
  EXPECT_EQ(ask(*store, block(20, 20, 3)), "ok");
}

// ---- several signers at once

inline void keeps_the_epoch_of_each_chamber_apart(SlashingPlace& place) {
  auto store = place.open();
  ASSERT_TRUE(store->name_chamber({1}, 3, root_of(3)));
  ASSERT_TRUE(store->name_chamber({1}, 3, root_of(4)));
  EXPECT_EQ(store->name_chamber({1}, 2, root_of(2)).error().kind, ErrorKind::record_older);
  EXPECT_EQ(store->identity()->highest_epoch, 3U);
  EXPECT_EQ(store->identity()->core_digest, root_of(4));
  auto other = place.open(SlashingPlace::Chamber{2});
  EXPECT_FALSE(other->identity()->chamber);
  ASSERT_TRUE(other->name_chamber({2}, 1, root_of(5)));
  EXPECT_EQ(other->identity()->chamber, SlashingPlace::Chamber{2});
  EXPECT_EQ(store->identity()->chamber, SlashingPlace::Chamber{1});
  EXPECT_EQ(place.open(SlashingPlace::Chamber{1})->identity()->highest_epoch, 3U);
}

inline void looks_without_holding_up_signers_and_without_writing(SlashingPlace& place) {
  auto store = place.open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  ASSERT_TRUE(store->look([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(tx.validators());
    EXPECT_EQ(ask(*store, block(2, 1)), "ok");
    CC_ASSIGN(const auto row, tx.validator(key_of(1), false));
    return tx.add_block(row->id, {Slot{9}, root_of(1)});
  }));
  EXPECT_EQ(ask(*store, block(9, 2)), "ok");
}

inline void refuses_a_network_that_another_signer_did_not_mean(SlashingPlace& place) {
  auto store = place.open();
  auto other = place.open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  guard::Check foreign = block(2, 1, 2);
  foreign.genesis_validators_root = root_of(99);
  EXPECT_EQ(ask(*other, foreign), "network_mismatch");
}

inline void a_key_withdrawn_through_one_signer_is_withdrawn_for_all(SlashingPlace& place) {
  auto store = place.open();
  auto other = place.open();
  EXPECT_EQ(ask(*store, block(1, 1)), "ok");
  ASSERT_TRUE(other->transact([](guard::SlashingTransaction& tx) { return guard::withdraw(tx, key_of(1)); }));
  EXPECT_EQ(ask(*store, block(2, 1)), "key_retired");
  ASSERT_TRUE(other->transact([](guard::SlashingTransaction& tx) { return guard::permit(tx, key_of(1), false); }));
  EXPECT_EQ(ask(*store, block(2, 1)), "ok");
}

}  // namespace contract

inline constexpr SlashingCase kSlashingContract[] = {
    {"KeepsWhatItRecordedOverAReopening", contract::keeps_what_it_recorded_over_a_reopening},
    {"RefusesEachKindOfSurroundVoteAnnouncedOrNot", contract::refuses_each_kind_of_surround_vote_announced_or_not},
    {"FindsTheVotesNearANewOneThatAPlainSearchFinds",
     contract::finds_the_votes_near_a_new_one_that_a_plain_search_finds},
    {"SeesWhatTheSameBatchRecordedBefore", contract::sees_what_the_same_batch_recorded_before},
    {"IsNotMadeWhenItMustExist", contract::is_not_made_when_it_must_exist},
    {"CountsRunsAndCommitsAndNotRefusals", contract::counts_runs_and_commits_and_not_refusals},
    {"KeepsNothingOfATransactionThatFailsOrThrows", contract::keeps_nothing_of_a_transaction_that_fails_or_throws},
    {"OrdersNumbersOfAll64Bits", contract::orders_numbers_of_all_64_bits},
    {"RefusesToLowerWatermarks", contract::refuses_to_lower_watermarks},
    {"RaisesItsFloorOnly", contract::raises_its_floor_only},
    {"ExportsWhatWasImported", contract::exports_what_was_imported},
};
inline constexpr SlashingCase kSharedSlashingContract[] = {
    {"KeepsTheEpochOfEachChamberApart", contract::keeps_the_epoch_of_each_chamber_apart},
    {"LooksWithoutHoldingUpSignersAndWithoutWriting", contract::looks_without_holding_up_signers_and_without_writing},
    {"RefusesANetworkThatAnotherSignerDidNotMean", contract::refuses_a_network_that_another_signer_did_not_mean},
    {"AKeyWithdrawnThroughOneSignerIsWithdrawnForAll",
     contract::a_key_withdrawn_through_one_signer_is_withdrawn_for_all},
};

}  // namespace cc::test
