// Attestations of one slot over HTTP: every key signs the same message, every signature durable before its reply, the
// load generator on the same cores. The signer against the naive one (bench/naive_signer.h), taking turns, medians.
//
// same_slot_http  signatures per second over many connections, ours / naive
// burst           time until the last of a slot's answers over as many, naive / ours
// .._few          the same over 64 connections
// idle_p50        median latency of one request at a time, ours / naive
// rested_p50      the same when every request comes a while after the answer before, and everything sleeps
// Usage: bench_same_slot [rounds] [connections] [keys] [seconds] [folder] [ours]
// With `ours` as the last word only this signer runs, for a profiler.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/log.h"
#include "bench/bench_signer.h"
#include "bench/contender.h"
#include "bench/naive_signer.h"

namespace cc::bench {
namespace {

constexpr std::chrono::milliseconds kRest{5};

constexpr std::size_t kFewConnections = 64;

struct Numbers {
  std::size_t rounds = 5, connections = 256, keys = 3125;
  std::chrono::milliseconds duration{1000};
};

void profile(const std::filesystem::path& folder, const Numbers& numbers) {
  const BenchSigner signer(folder, numbers.keys);
  Contender ours("containment-chamber", signer.server->port(), signer.public_keys, numbers.connections);
  for (std::size_t round = 0; round < numbers.rounds; ++round) {
    ours.load(numbers.duration);
    ours.burst();
  }
  ours.idle(200);
  ours.idle(50, kRest);
  ours.print();
  std::printf("%.1f signatures per flush\n", signer.batch_size());
}

using Order = std::array<Contender*, 4>;

// Whoever comes behind the naive one finds a busier disk: the order goes round.
template <class Work>
void each(Order& order, const Work& work) {
  std::ranges::for_each(order, work);
  std::ranges::rotate(order, order.begin() + 1);
}

void crowd(Order& order, const Numbers& numbers) {
  for (std::size_t round = 0; round < numbers.rounds; ++round) {
    each(order, [&](Contender* one) { one->load(numbers.duration); });
    each(order, [](Contender* one) { one->burst(); });
  }
}

void one_at_a_time(Order& order, std::size_t rounds) {
  for (std::size_t turn = 0; turn < 8 * rounds; ++turn) {
    each(order, [](Contender* one) { one->idle(20); });
  }
  for (std::size_t turn = 0; turn < 8 * rounds; ++turn) {
    each(order, [](Contender* one) { one->idle(5, kRest); });
  }
}

std::uint64_t compare(const std::filesystem::path& folder, const Numbers& numbers) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const BenchSigner signer(folder, numbers.keys);
  const NaiveSigner naive(open_store(folder / "naive.sqlite"), signer.ring(), 0);
  const NaiveSigner threaded(open_store(folder / "threaded.sqlite"), signer.ring(), cores);
  signing::PipelineOptions without_vectors;
  without_vectors.vector_kernel = false;
  std::filesystem::create_directory(folder / "portable");
  const BenchSigner portable_signer(folder / "portable", signer.ring_keys, without_vectors);
  const auto& keys = signer.public_keys;
  Contender ours("containment-chamber", signer.server->port(), keys, numbers.connections);
  Contender portable("the same, portable", portable_signer.server->port(), keys, numbers.connections);
  Contender plain("naive", naive.server->port(), keys, numbers.connections);
  Contender pooled("naive, with threads", threaded.server->port(), keys, numbers.connections);
  Order order{&plain, &ours, &pooled, &portable};

  const auto print = [&](std::size_t connections, const std::string& suffix) {
    std::printf("cores %zu, connections %zu, keys %zu, %zu rounds\n", cores, connections, numbers.keys, numbers.rounds);
    for (Contender* one : {&plain, &pooled, &ours, &portable}) {
      one->print();
    }
    std::printf("ratio same_slot_http_threaded_naive%s %.2f\n", suffix.c_str(), ours.rate() / pooled.rate());
    std::printf("ratio burst_threaded_naive%s %.2f\n", suffix.c_str(), pooled.burst_ms() / ours.burst_ms());
    for (const auto& [path, one] : {std::pair{"", &ours}, std::pair{"_portable", &portable}}) {
      std::printf("ratio same_slot_http%s%s %.2f\n", path, suffix.c_str(), one->rate() / plain.rate());
      std::printf("ratio burst%s%s %.2f\n", path, suffix.c_str(), plain.burst_ms() / one->burst_ms());
    }
  };
  crowd(order, numbers);
  one_at_a_time(order, numbers.rounds);
  print(numbers.connections, "");
  for (const auto& [path, one] : {std::pair{"", &ours}, std::pair{"_portable", &portable}}) {
    std::printf("ratio idle_p50%s %.2f\n", path, one->idle_ms() / plain.idle_ms());
    std::printf("ratio rested_p50%s %.2f\n", path, one->rested_ms() / plain.rested_ms());
  }
  std::printf("%.1f signatures per flush\n", signer.batch_size());
  if (numbers.connections > kFewConnections) {
    for (Contender* one : order) {
      one->connect(kFewConnections);
    }
    crowd(order, numbers);
    print(kFewConnections, "_few");
  }
  return ours.refused() + portable.refused() + plain.refused() + pooled.refused();
}

int run(int argc, char** argv) {
  log::configure(log::Level::error, log::Format::text);
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? std::max<std::size_t>(1, std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  Numbers numbers;
  numbers.rounds = number(1, numbers.rounds);
  numbers.connections = number(2, numbers.connections);
  numbers.keys = std::max(number(3, numbers.keys), numbers.connections);
  numbers.duration = std::chrono::milliseconds(1000 * number(4, 1));
  const BenchFolder folder(argc > 5 ? argv[5] : std::filesystem::temp_directory_path());
  if (argc > 6 && std::string_view(argv[6]) == "ours") {
    profile(folder.path(), numbers);
    return 0;
  }
  const std::uint64_t refused = compare(folder.path(), numbers);
  if (refused != 0) {
    std::printf("refused %" PRIu64 "\n", refused);
  }
  return refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
