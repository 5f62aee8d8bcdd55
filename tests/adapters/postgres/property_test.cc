// The property of tests/guard/property_test.cc on a real PostgreSQL, over two stores in turn.
#include "support/postgres_cluster.h"
#include "support/property_world.h"

namespace cc::guard {
namespace {

// Two signers take turns on one database.
class TakingTurns final : public SlashingStore {
 public:
  TakingTurns(SlashingStore& one, SlashingStore& two) : stores_{&one, &two} {}
  Result<void> transact(const Work& work) override { return next().transact(work); }
  Result<void> transact_ahead(std::span<const LookAhead> ahead, const Work& work) override {
    return next().transact_ahead(ahead, work);
  }
  Result<StoreIdentity> identity() override { return stores_[0]->identity(); }
  Result<StoreIdentity> begin_run() override { return stores_[0]->begin_run(); }
  Result<void> name_chamber(const std::array<std::uint8_t, 16>& chamber, std::uint64_t epoch,
                            const Root& digest) override {
    return stores_[0]->name_chamber(chamber, epoch, digest);
  }

 private:
  SlashingStore& next() {
    turn_ = !turn_;
    return *stores_[turn_ ? 1 : 0];
  }
  std::array<SlashingStore*, 2> stores_;
  bool turn_ = false;
};

TEST(Property, NothingSlashableIsReleasedByTwoSignersOnOneDatabase) {
  const auto steps = rc::gen::container<std::vector<Step>>(any_step());
  int released = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::string schema = test::fresh_schema();
    const test::PostgresCluster& cluster = test::PostgresCluster::get();
    const auto one = test::open_postgres(cluster.settings(schema)).value();
    const auto two = test::open_postgres(cluster.settings(schema)).value();
    TakingTurns store(*one, *two);
    World world(store);
    EXPECT_TRUE(world.run(steps(rc::Random(seed), 80).value())) << "seed " << seed;
    released += world.released();
  }
  EXPECT_GT(released, 20);
}

}  // namespace
}  // namespace cc::guard
