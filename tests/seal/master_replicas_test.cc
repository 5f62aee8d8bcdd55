// rotate master where several processes share the seal record and the key store: whoever does what at whatever moment,
// no key that was answered is lost, nobody stops signing, and who may follow follows.
#include <gmock/gmock.h>

#include "base/log.h"
#include "seal/master_world.h"
#include "support/shared_key_store.h"

namespace cc::seal {
namespace {

using test::StepFault;
using testing::HasSubstr;

// One process on the shared world, with its own secrets, ring and view of the key store.
struct Replica {
  Replica(MasterWorld& shared, const std::string& seed) : shared_(shared), view(shared.store), random(seed) {
    listener.load_records = [this](const ChamberId& id, const MasterKeys& master) {
      return service->load(id, view_of(master));
    };
    listener.reseal_records = [this](const ChamberId& id, const MasterKeys& master,
                                     std::size_t most) -> Result<Resealed> {
      CC_ASSIGN(const auto moved, service->reseal(id, view_of(master), most));
      return Resealed{moved.done, moved.left};
    };
    listener.close_records = [this] {
      if (service) {
        service->close();
      }
    };
  }
  void stop() {
    chamber.reset();
    service.reset();
    ring.clear();
  }
  Result<void> open(Milliseconds overlap = Milliseconds(0)) {
    stop();
    World& world = shared_.world;
    service.emplace(view, ring, permits, random, world.clock);
    ChamberOptions options = world.options();
    options.master_key_overlap = overlap;
    chamber = std::make_unique<Chamber>(
        Chamber::Ports{world.keks, world.store, world.traces, listener, world.clock, random}, options);
    CC_TRY(chamber->boot());
    CC_TRY(chamber->run_kms_step());
    const SealRecord record = world.record();
    const Lock* operators = record.core.operators();
    const std::vector<std::string> names =
        operators == nullptr ? std::vector<std::string>() : operators->header.members;
    for (const std::string& name : names) {
      if (chamber->status().state == VisibleState::kms_unsealed) {
        CC_TRY(chamber->unseal(name, passphrase_of(name), "s"));
      }
    }
    return chamber->may_sign() ? Result<void>() : Result<void>(fail(ErrorKind::wrong_state, "not open"));
  }
  // What the background does every second.
  Result<void> poll() {
    CC_TRY(chamber->run_kms_step());
    CC_TRY(service->follow());
    return {};
  }
  Result<void> work() {
    while (true) {
      CC_ASSIGN(const bool more, chamber->work_on_master_key());
      if (!more) {
        return {};
      }
    }
  }
  // The key, when the answer says that it is there.
  std::optional<BlsPublicKey> generate() {
    const auto made = service->generate(1);
    return made && made->front().outcome == keys::KeyOutcome::generated ? made->front().public_key : std::nullopt;
  }
  bool holds(const BlsPublicKey& key) const { return ring.contains(key); }

  MasterWorld& shared_;
  test::SharedKeyStore view;
  test::SeededRandom random;
  test::RecordingListener listener;
  keys::KeyRing ring;
  AllPermits permits;
  std::optional<keys::KeyService> service;
  std::unique_ptr<Chamber> chamber;
};

struct Replicas {
  explicit Replicas(bool operators, const std::string& seed = "replicas") : shared(seed) {
    log::configure(log::Level::error, log::Format::text);
    prepare(shared, operators, 2);
    shared.stop();
    two.view.count_with(one.view);
    start();
  }
  Replicas(const Replicas& from, const std::string& seed) : shared(seed) {
    shared.copy_stored(from.shared);
    two.view.count_with(one.view);
    start();
  }
  void start() {
    const auto first = one.open();
    ASSERT_TRUE(first) << first.error().message;
    const auto second = two.open();
    ASSERT_TRUE(second) << second.error().message;
    for (const BlsPublicKey& key : one.ring.public_keys()) {
      answered.insert(key);
    }
  }
  // A fresh process opens every key that anybody was told of, under the one master key that is left.
  void expect_whole() {
    const SealRecord record = shared.world.record();
    EXPECT_FALSE(record.core.retiring);
    EXPECT_EQ(shared.used(), std::set<MasterKeyId>{record.core.master_key});
    Replica later(shared, "later");
    const auto opened = later.open();
    ASSERT_TRUE(opened) << opened.error().message;
    for (const BlsPublicKey& key : answered) {
      EXPECT_TRUE(later.holds(key)) << to_0x(key);
    }
  }

  MasterWorld shared;
  Replica one{shared, "one"};
  Replica two{shared, "two"};
  std::set<BlsPublicKey> answered;
};

// What the second replica does while the first one rotates.
enum class Act { generates, polls_and_generates, deactivates, works_to_the_end, restarts };
constexpr std::array kActs{Act::generates, Act::polls_and_generates, Act::deactivates, Act::works_to_the_end,
                           Act::restarts};

void act(Replicas& w, Act what) {
  Replica& two = w.two;
  if (what == Act::restarts) {
    // One that meets the change while it loads its keys is told so, and opens the next time.
    for (int turn = 0; turn < 2 && !two.open(); ++turn) {
    }
    EXPECT_TRUE(two.chamber->may_sign());
  }
  if (what == Act::polls_and_generates || what == Act::works_to_the_end) {
    (void)two.poll();
  }
  if (what == Act::works_to_the_end) {
    (void)two.work();
  }
  if (what == Act::deactivates) {
    (void)two.service->set_status({*w.answered.begin()}, keys::KeyStatus::inactive);
    (void)two.service->set_status({*w.answered.begin()}, keys::KeyStatus::active);
  }
  if (const auto made = two.generate()) {
    w.answered.insert(*made);
  }
}

TEST(MasterReplicas, WhateverAnotherReplicaDoesAtEveryCallNoAnsweredKeyIsLost) {
  const Replicas stored(false);
  std::uint64_t calls = 0;
  for (const Act what : kActs) {
    bool reached = true;
    for (std::uint64_t at = 0; reached; ++at) {
      SCOPED_TRACE("act " + std::to_string(static_cast<int>(what)) + " before call " + std::to_string(at));
      Replicas w(stored, "run");
      std::uint64_t call = 0;
      w.one.view.before_each = [&] {
        if (call++ == at) {
          act(w, what);
        }
      };
      ASSERT_TRUE(w.one.chamber->rotate_master());
      const auto worked = w.one.work();
      EXPECT_TRUE(worked) << (worked ? "" : worked.error().message);
      reached = call > at;
      w.one.view.before_each = nullptr;
      calls += reached ? 1 : 0;
      // Both follow, and keep on.
      for (Replica* replica : {&w.one, &w.two}) {
        for (int turn = 0; turn < 2; ++turn) {
          const auto polled = replica->poll();
          EXPECT_TRUE(polled) << (polled ? "" : polled.error().message);
          const auto done = replica->work();
          EXPECT_TRUE(done) << (done ? "" : done.error().message);
        }
        EXPECT_TRUE(replica->chamber->may_sign());
        const auto made = replica->generate();
        EXPECT_TRUE(made) << "it follows, so it may write again";
        w.answered.insert(made.value_or(*w.answered.begin()));
      }
      w.expect_whole();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
  }
  EXPECT_GE(calls, 40U);
}

TEST(MasterReplicas, AReplicaTakesOverFromOneThatCrashedAtAnyCall) {
  const Replicas stored(false);
  std::uint64_t crashes = 0;
  for (const StepFault fault : {StepFault::crash_before, StepFault::crash_after}) {
    bool reached = true;
    for (std::uint64_t at = 0; reached; ++at) {
      SCOPED_TRACE(std::string(test::kFaultNames.at(static_cast<std::size_t>(fault))) + " " + std::to_string(at));
      Replicas w(stored, "run");
      w.shared.world.steps.all_calls = true;
      w.shared.world.steps.plant(at, fault);
      try {
        EXPECT_TRUE(w.one.chamber->rotate_master());
        EXPECT_TRUE(w.one.work());
      } catch (const test::Crash&) {
        w.one.stop();
        ++crashes;
      }
      reached = w.shared.world.steps.taken > at;
      w.shared.world.steps.clear();
      const bool begun = w.shared.world.record().core.epoch > 1;
      EXPECT_TRUE(w.two.poll());
      EXPECT_EQ(w.two.ring.size(), w.answered.size());
      EXPECT_TRUE(w.two.chamber->may_sign());
      if (begun) {
        EXPECT_TRUE(w.two.work());
      }
      EXPECT_TRUE(w.two.poll());
      const auto made = w.two.generate();
      ASSERT_TRUE(made);
      w.answered.insert(*made);
      w.expect_whole();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
  }
  EXPECT_GE(crashes, 30U);
}

// The enumeration must be able to find it.
TEST(MasterReplicas, AReplicaThatDidNotHoldToTheSentinelWouldLoseItsKey) {
  Replicas w(false);
  w.two.view.forgets_to_hold = true;
  ASSERT_TRUE(w.two.open());
  ASSERT_TRUE(w.one.chamber->rotate_master());
  ASSERT_TRUE(w.one.work());
  ASSERT_TRUE(w.two.generate()) << "under a master key that is gone";
  Replica later(w.shared, "later");
  EXPECT_FALSE(later.open());
}

TEST(MasterReplicas, TheOldKeyStaysUntilEverybodyMayHaveSeenBoth) {
  Replicas w(false);
  ASSERT_TRUE(w.one.open(Milliseconds(8000)));
  ASSERT_TRUE(w.one.chamber->rotate_master());
  ASSERT_TRUE(w.one.work());
  EXPECT_TRUE(w.shared.world.record().core.retiring) << "too early";
  EXPECT_EQ(w.one.chamber->status().rotation->left, 0U);
  w.shared.world.clock.now += Milliseconds(7999);
  ASSERT_TRUE(w.one.work());
  EXPECT_TRUE(w.shared.world.record().core.retiring);
  w.shared.world.clock.now += Milliseconds(1);
  ASSERT_TRUE(w.one.work());
  ASSERT_TRUE(w.two.poll());
  w.expect_whole();
}

TEST(MasterReplicas, WithoutItsKmsLockOneFollowsOnlyWhatHoldsItsOwnMasterKey) {
  for (const bool in_time : {true, false}) {
    Replicas w(false);
    ASSERT_TRUE(w.one.chamber->rotate_kms({{"local://kek-1", "local://kek-2"}, 2}));
    w.shared.world.keks.broken = {{"local://kek-1", ErrorKind::kms_unreachable},
                                  {"local://kek-2", ErrorKind::kms_unreachable}};
    EXPECT_EQ(code(w.two.poll()), "kms_unreachable");
    ASSERT_TRUE(w.one.chamber->rotate_master());
    EXPECT_EQ(code(w.two.poll()), "kms_unreachable");
    EXPECT_TRUE(w.two.chamber->may_sign());
    if (!in_time) {
      ASSERT_TRUE(w.one.work());
    }
    w.shared.world.keks.broken.clear();
    EXPECT_EQ(code(w.two.poll()), in_time ? "ok" : "wrong_master_key");
    EXPECT_TRUE(w.two.chamber->may_sign()) << "its ring stays in either case";
    EXPECT_EQ(w.two.ring.size(), w.answered.size());
    if (!in_time) {
      EXPECT_THAT(w.two.chamber->status().trouble->message, HasSubstr("operator seal"));
      ASSERT_TRUE(w.two.chamber->seal("to follow", false));
      ASSERT_TRUE(w.two.chamber->resume());
      ASSERT_TRUE(w.two.poll());
    }
    ASSERT_TRUE(w.one.work());
    ASSERT_TRUE(w.two.poll());
    ASSERT_TRUE(w.two.generate());
    w.expect_whole();
  }
}

TEST(MasterReplicas, WithOperatorsTheOthersSignOnChangeNoKeysAndObeyASealForAll) {
  Replicas w(true);
  ASSERT_TRUE(w.one.chamber->rotate_master());
  for (const std::string name : {"alice", "bob"}) {
    const auto waiting = w.one.chamber->status().rotation;
    ASSERT_TRUE(w.one.chamber->approve(name, passphrase_of(name), waiting->rotation, "s"));
  }
  EXPECT_EQ(code(w.two.chamber->run_kms_step()), "wrong_master_key");
  ASSERT_TRUE(w.one.work());
  EXPECT_EQ(code(w.two.chamber->run_kms_step()), "wrong_master_key");
  EXPECT_TRUE(w.two.chamber->may_sign());
  EXPECT_EQ(w.two.ring.size(), w.answered.size());
  const auto refused = w.two.service->generate(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::record_conflict);

  ASSERT_TRUE(w.one.chamber->seal("everybody", false, true));
  EXPECT_EQ(code(w.two.chamber->run_kms_step()), "wrong_master_key");
  EXPECT_FALSE(w.two.chamber->may_sign());
  EXPECT_EQ(w.two.ring.size(), 0U);
  EXPECT_EQ(w.two.listener.closings, 1U);
  ASSERT_TRUE(w.two.chamber->resume());
  ASSERT_TRUE(w.two.chamber->run_kms_step());
  for (const std::string name : {"alice", "bob"}) {
    ASSERT_TRUE(w.two.chamber->unseal(name, passphrase_of(name), "s"));
  }
  EXPECT_EQ(w.two.ring.size(), w.answered.size());
  const auto made = w.two.generate();
  ASSERT_TRUE(made);
  w.answered.insert(*made);
  w.expect_whole();
}

}  // namespace
}  // namespace cc::seal
