// How much processor time lies between the master key and the first signature: 100,000 sealed keys with their slashing
// watermarks, and 1,000 EIP-2335 keystores from the sealed cache.
//
// instant_start    0.5 s of processor time / what 100,000 keys take, opening of the stores aside, which a signer does
//                  before it has the master key: 1 or more is within the aim
// keystore_cache   1 s / what the second start with 1,000 keystores takes, by the clock
// Usage: bench_instant_start [keys] [keystores]
#include <malloc.h>

#include <cstdlib>
#include <fstream>

#include "adapters/files/key_folders.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/slashing_store.h"
#include "base/locked_memory.h"
#include "base/log.h"
#include "bench/bench_signer.h"
#include "bench/contender.h"
#include "formats/keystore.h"
#include "guard/rules.h"
#include "keys/file_keys.h"
#include "keys/key_service.h"

namespace cc::bench {
namespace {

namespace fs = std::filesystem;

struct Span {
  double clock = 0, processor = 0;
};
template <class Work>
Span timed(const Work& work) {
  const double processor = processor_seconds();
  const auto start = SteadyClock::now();
  work();
  return {std::chrono::duration<double>(SteadyClock::now() - start).count(), processor_seconds() - processor};
}
void print(const char* what, Span span) {
  std::printf("%-46s %7.0f ms of processor time, %7.0f ms by the clock\n", what, span.processor * 1000,
              span.clock * 1000);
}

[[noreturn]] void stop(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) {
    stop(result.error());
  }
  return *std::move(result);
}
void must(const Result<void>& result) {
  if (!result) {
    stop(result.error());
  }
}

guard::Check vote(const BlsPublicKey& key, std::uint64_t target) {
  guard::Check check;
  check.key = key;
  check.duty = guard::AttestationCheck{target - 1, target};
  check.signing_root[0] = static_cast<std::uint8_t>(target);
  return check;
}

double resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::strtod(line.c_str() + 6, nullptr);
    }
  }
  return 0;
}

struct Chamber {
  keys::ChamberId id{};
  keys::MasterKeyId master_id{};
  Secret<32> master;
  keys::MasterKeysView view() const { return {master_id, {{master_id, &master}}}; }
};

// What an earlier run of the signer left behind: sealed records, and one vote of every key.
void prepare(const fs::path& folder, const Chamber& chamber, const RingKeys& ring_keys) {
  SystemRandom random;
  const keys::RecordKeys record_keys = keys::derive_record_keys(chamber.id, chamber.master_id, chamber.master);
  const auto store = must(sqlite::SqliteKeyStore::open(folder / "keys.sqlite"));
  must(store->exchange_sentinel(std::nullopt, keys::seal_sentinel(record_keys, random)));
  std::vector<keys::StoredKey> records;
  for (const auto& key : ring_keys) {
    const keys::KeyRecord record = keys::seal_key(record_keys, key->secret, key->public_key, "", 1'700'000'000, random);
    records.push_back({key->public_key, keys::KeyStatus::active, keys::encode(record)});
  }
  must(store->add(records));
  const auto slashing = open_store(folder / "slashing.sqlite");
  must(slashing->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (const auto& key : ring_keys) {
      CC_ASSIGN(const guard::Verdict verdict, guard::check_and_record(tx, {}, vote(key->public_key, 10)));
      if (verdict) {
        return fail(*verdict);
      }
    }
    return {};
  }));
}

double sealed_keys(const fs::path& folder, std::size_t count) {
  SystemRandom random;
  const SystemClock clock;
  Chamber chamber;
  chamber.id[0] = chamber.master_id[0] = 7;
  chamber.master = random.secret<32>();
  BlsPublicKey some{};
  {
    const RingKeys ring_keys = make_ring_keys(count);
    some = ring_keys[count / 2]->public_key;
    prepare(folder, chamber, ring_keys);
  }
  ::malloc_trim(0);
  const double before = resident_kib();
  NoPermits permits;
  keys::KeyRing ring;
  std::unique_ptr<sqlite::SqliteKeyStore> store;
  std::unique_ptr<guard::SlashingStore> slashing;
  std::unique_ptr<keys::KeyService> service;
  const Span opened = timed([&] {
    store = must(sqlite::SqliteKeyStore::open(folder / "keys.sqlite"));
    slashing = open_store(folder / "slashing.sqlite");
  });
  const Span loaded = timed([&] {
    service = std::make_unique<keys::KeyService>(*store, ring, permits, random, clock);
    must(service->load(chamber.id, chamber.view()));
  });
  const Span first = timed([&] {
    guard::Verdict verdict;
    must(slashing->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(verdict, guard::check_and_record(tx, {}, vote(some, 11)));
      return {};
    }));
    const BlsSignature signature = ring.find(some)->secret.sign(Root{});
    if (verdict || signature[0] == 0 || ring.size() != count) {
      stop({ErrorKind::internal, "the first signature failed"});
    }
  });
  const double after = resident_kib();
  std::printf("%zu sealed keys with slashing history\n", count);
  print("  stores opened", opened);
  print("  keys loaded, after the master key was there", loaded);
  print("  first guarded signature", first);
  std::printf("  memory per key: %.0f bytes (of it 64 locked)\n", (after - before) * 1024 / static_cast<double>(count));
  return (loaded.processor + first.processor) * 100'000 / static_cast<double>(count);
}

double keystores(const fs::path& folder, std::size_t count) {
  SystemRandom random;
  const fs::path files = folder / "keystores", passwords = folder / "passwords";
  fs::create_directory(files);
  fs::create_directory(passwords);
  const RingKeys ring_keys = make_ring_keys(count);
  for (std::size_t i = 0; i < count; ++i) {
    const SecretBytes password = SecretBytes::copy_of("a password of its own " + std::to_string(i));
    const auto text = keystore::write(ring_keys[i]->secret, password, "", keystore::Kdf::pbkdf2, 262144 / 64, random);
    std::ofstream(files / (std::to_string(i) + ".json")) << must(text);
    std::ofstream(passwords / (std::to_string(i) + ".txt")) << "a password of its own " << i;
  }
  files::KeyFolders source({.keystores = files, .passwords = passwords});
  files::CacheFile cache(folder / "keystore-cache");
  const auto start = [&](const char* what) {
    keys::KeyRing ring;
    keys::FileKeys file_keys(source, &cache, ring, random);
    file_keys.allow();
    std::uint64_t from_cache = 0;
    const Span span = timed([&] { from_cache = must(file_keys.load()).from_cache; });
    print(what, span);
    std::printf("    %llu of %llu from the cache\n", static_cast<unsigned long long>(from_cache),
                static_cast<unsigned long long>(ring.size()));
    return span.clock;
  };
  std::printf("%zu EIP-2335 keystores (PBKDF2 with a 64th of the usual rounds, so that making them is quick)\n", count);
  start("  first start");
  return start("  second start, from the sealed cache");
}

int run(int argc, char** argv) {
  log::configure(log::Level::error, log::Format::text);
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? std::max<std::size_t>(1, std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  const BenchFolder folder(std::filesystem::temp_directory_path());
  const double processor = sealed_keys(folder.path(), number(1, 100'000));
  const double clock = keystores(folder.path(), number(2, 1'000));
  std::printf("ratio instant_start %.2f\n", 0.5 / processor);
  std::printf("ratio keystore_cache %.2f\n", 1.0 / clock);
  return 0;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
