// Another master key for records that several signers share: on every emulator, with a crash at each write, and side by
// side where the emulator can.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "adapters/dynamodb/key_store.h"
#include "keys/key_service.h"
#include "support/dynamo_emulator.h"
#include "support/memory_key_store.h"

namespace cc::dynamodb {
namespace {

using keys::KeyService;
using keys::KeyStatus;
using keys::StoredKey;
using test::DynamoEmulator;
using test::DynamoKind;
using test::DynamoTable;
using testing::HasSubstr;

struct Crash {};

// Dies before or after the n-th write of reseal().
class CrashingStore final : public keys::KeyStore {
 public:
  CrashingStore(keys::KeyStore& inner, int at, bool before) : inner_(inner), left_(at), before_(before) {}
  Result<void> for_each(std::optional<KeyStatus> only,
                        const std::function<Result<void>(const StoredKey&)>& visit) override {
    return inner_.for_each(only, visit);
  }
  Result<std::uint64_t> count(std::optional<KeyStatus> only) override { return inner_.count(only); }
  Result<std::vector<StoredKey>> page(const std::optional<BlsPublicKey>& after, std::size_t limit) override {
    return inner_.page(after, limit);
  }
  Result<std::optional<StoredKey>> find(const BlsPublicKey& key) override { return inner_.find(key); }
  Result<std::vector<bool>> add(const std::vector<StoredKey>& records) override { return inner_.add(records); }
  Result<void> replace_all(const std::vector<StoredKey>& records) override { return inner_.replace_all(records); }
  Result<bool> exchange(const StoredKey& before, const StoredKey& after) override {
    return written([&] { return inner_.exchange(before, after); });
  }
  Result<void> remove(const BlsPublicKey& key) override { return inner_.remove(key); }
  Result<std::optional<Bytes>> sentinel() override { return inner_.sentinel(); }
  Result<bool> exchange_sentinel(const std::optional<Bytes>& before, ByteView after) override {
    return written([&] { return inner_.exchange_sentinel(before, after); });
  }
  void hold_to(ByteView sentinel) override { inner_.hold_to(sentinel); }
  Result<std::uint64_t> changes() override { return inner_.changes(); }

 private:
  template <class Work>
  Result<bool> written(const Work& work) {
    const bool here = left_-- == 0;
    if (here && before_) {
      throw Crash{};
    }
    Result<bool> out = work();
    if (here) {
      throw Crash{};
    }
    return out;
  }
  keys::KeyStore& inner_;
  int left_;
  bool before_;
};

// What one signer has: its own view of the table, ring and service.
struct Signer {
  Signer(std::unique_ptr<DynamoKeyStore> opened, Random& random) : store(std::move(opened)), random_(random) {}
  test::EventList events;
  std::unique_ptr<DynamoKeyStore> store;
  test::MemoryPermits permits{events};
  keys::KeyRing ring;
  SystemClock clock;
  Random& random_;
  KeyService service{*store, ring, permits, random_, clock};
};

class MasterKeyChange : public testing::TestWithParam<DynamoKind> {
 protected:
  void SetUp() override {
    CC_NEEDS_DYNAMO(GetParam());
    ASSERT_TRUE(DynamoEmulator::get(GetParam()).up());
    log::configure(log::Level::error, log::Format::text);
    fresh_table();
  }
  void fresh_table() { place_ = std::make_unique<DynamoTable>(DynamoEmulator::get(GetParam())); }
  std::unique_ptr<DynamoKeyStore> open() {
    auto out = DynamoKeyStore::open(place_->table(), 8);
    EXPECT_TRUE(out) << out.error().message;
    return *std::move(out);
  }
  std::unique_ptr<Signer> signer() { return std::make_unique<Signer>(open(), random_); }
  keys::MasterKeysView old_alone() const { return {old_id_, {{old_id_, &old_key_}}}; }
  keys::MasterKeysView both() const { return {new_id_, {{old_id_, &old_key_}, {new_id_, &new_key_}}}; }
  keys::MasterKeysView new_alone() const { return {new_id_, {{new_id_, &new_key_}}}; }
  static void move_all(KeyService& service, const keys::ChamberId& chamber, const keys::MasterKeysView& both) {
    while (true) {
      const auto moved = service.reseal(chamber, both, 16);
      ASSERT_TRUE(moved) << moved.error().message;
      if (moved->left == 0) {
        return;
      }
    }
  }

  SystemRandom random_;
  keys::ChamberId chamber_{7};
  keys::MasterKeyId old_id_{1}, new_id_{2};
  Secret<32> old_key_ = random_.secret<32>();
  Secret<32> new_key_ = random_.secret<32>();
  std::unique_ptr<DynamoTable> place_;
};
INSTANTIATE_TEST_SUITE_P(OnEveryEmulator, MasterKeyChange, testing::ValuesIn(test::every_emulator()),
                         [](const auto& one) { return one.param == DynamoKind::moto ? "Moto" : "Dynoxide"; });

TEST_P(MasterKeyChange, WhoHoldsToAnotherSentinelAddsAndReplacesNothing) {
  const auto one = open();
  const auto two = open();
  StoredKey key{{0x90}, KeyStatus::active, {1}};
  EXPECT_EQ(one->exchange_sentinel(Bytes{9}, Bytes{1}), false) << "there is none";
  EXPECT_EQ(one->exchange_sentinel(std::nullopt, Bytes{1}), true);
  EXPECT_EQ(two->exchange_sentinel(std::nullopt, Bytes{2}), false);
  two->hold_to(Bytes{1});
  ASSERT_TRUE(two->add({key}));
  EXPECT_EQ(one->exchange_sentinel(Bytes{1}, Bytes{2}), true);
  EXPECT_EQ(**two->sentinel(), Bytes{2});

  const std::uint64_t changes = *two->changes();
  const auto refused = two->add({{{0x91}, KeyStatus::active, {1}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::record_conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("another signer put a new master key in force"));
  StoredKey changed = key;
  changed.status = KeyStatus::inactive;
  EXPECT_EQ(two->replace(changed).error().kind, ErrorKind::record_conflict);
  EXPECT_EQ(*two->changes(), changes);
  EXPECT_EQ(two->count(std::nullopt), 1U);

  two->hold_to(Bytes{2});
  EXPECT_TRUE(two->replace(changed));
  EXPECT_TRUE(two->remove(key.public_key)) << "what leaves needs no master key";
}

TEST_P(MasterKeyChange, ARecordIsMovedOnlyFromWhatWasReadAndCountsAsNoChange) {
  const auto store = open();
  const StoredKey key{{0x90}, KeyStatus::active, {1}};
  ASSERT_TRUE(store->add({key}));
  const std::uint64_t changes = *store->changes();
  StoredKey moved = key;
  moved.record = {2};
  EXPECT_EQ(store->exchange({key.public_key, KeyStatus::active, {9}}, moved), false);
  EXPECT_EQ(store->exchange({key.public_key, KeyStatus::inactive, {1}}, {key.public_key, KeyStatus::inactive, {2}}),
            false);
  EXPECT_EQ(store->exchange(key, moved), true);
  EXPECT_EQ(store->exchange(key, moved), false);
  EXPECT_EQ((*store->find(key.public_key))->record, Bytes{2});
  EXPECT_EQ(store->changes(), changes) << "the other replicas need not read everything again";
  EXPECT_EQ(store->exchange(moved, {key.public_key, KeyStatus::inactive, {2}}), true);
  EXPECT_EQ(store->count(KeyStatus::inactive), 1U);
}

TEST_P(MasterKeyChange, ACrashAtAnyWriteLosesNoKeyAndAnotherSignerGoesOn) {
  for (const bool before : {true, false}) {
    for (int at = 0, crashed = 1; crashed == 1; ++at) {
      SCOPED_TRACE(std::to_string(at) + (before ? " before" : " after"));
      fresh_table();
      const auto one = signer();
      ASSERT_TRUE(one->service.load(chamber_, old_alone()));
      ASSERT_TRUE(one->service.generate(4));
      {
        CrashingStore crashing(*one->store, at, before);
        KeyService dying(crashing, one->ring, one->permits, random_, one->clock);
        crashed = 0;
        try {
          ASSERT_TRUE(dying.load(chamber_, both()));
          move_all(dying, chamber_, both());
        } catch (const Crash&) {
          crashed = 1;
        }
      }
      const auto two = signer();
      EXPECT_EQ(two->service.load(chamber_, both()).value(), 4U);
      move_all(two->service, chamber_, both());
      EXPECT_EQ(signer()->service.load(chamber_, new_alone()).value(), 4U);
      EXPECT_FALSE(signer()->service.load(chamber_, old_alone())) << "nothing stands under the old one";
      EXPECT_EQ(two->store->count(KeyStatus::active), 4U);
      EXPECT_TRUE(crashed == 1 || at == 5) << "a sentinel and four records";
    }
  }
}

class RacingMasterKeyChange : public MasterKeyChange {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RacingMasterKeyChange);
INSTANTIATE_TEST_SUITE_P(OnDynoxide, RacingMasterKeyChange, testing::ValuesIn(test::racing_emulators()),
                         [](const auto&) { return "Dynoxide"; });

// Two move records, one knows of nothing and goes on making keys: it is refused, or its key is moved like the others.
TEST_P(RacingMasterKeyChange, NoKeyIsLostWhereSomeMoveAndOneKnowsNothing) {
  const auto first = signer();
  ASSERT_TRUE(first->service.load(chamber_, old_alone()));
  ASSERT_TRUE(first->service.generate(40));
  const auto unaware = signer();
  ASSERT_TRUE(unaware->service.load(chamber_, old_alone()));
  std::atomic<bool> moved = false;
  std::atomic<std::uint64_t> made = 0, waiting = 0, refused = 0;
  std::thread making([&] {
    while (!moved || refused == 0) {
      const auto one = unaware->service.generate(1);
      if (one) {
        // Stored before the sentinel changed, and not in force any more: it says so.
        ++(one->front().outcome == keys::KeyOutcome::generated ? made : waiting);
      } else {
        EXPECT_EQ(one.error().kind, ErrorKind::record_conflict) << one.error().message;
        ++refused;
      }
    }
  });
  std::vector<std::thread> movers;
  for (int i = 0; i < 2; ++i) {
    movers.emplace_back([&] {
      const auto mover = signer();
      const auto loaded = mover->service.load(chamber_, both());
      ASSERT_TRUE(loaded) << loaded.error().message;
      move_all(mover->service, chamber_, both());
    });
  }
  for (std::thread& mover : movers) {
    mover.join();
  }
  moved = true;
  making.join();
  const auto later = signer();
  const auto loaded = later->service.load(chamber_, new_alone());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(later->store->count(std::nullopt), 40 + made + waiting) << refused << " refused";
  EXPECT_EQ(unaware->ring.size(), 40 + made) << "it signs on";
}

}  // namespace
}  // namespace cc::dynamodb
