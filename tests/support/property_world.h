// A model that forgets nothing watches random interleavings of signing, imports, permits, watermarks, prunings, failing
// commits and changes of strategy: nothing slashable with what was signed or imported before is ever released.
#pragma once

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>
#include <memory>

#include "guard/guard_fixture.h"
#include "guard/history.h"
#include "guard/interchange.h"
#include "support/seeded_random.h"

namespace cc::guard {

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

inline void showValue(const Step& step, std::ostream& out) {
  out << "{kind " << step.kind << (step.minimal ? " minimal" : " complete") << " key " << int{step.key} << " root "
      << int{step.root} << (step.unknown_root ? "?" : "") << " a " << step.a << " b " << step.b << "}";
}

inline rc::Gen<Step> any_step() {
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

inline Interchange file_of(const Step& step) {
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

inline std::vector<Step> random_steps() {
  return *rc::gen::resize(60, rc::gen::container<std::vector<Step>>(any_step()));
}

}  // namespace cc::guard
