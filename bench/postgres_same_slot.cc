// Attestations of one slot over HTTP with PostgreSQL as the slashing store: this signer against the naive one, one
// transaction per signature, on the same cluster. tools/bench.sh starts a temporary cluster and names it in
// CC_BENCH_POSTGRES ("PORT FOLDER PASSWORD", as tools/temporary_postgres.sh prints them).
//
// postgres_same_slot  signatures per second with many connections, ours / naive
// Usage: bench_postgres_same_slot [rounds] [connections] [keys]
#include <cstdlib>
#include <sstream>

#include "adapters/postgres/options.h"
#include "adapters/postgres/slashing_store.h"
#include "base/log.h"
#include "bench/bench_signer.h"
#include "bench/contender.h"
#include "bench/naive_signer.h"

namespace cc::bench {
namespace {

std::unique_ptr<guard::SlashingStore> open_schema(const std::string& cluster, const std::string& schema) {
  std::istringstream words(cluster);
  std::string folder, password;
  postgres::Settings settings;
  words >> settings.port >> folder >> password;
  settings.host = "127.0.0.1";
  settings.database = settings.user = "signer";
  settings.password = SecretBytes::copy_of(std::string_view(password));
  settings.sslrootcert = folder + "/ca.pem";
  settings.schema = schema;
  auto options = postgres::check(std::move(settings));
  SystemRandom random;
  auto store =
      options ? postgres::PostgresSlashingStore::open(std::make_shared<const postgres::Options>(*std::move(options)),
                                                      postgres::OpenMode::open_or_create, std::nullopt, random)
              : Result<std::unique_ptr<postgres::PostgresSlashingStore>>(fail(options.error()));
  if (!store) {
    std::fprintf(stderr, "postgres: %s\n", store.error().message.c_str());
    std::exit(1);
  }
  return *std::move(store);
}

int run(int argc, char** argv) {
  log::configure(log::Level::error, log::Format::text);
  const char* cluster = std::getenv("CC_BENCH_POSTGRES");
  if (cluster == nullptr) {
    std::puts("skipped: no PostgreSQL server (CC_BENCH_POSTGRES)");
    return 0;
  }
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? std::max<std::size_t>(1, std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  const std::size_t rounds = number(1, 5), connections = number(2, 64), keys = number(3, 3125);
  const BenchFolder folder(std::filesystem::temp_directory_path());
  const BenchSigner signer(folder.path(), make_ring_keys(keys), {}, open_schema(cluster, "ours"));
  const NaiveSigner naive(open_schema(cluster, "naive"), signer.ring(), 0);
  Contender ours("containment-chamber", signer.server->port(), signer.public_keys, connections);
  Contender plain("naive", naive.server->port(), signer.public_keys, connections);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (Contender* one : {&plain, &ours}) {
      one->load(std::chrono::milliseconds(1500));
    }
    for (Contender* one : {&plain, &ours}) {
      one->idle(40);
    }
  }
  ours.burst();
  plain.print();
  ours.print();
  std::printf("%.1f signatures per transaction\n", signer.batch_size());
  std::printf("ratio postgres_same_slot %.2f\n", ours.rate() / plain.rate());
  std::printf("ratio postgres_same_slot_portable %.2f\n", ours.rate() / plain.rate());
  const std::uint64_t refused = ours.refused() + plain.refused();
  if (refused != 0) {
    std::printf("refused %" PRIu64 "\n", refused);
  }
  return refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
