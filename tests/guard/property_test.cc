// Nothing slashable is released in any interleaving (the model: tests/support/property_world.h).
#include "support/property_world.h"

#include "adapters/sqlite/slashing_store.h"
#include "support/process.h"

namespace cc::guard {
namespace {

TEST(Property, NothingSlashableIsReleasedInAnyInterleaving) {
  int released = 0;
  EXPECT_TRUE(rc::check("memory store with failing commits", [&] {
    MemorySlashingStore store;
    World world(store, &store);
    RC_ASSERT(world.run(random_steps()));
    released += world.released();
  }));
  EXPECT_GT(released, 100) << "the property must not hold for want of signatures";
}

TEST(Property, HoldsOnSqliteToo) {
  test::TemporaryFolder folder;
  const auto steps = rc::gen::container<std::vector<Step>>(any_step());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::SeededRandom random(seed);
    auto store = sqlite::SqliteSlashingStore::open((folder / (std::to_string(seed) + ".sqlite")).string(),
                                                   sqlite::OpenMode::open_or_create, random);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE(World(**store).run(steps(rc::Random(seed), 80).value())) << "seed " << seed;
  }
}

// The detector must find a store that forgets surround votes, and one that forgets roots.
TEST(Property, FindsAPlantedFault) {
  class Forgetful final : public SlashingStore {
   public:
    Result<void> transact(const std::function<Result<void>(SlashingTransaction&)>& work) override {
      MemorySlashingStore fresh;  // forgets everything between transactions
      return fresh.transact(work);
    }
    Result<StoreIdentity> identity() override { return StoreIdentity{}; }
    Result<StoreIdentity> begin_run() override { return StoreIdentity{}; }
    Result<void> name_chamber(const std::array<std::uint8_t, 16>&, std::uint64_t, const Root&) override { return {}; }
  };
  const auto step = [](Step::Kind kind, std::uint64_t a, std::uint64_t b, std::uint8_t root) {
    Step out;
    out.kind = kind;
    out.a = a;
    out.b = b;
    out.root = root;
    return out;
  };
  Forgetful store;
  EXPECT_FALSE(World(store).run({step(Step::sign_block, 5, 0, 1), step(Step::sign_block, 5, 0, 2)}));
  EXPECT_FALSE(World(store).run({step(Step::sign_vote, 2, 5, 1), step(Step::sign_vote, 3, 5, 1)}));
  EXPECT_FALSE(World(store).run({step(Step::sign_vote, 2, 5, 1), step(Step::sign_vote, 1, 6, 1)}));
  EXPECT_FALSE(World(store).run({step(Step::sign_vote, 2, 5, 1), step(Step::sign_vote, 3, 4, 1)}));
  EXPECT_FALSE(World(store).run({step(Step::withdraw_key, 0, 0, 1), step(Step::sign_block, 4, 0, 1)}));
  EXPECT_FALSE(World(store).run({step(Step::import_file, 5, 9, 1), step(Step::sign_block, 5, 0, 2)}));
}

// Asks without leaving a trace: the transaction is given up.
bool would_allow(SlashingStore& store, const Policy& policy, const Check& check) {
  bool allowed = false;
  static_cast<void>(change(store, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const Verdict verdict, check_and_record(tx, policy, check));
    allowed = !verdict;
    return fail(ErrorKind::internal, "given up on purpose");
  }));
  return allowed;
}

TEST(Property, AnImportedExportIsAtLeastAsStrictAsItsSource) {
  EXPECT_TRUE(rc::check("export, write, read, import", [] {
    MemorySlashingStore source;
    ASSERT_TRUE(change(source, [](SlashingTransaction& tx) { return set_network(tx, root_of(0)); }));
    World(source).run(random_steps());
    for (const bool minimal : {false, true}) {
      MemorySlashingStore copy;
      Interchange out;
      ASSERT_TRUE(change(source, [&](SlashingTransaction& tx) -> Result<void> {
        CC_ASSIGN(out, export_interchange(tx, minimal ? ExportForm::minimal : ExportForm::complete, {}));
        return {};
      }));
      const auto read = parse_interchange(write_interchange(out));
      RC_ASSERT(read.has_value());
      const Policy policy = minimal ? kMinimal : kComplete;
      ASSERT_TRUE(change(copy, [&](SlashingTransaction& tx) -> Result<void> {
        CC_TRY(import_interchange(tx, *read, policy.strategy));
        return {};
      }));
      for (const InterchangeEntry& entry : read->data) {
        ASSERT_TRUE(change(source, [&](SlashingTransaction& tx) { return permit(tx, entry.key, false); }));
        for (const std::uint8_t root : std::initializer_list<std::uint8_t>{0, 1, 77}) {
          for (std::uint64_t a = 0; a < 12; ++a) {
            Check check{entry.key, BlockCheck{Slot{a}}, root_of(root), root_of(0)};
            RC_ASSERT(!would_allow(copy, policy, check) || would_allow(source, policy, check));
            for (std::uint64_t b = a; b < 12; ++b) {
              check.duty = AttestationCheck{Epoch{a}, Epoch{b}};
              RC_ASSERT(!would_allow(copy, policy, check) || would_allow(source, policy, check));
            }
          }
        }
      }
    }
  }));
}

}  // namespace
}  // namespace cc::guard
