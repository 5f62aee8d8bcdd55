// A model that forgets nothing watches random interleavings of signing, imports, permits, watermarks, prunings, failing
// commits and changes of strategy: nothing slashable with what was signed or imported before is ever released.
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>
#include <memory>

#include "adapters/sqlite/slashing_store.h"
#include "guard/guard_fixture.h"
#include "guard/history.h"
#include "guard/interchange.h"
#include "support/process.h"
#include "support/seeded_random.h"

namespace cc::guard {
namespace {

using test::MemorySlashingStore;
using test::StoreFault;

// One step of a history. Small numbers, so that messages meet.
struct Step {
  enum Kind {
    sign_block,
    sign_vote,
    import_file,
    withdraw_key,
    permit_key,
    raise,
    raise_store_floor,
    commit_fault,
    prune_key
  };
  Kind kind = sign_block;
  bool minimal = false;
  std::uint8_t key = 1, root = 1;
  std::uint64_t a = 0, b = 0;  // slot; source and target
  bool unknown_root = false;
};

void showValue(const Step& step, std::ostream& out) {
  out << "{kind " << step.kind << (step.minimal ? " minimal" : " complete") << " key " << int{step.key} << " root "
      << int{step.root} << (step.unknown_root ? "?" : "") << " a " << step.a << " b " << step.b << "}";
}

rc::Gen<Step> any_step() {
  const auto number = rc::gen::weightedOneOf<std::uint64_t>({{30, rc::gen::inRange<std::uint64_t>(0, 10)},
                                                             {1, rc::gen::just(std::uint64_t{0} - 1)},
                                                             {1, rc::gen::just(std::uint64_t{1} << 63)}});
  const auto kind = rc::gen::weightedElement<Step::Kind>({{10, Step::sign_block},
                                                          {30, Step::sign_vote},
                                                          {5, Step::import_file},
                                                          {2, Step::withdraw_key},
                                                          {3, Step::permit_key},
                                                          {1, Step::raise},
                                                          {1, Step::raise_store_floor},
                                                          {3, Step::commit_fault},
                                                          {6, Step::prune_key}});
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, kind), rc::gen::set(&Step::minimal, rc::gen::element(false, false, false, true)),
      rc::gen::set(&Step::key, rc::gen::inRange<std::uint8_t>(1, 3)),
      rc::gen::set(&Step::root, rc::gen::inRange<std::uint8_t>(0, 3)), rc::gen::set(&Step::a, number),
      rc::gen::set(&Step::b, number), rc::gen::set(&Step::unknown_root));
}

class Model {
 public:
  // Whether releasing this message would be slashable with anything remembered. The identical message is no second one.
  bool slashable_block(std::uint8_t key, std::uint64_t slot, const Root& root) const {
    bool conflict = false;
    for (const auto& past : blocks_) {
      if (past.key == key && past.record.slot.value == slot) {
        if (past.record.signing_root == root) {
          return false;
        }
        conflict = conflict || past.binding;
      }
    }
    return conflict;
  }
  bool slashable_vote(std::uint8_t key, std::uint64_t source, std::uint64_t target, const Root& root) const {
    bool conflict = source > target;
    for (const auto& past : votes_) {
      const std::uint64_t s = past.record.source.value;
      const std::uint64_t t = past.record.target.value;
      if (past.key == key && s == source && t == target && past.record.signing_root == root) {
        return false;
      }
      const bool slashable = t == target || (s < source && target < t) || (source < s && t < target);
      conflict = conflict || (past.binding && past.key == key && slashable);
    }
    return conflict;
  }
  // Not binding: an import that may or may not have been kept. Its messages were signed elsewhere, but nobody was
  // promised that this store knows.
  void remember(std::uint8_t key, const SignedBlock& block, bool binding) { blocks_.push_back({key, block, binding}); }
  void remember(std::uint8_t key, const SignedAttestation& vote, bool binding) {
    votes_.push_back({key, vote, binding});
  }

 private:
  template <class Record>
  struct Past {
    std::uint8_t key;
    Record record;
    bool binding;
  };
  std::vector<Past<SignedBlock>> blocks_;
  std::vector<Past<SignedAttestation>> votes_;
};

Interchange file_of(const Step& step) {
  const auto root = step.unknown_root ? std::nullopt : std::optional<Root>(root_of(step.root));
  Interchange out;
  out.data.push_back({key_of(step.key), {{Slot{step.a}, root}}, {{Epoch{step.a}, Epoch{step.b}, root}}});
  return out;
}

// Runs the steps; false as soon as something was released that must not be.
class World {
 public:
  explicit World(SlashingStore& store, MemorySlashingStore* faults = nullptr) : store_(store), faults_(faults) {}

  bool run(const std::vector<Step>& steps) {
    return std::all_of(steps.begin(), steps.end(), [&](const Step& step) { return apply(step); });
  }
  int released() const { return released_; }

 private:
  bool apply(const Step& step) {
    const Policy policy = step.minimal ? kMinimal : kComplete;
    switch (step.kind) {
      case Step::sign_block:
        if (ask(store_, policy, block(step.a, step.root, step.key)) == "ok") {
          return release(step, model_.slashable_block(step.key, step.a, root_of(step.root)),
                         SignedBlock{Slot{step.a}, root_of(step.root)});
        }
        return true;
      case Step::sign_vote:
        if (ask(store_, policy, vote(step.a, step.b, step.root, step.key)) == "ok") {
          return release(step, model_.slashable_vote(step.key, step.a, step.b, root_of(step.root)),
                         SignedAttestation{Epoch{step.a}, Epoch{step.b}, root_of(step.root)});
        }
        return true;
      case Step::import_file:
        return import_step(step, policy);
      case Step::withdraw_key:
        if (change(store_, [&](SlashingTransaction& tx) { return withdraw(tx, key_of(step.key)); })) {
          retired_[step.key] = true;
        }
        return true;
      case Step::permit_key: {
        const auto done =
            change(store_, [&](SlashingTransaction& tx) { return permit(tx, key_of(step.key), step.unknown_root); });
        if (done || done.error().kind == ErrorKind::store_in_doubt) {
          retired_[step.key] = false;
        }
        return true;
      }
      case Step::raise:
        static_cast<void>(change(store_, [&](SlashingTransaction& tx) {
          return raise_watermarks(tx, key_of(step.key), {Slot{step.a}, Epoch{step.a}, Epoch{step.b}});
        }));
        return true;
      case Step::raise_store_floor:
        static_cast<void>(change(store_, [&](SlashingTransaction& tx) {
          return tx.raise_floor({Slot{step.a / 2}, Epoch{step.a / 2}, Epoch{step.b / 2}});
        }));
        return true;
      case Step::prune_key:
        static_cast<void>(change(store_, [&](SlashingTransaction& tx) -> Result<void> {
          CC_TRY(prune_validator(tx, key_of(step.key), {1 + step.a % 3, 1}));
          return {};
        }));
        return true;
      case Step::commit_fault:
        if (faults_ != nullptr) {
          faults_->push_fault(step.unknown_root ? StoreFault::doubt_kept
                              : step.minimal    ? StoreFault::doubt_lost
                                                : StoreFault::failed_commit);
        }
        return true;
    }
    return false;
  }

  template <class Record>
  bool release(const Step& step, bool slashable, const Record& record) {
    if (slashable || retired_[step.key]) {
      return false;
    }
    model_.remember(step.key, record, true);
    ++released_;
    return true;
  }

  bool import_step(const Step& step, const Policy& policy) {
    const Interchange file = file_of(step);
    const auto done = change(store_, [&](SlashingTransaction& tx) -> Result<void> {
      CC_TRY(import_interchange(tx, file, policy.strategy));
      return {};
    });
    if (done || done.error().kind == ErrorKind::store_in_doubt) {
      model_.remember(step.key, file.data[0].blocks[0], done.has_value());
      model_.remember(step.key, file.data[0].attestations[0], done.has_value());
    }
    return true;
  }

  SlashingStore& store_;
  MemorySlashingStore* faults_;
  Model model_;
  std::map<std::uint8_t, bool> retired_;
  int released_ = 0;
};

std::vector<Step> random_steps() { return *rc::gen::resize(60, rc::gen::container<std::vector<Step>>(any_step())); }

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
