#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/parallel.h"
#include "keys/key_service.h"
#include "support/memory_key_store.h"
#include "support/ring_keys.h"
#include "support/seeded_random.h"

namespace cc::keys {
namespace {

using testing::HasSubstr;

struct Loading : testing::Test {
  test::EventList events;
  test::MemoryKeyStore store{events};
  test::MemoryPermits permits{events};
  KeyRing ring;
  void SetUp() override { log::configure(log::Level::error, log::Format::text); }
  test::SeededRandom random{5};
  SystemClock clock;
  ChamberId chamber{7};
  MasterKeyId id{1};
  Secret<32> master_key = random.secret<32>();
  RecordKeys keys = derive_record_keys(chamber, id, master_key);

  MasterKeysView view() const { return {id, {{id, &master_key}}}; }
  Result<std::uint64_t> load(KeyServiceOptions options = {}) {
    KeyService service(store, ring, permits, random, clock, std::move(options));
    return service.load(chamber, view());
  }
  void put(const RecordKeys& under, const BlsPublicKey& public_key, KeyStatus status = KeyStatus::active) {
    const auto secret = crypto::BlsSecretKey::from_checked(random.secret<32>());
    KeyRecord record = seal_key(under, secret, public_key, "", 1, random);
    if (status == KeyStatus::inactive) {
      ASSERT_TRUE(set_status(under, record, status, 2));
    }
    store.records[public_key] = {public_key, status, encode(record)};
  }
  // Bytes that are no curve point: whoever tried to derive or to check a public key would notice.
  BlsPublicKey not_a_point(std::uint32_t number) {
    BlsPublicKey out = random.array<48>();
    out[0] = 0x00;
    out[47] = static_cast<std::uint8_t>(number);
    EXPECT_FALSE(crypto::is_public_key(out));
    return out;
  }
};

TEST_F(Loading, TenThousandKeysAreLoadedInOnePassWithoutDerivingAPublicKey) {
  constexpr std::uint32_t kKeys = 10'000;
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    put(keys, not_a_point(i));
  }
  ASSERT_TRUE(*store.exchange_sentinel(std::nullopt, seal_sentinel(keys, random)));
  std::vector<std::uint64_t> progress;
  const auto loaded = load({.progress_every = 1000, .progress = [&](std::uint64_t done, std::uint64_t total) {
                              progress.push_back(done);
                              EXPECT_EQ(total, kKeys);
                            }});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(*loaded, kKeys);
  EXPECT_EQ(ring.size(), kKeys);
  EXPECT_EQ(store.calls["for_each"], 1);
  EXPECT_EQ(store.calls["find"], 0);
  EXPECT_EQ(store.calls["page"], 0);
  EXPECT_EQ(progress.size(), 11U);
  EXPECT_EQ(progress.back(), kKeys);
}

TEST_F(Loading, AnEmptyStoreGetsItsSentinel) {
  ASSERT_EQ(load().value(), 0U);
  ASSERT_TRUE(store.stored_sentinel);
  EXPECT_TRUE(check_sentinel(keys, *store.stored_sentinel));
  EXPECT_TRUE(load());
}

TEST_F(Loading, AnotherMasterKeyIsNamedBeforeAnyRecordIsRead) {
  ASSERT_TRUE(load());
  put(keys, not_a_point(1));
  expose_secret_bytes(master_key)[0] ^= 1;
  store.calls.clear();
  const auto loaded = load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::wrong_master_key);
  EXPECT_EQ(store.calls["for_each"], 0);
  EXPECT_EQ(ring.size(), 0U);
}

TEST_F(Loading, AMissingSentinelIsWrittenAgainOnlyWhenEveryRecordIsProven) {
  put(keys, not_a_point(1));
  put(keys, not_a_point(2), KeyStatus::inactive);
  EXPECT_EQ(load().value(), 1U);
  EXPECT_TRUE(check_sentinel(keys, store.stored_sentinel.value()));
  store.stored_sentinel.reset();
  id[0] ^= 0xff;
  EXPECT_EQ(load().error().kind, ErrorKind::wrong_master_key);
  EXPECT_FALSE(store.stored_sentinel);
}

TEST_F(Loading, ATamperedRecordKeepsTheServiceClosedAndTheRingEmpty) {
  ASSERT_TRUE(load());
  put(keys, not_a_point(1));
  put(keys, not_a_point(2));
  store.records.begin()->second.record.back() ^= 1;
  KeyService service(store, ring, permits, random, clock);
  const auto loaded = service.load(chamber, view());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::key_record_tampered);
  EXPECT_THAT(loaded.error().message, HasSubstr(to_0x(store.records.begin()->first)));
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_FALSE(service.is_open());
}

TEST_F(Loading, ADamagedRecordNamesItsKey) {
  ASSERT_TRUE(load());
  put(keys, not_a_point(1));
  store.records.begin()->second.record.pop_back();
  const auto loaded = load();
  EXPECT_EQ(loaded.error().kind, ErrorKind::record_malformed);
  EXPECT_THAT(loaded.error().message, HasSubstr(to_0x(store.records.begin()->first)));
}

TEST_F(Loading, AStatusColumnThatWasAlteredNeitherWakesNorHidesAKey) {
  ASSERT_TRUE(load());
  put(keys, not_a_point(1), KeyStatus::inactive);
  store.records.begin()->second.status = KeyStatus::active;
  EXPECT_EQ(load().error().kind, ErrorKind::key_record_tampered);
  store.records.clear();
  put(keys, not_a_point(2), KeyStatus::active);
  store.records.begin()->second.status = KeyStatus::inactive;
  EXPECT_EQ(load().error().kind, ErrorKind::key_record_tampered);
}

TEST_F(Loading, ARecordUnderTheNameOfAnotherKeyIsTampered) {
  ASSERT_TRUE(load());
  put(keys, not_a_point(1));
  keys::StoredKey moved = store.records.begin()->second;
  moved.public_key = not_a_point(2);
  store.records = {{moved.public_key, moved}};
  EXPECT_EQ(load().error().kind, ErrorKind::key_record_tampered);
}

TEST_F(Loading, RecordsUnderARetiringMasterKeyLoadToo) {
  const MasterKeyId old_id{2};
  const Secret<32> old_key = random.secret<32>();
  const RecordKeys old_keys = derive_record_keys(chamber, old_id, old_key);
  put(old_keys, not_a_point(1));
  put(keys, not_a_point(2));
  ASSERT_TRUE(*store.exchange_sentinel(std::nullopt, seal_sentinel(old_keys, random)));
  KeyService service(store, ring, permits, random, clock);
  EXPECT_FALSE(service.load(chamber, view())) << "the retiring key is not held";
  EXPECT_EQ(service.load(chamber, {id, {{id, &master_key}, {old_id, &old_key}}}).value(), 2U);
}

TEST_F(Loading, LoadingAgainReplacesTheSealedKeysAndKeepsTheOthers) {
  ring.add(test::ring_key(1, KeySource::memory));
  put(keys, not_a_point(1));
  KeyService service(store, ring, permits, random, clock);
  ASSERT_TRUE(service.load(chamber, view()));
  store.records.clear();
  put(keys, not_a_point(2));
  EXPECT_EQ(service.load(chamber, view()).value(), 1U);
  EXPECT_EQ(ring.size(), 2U);
  service.close();
  EXPECT_EQ(ring.size(), 0U) << "after a seal nothing signs from any source";
}

// An inactive key whose permit was withdrawn may join and signs nothing; one that never had its permit must not.
TEST_F(Loading, InactiveKeysJoinOnlyWhenAskedForAndNeverBeforeTheirPermit) {
  const auto stored = [&](std::uint32_t number, bool switched_off) {
    const auto secret = crypto::BlsSecretKey::from_bytes(test::scalar(number)).value();
    KeyRecord record = seal_key(keys, secret, secret.public_key(), "", 1, random, KeyStatus::inactive);
    if (switched_off) {
      ASSERT_TRUE(set_status(keys, record, KeyStatus::inactive, 2));
    }
    ASSERT_TRUE(store.add({{record.public_key, record.status, encode(record)}}));
  };
  stored(1, false);
  stored(2, true);
  EXPECT_EQ(load().value(), 0U);
  EXPECT_EQ(load({.load_inactive = true, .progress = nullptr}).value(), 1U);
}

TEST_F(Loading, ClosingWhileLoadingLeavesTheRingEmpty) {
  for (std::uint32_t i = 0; i < 10; ++i) {
    put(keys, not_a_point(i));
  }
  KeyService* closing = nullptr;
  KeyService service(store, ring, permits, random, clock,
                     {.progress_every = 5, .progress = [&](std::uint64_t, std::uint64_t) { closing->close(); }});
  closing = &service;
  EXPECT_EQ(service.load(chamber, view()).error().kind, ErrorKind::signer_sealed);
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_FALSE(service.is_open());
}

TEST(RunParallel, RunsEveryStepOnceUnlessOneStops) {
  std::vector<std::atomic<int>> runs(500);
  EXPECT_TRUE(run_parallel(runs.size(), 8, [&](std::size_t i) { return ++runs[i] > 0; }));
  for (const auto& one : runs) {
    EXPECT_EQ(one, 1);
  }
  EXPECT_TRUE(run_parallel(0, 8, [](std::size_t) { return false; }));
  EXPECT_FALSE(run_parallel(100, 8, [](std::size_t i) { return i != 3; }));
  EXPECT_THROW(run_parallel(10, 8, [](std::size_t i) -> bool { return i == 4 ? throw std::bad_alloc() : true; }),
               std::bad_alloc);
}

}  // namespace
}  // namespace cc::keys
