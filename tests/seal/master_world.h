// A chamber with real key records behind it: the key room over a store in memory whose calls are steps of the same
// counter as the chamber's, so that a fault or a crash may fall on any of them.
#pragma once

#include "keys/key_service.h"
#include "seal/chamber_fixture.h"

namespace cc::seal {

class FaultyKeyStore final : public keys::KeyStore {
 public:
  explicit FaultyKeyStore(test::StepCounter& steps) : steps_(steps) {}

  Result<void> for_each(std::optional<keys::KeyStatus> only,
                        const std::function<Result<void>(const keys::StoredKey&)>& visit) override {
    CC_ASSIGN(const bool corrupted, read());
    for (auto [key, record] : records) {
      if (corrupted) {
        record.record[record.record.size() / 2] ^= 1;
      }
      if (!only || record.status == *only) {
        CC_TRY(visit(record));
      }
    }
    return {};
  }
  Result<std::uint64_t> count(std::optional<keys::KeyStatus>) override { return records.size(); }
  Result<std::vector<keys::StoredKey>> page(const std::optional<BlsPublicKey>& after, std::size_t limit) override {
    CC_ASSIGN(const bool corrupted, read());
    std::vector<keys::StoredKey> out;
    for (auto at = after ? records.upper_bound(*after) : records.begin(); at != records.end() && out.size() < limit;
         ++at) {
      out.push_back(at->second);
      if (corrupted) {
        out.back().record[out.back().record.size() / 2] ^= 1;
      }
    }
    return out;
  }
  Result<std::optional<keys::StoredKey>> find(const BlsPublicKey& key) override {
    const auto at = records.find(key);
    return at == records.end() ? std::optional<keys::StoredKey>() : at->second;
  }
  Result<std::vector<bool>> add(const std::vector<keys::StoredKey>& added) override {
    std::vector<bool> out;
    out.reserve(added.size());
    for (const keys::StoredKey& one : added) {
      out.push_back(records.emplace(one.public_key, one).second);
    }
    return out;
  }
  Result<void> replace_all(const std::vector<keys::StoredKey>& replaced) override {
    for (const keys::StoredKey& record : replaced) {
      records[record.public_key] = record;
    }
    return {};
  }
  Result<bool> exchange(const keys::StoredKey& before, const keys::StoredKey& after) override {
    bool exchanged = false;
    const auto written = write([&] {
      const auto at = records.find(before.public_key);
      exchanged = at != records.end() && at->second.record == before.record;
      if (exchanged) {
        at->second = after;
      }
    });
    if (!written && written.error().kind == ErrorKind::record_conflict) {
      return false;
    }
    return written ? Result<bool>(exchanged) : Result<bool>(fail(written.error()));
  }
  Result<void> remove(const BlsPublicKey& key) override {
    records.erase(key);
    return {};
  }
  Result<std::optional<Bytes>> sentinel() override {
    CC_ASSIGN(const bool corrupted, read());
    std::optional<Bytes> out = stored_sentinel;
    if (out && corrupted) {
      out->back() ^= 1;
    }
    return out;
  }
  Result<bool> exchange_sentinel(const std::optional<Bytes>& before, ByteView after) override {
    bool exchanged = false;
    const auto written = write([&] {
      exchanged = stored_sentinel == before;
      stored_sentinel = exchanged ? Bytes(after.begin(), after.end()) : stored_sentinel;
    });
    if (!written && written.error().kind == ErrorKind::record_conflict) {
      return false;
    }
    return written ? Result<bool>(exchanged) : Result<bool>(fail(written.error()));
  }

  std::map<BlsPublicKey, keys::StoredKey> records;
  std::optional<Bytes> stored_sentinel;

 private:
  // Whether what comes back is to be corrupted.
  Result<bool> read() {
    const auto fault = steps_.next_of_all();
    if (fault == test::StepFault::crash_before || fault == test::StepFault::crash_after) {
      throw test::Crash{};
    }
    if (fault == test::StepFault::stale || fault == test::StepFault::conflict) {
      steps_.means_nothing_here();
      return false;
    }
    if (fault && fault != test::StepFault::corrupted) {
      return fail(ErrorKind::store_unavailable, "the key store does not answer");
    }
    return fault.has_value();
  }
  Result<void> write(const std::function<void()>& apply) {
    const auto fault = steps_.next();
    using F = test::StepFault;
    if (fault == F::crash_before) {
      throw test::Crash{};
    }
    if (fault == F::fails || fault == F::throttled || fault == F::denied) {
      return fail(ErrorKind::store_unavailable, "the disk is full");
    }
    if (fault == F::conflict) {
      return fail(ErrorKind::record_conflict, "another record");
    }
    if (fault != F::lost_write) {
      apply();
    }
    if (fault == F::crash_after) {
      throw test::Crash{};
    }
    if (fault == F::corrupted || fault == F::stale) {
      steps_.means_nothing_here();
      return {};
    }
    return fault ? Result<void>(fail(ErrorKind::store_in_doubt, "the reply was lost")) : Result<void>();
  }
  test::StepCounter& steps_;
};

struct AllPermits final : keys::PermitPort {
  Result<void> permit(const std::vector<BlsPublicKey>&, bool) override { return {}; }
  Result<void> withdraw(const std::vector<BlsPublicKey>&) override { return {}; }
};

inline keys::MasterKeysView view_of(const MasterKeys& master) {
  keys::MasterKeysView view;
  view.current = master.current;
  for (const auto& [id, key] : master.keys) {
    view.keys.push_back({id, &key});
  }
  return view;
}

// World, key records and the running process.
struct MasterWorld {
  explicit MasterWorld(const std::string& seed) : world(seed) {
    world.listener.load_records = [this](const ChamberId& id, const MasterKeys& master) {
      return service->load(id, view_of(master));
    };
    world.listener.reseal_records = [this](const ChamberId& id, const MasterKeys& master,
                                           std::size_t most) -> Result<Resealed> {
      CC_ASSIGN(const auto moved, service->reseal(id, view_of(master), most));
      return Resealed{moved.done, moved.left};
    };
    world.listener.close_records = [this] {
      if (service) {
        service->close();
      }
    };
  }
  void copy_stored(const MasterWorld& other) {
    world.copy_stored(other.world);
    store.records = other.store.records;
    store.stored_sentinel = other.store.stored_sentinel;
  }
  void stop() {
    chamber.reset();
    service.reset();
    ring.clear();
  }
  // A new process, unsealed by whoever is in force; closed when that does not work.
  Result<void> open() {
    stop();
    service.emplace(store, ring, permits, world.random, world.clock);
    chamber = world.start();
    CC_TRY(chamber->run_kms_step());
    const SealRecord record = world.record();
    const Lock* operators = record.core.operators();
    for (std::size_t i = 0; operators != nullptr && i < operators->header.n(); ++i) {
      if (chamber->status().state == VisibleState::kms_unsealed) {
        const std::string& name = operators->header.members[i];
        CC_TRY(chamber->unseal(name, passphrase_of(name), "s"));
      }
    }
    return chamber->may_sign() ? Result<void>() : Result<void>(fail(ErrorKind::wrong_state, "not open"));
  }
  // Everybody agrees to what waits.
  Result<void> approve_all() {
    const SealRecord record = world.record();
    for (const std::string& name : record.core.operators()->header.members) {
      const auto rotation = chamber->status().rotation;
      if (!rotation || rotation->approvals_required == 0) {
        return {};
      }
      const auto reply = chamber->approve(name, passphrase_of(name), rotation->rotation, "s");
      if (!reply && reply.error().kind != ErrorKind::approval_repeated) {
        return fail(reply.error());
      }
    }
    return {};
  }
  // From wherever the chamber stands to the end of the ceremony.
  Result<void> go_on() {
    if (world.record().core.staged) {
      CC_TRY(approve_all());
    }
    while (true) {
      CC_ASSIGN(const bool more, chamber->work_on_master_key());
      if (!more) {
        return {};
      }
    }
  }
  Result<void> rotate() {
    CC_TRY(chamber->rotate_master());
    return go_on();
  }
  std::set<MasterKeyId> used() const {
    std::set<MasterKeyId> out;
    for (const auto& [key, stored] : store.records) {
      out.insert(keys::decode(stored.record).value().master_key);
    }
    return out;
  }

  World world;
  FaultyKeyStore store{world.steps};
  keys::KeyRing ring;
  AllPermits permits;
  std::optional<keys::KeyService> service;
  std::unique_ptr<Chamber> chamber;
};

// A chamber in use: opened, with `keys` active keys and an inactive one.
inline void prepare(MasterWorld& world, bool operators, std::size_t keys) {
  if (operators) {
    ready_to_unseal(world.world, with_operators(2, {"alice", "bob"}));
  } else {
    world.service.emplace(world.store, world.ring, world.permits, world.world.random, world.world.clock);
    ASSERT_TRUE(init(world.world, *world.world.start(), kms_only()));
  }
  const auto opened = world.open();
  ASSERT_TRUE(opened) << opened.error().message;
  const auto made = world.service->generate(keys + 1);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(world.service->set_status({*made->back().public_key}, keys::KeyStatus::inactive));
}

}  // namespace cc::seal
