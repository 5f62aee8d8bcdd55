// Distinct-message signatures over HTTP, as a ratio of blst's bare signing rate on the same cores.
//
// One process, all cores: the real server, endpoints, guard and SQLite (every attestation is flushed before its reply),
// and the load generator beside them. Bare blst and HTTP take turns, so that both see the same machine; the ratio is of
// the medians of all rounds. Usage: bench_distinct_http [seconds per round] [rounds] [connections] [folder]
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <thread>

#include "base/log.h"
#include "bench/bench_signer.h"
#include "bench/contender.h"
#include "bench/requests.h"

namespace cc::bench {
namespace {

struct Sum {
  double count = 0, seconds = 0, processor = 0;
  std::vector<double> rates;
  double rate() const { return median(rates); }
  double rate_per_processor() const { return processor > 0 ? count / processor : 0; }
};

// One thread per core, each signing distinct roots with its own key.
void bare_blst(std::chrono::milliseconds duration, Sum& sum) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<std::uint64_t> total{0};
  const double processor = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < cores; ++t) {
    threads.emplace_back([&, t] {
      SystemRandom random;
      Secret<32> scalar = random.secret<32>();
      expose_secret_bytes(scalar)[0] &= 0x3F;
      const crypto::BlsSecretKey key = crypto::BlsSecretKey::from_checked(std::move(scalar));
      Root root{};
      root[0] = static_cast<std::uint8_t>(t);
      std::uint64_t count = 0;
      while (std::chrono::steady_clock::now() - start < duration) {
        ++count;
        for (int i = 0; i < 8; ++i) {
          root[31 - i] = static_cast<std::uint8_t>(count >> (8 * i));
        }
        const BlsSignature signature = key.sign(root);
        root[1] = signature[5];
      }
      total += count;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  sum.count += static_cast<double>(total.load());
  sum.seconds += seconds;
  sum.rates.push_back(static_cast<double>(total.load()) / seconds);
  sum.processor += processor_seconds() - processor;
}

struct Series {
  Sum sum;
  LoadResult last;
  std::uint64_t refused = 0;
  template <class Run>
  void measure(const Run& run) {
    const double processor = processor_seconds();
    add(run());
    sum.processor += processor_seconds() - processor;
  }
  void add(LoadResult result) {
    sum.count += static_cast<double>(result.answers);
    sum.seconds += result.seconds;
    sum.rates.push_back(static_cast<double>(result.answers) / result.seconds);
    refused += result.refused;
    last = std::move(result);
  }
  void print(const char* name, const Sum& bare) {
    std::printf("%-24s %8.0f signatures/s   %.0f per processor second   latency p50 %.2f ms  p99 %.2f ms\n", name,
                sum.rate(), sum.rate_per_processor(), last.percentile(0.5), last.percentile(0.99));
    std::printf("ratio %s %.2f\n", name, sum.rate() / bare.rate());
    // Distinct messages have no vector path: the portable one is the dispatched one.
    std::printf("ratio %s_portable %.2f\n", name, sum.rate() / bare.rate());
    std::printf("ratio %s_per_processor %.2f\n", name, sum.rate_per_processor() / bare.rate_per_processor());
  }
};

int run(int argc, char** argv) {
  log::configure(log::Level::error, log::Format::text);
  const auto number = [&](int index, int otherwise) { return argc > index ? std::atoi(argv[index]) : otherwise; };
  const std::chrono::milliseconds round(1000 * number(1, 1));
  const int rounds = number(2, 7);
  const auto connections = static_cast<std::size_t>(number(3, 64));
  const BenchFolder folder(argc > 4 ? argv[4] : std::filesystem::temp_directory_path());
  Sum bare;
  Series guarded, free_messages, single;
  double batch = 0;
  {
    const BenchSigner signer(folder.path(), connections);
    const Posts posts(signer.public_keys);
    std::vector<std::uint64_t> epochs(connections, 0);
    std::uint64_t reveals = 0;
    const auto next_vote = [&](std::size_t i, std::string& out) {
      ++epochs[i];
      posts.write(i, attestation(epochs[i], epochs[i] * 100'000 + i), out);
    };
    const auto next_reveal = [&](std::size_t i, std::string& out) { posts.write(i, randao(++reveals), out); };
    LoadClient client(signer.server->port(), connections);
    LoadClient lone(signer.server->port(), 1);
    for (int i = 0; i < rounds; ++i) {
      bare_blst(round, bare);
      const signing::PipelineCounters before = signer.pipeline.counters();
      guarded.measure([&] { return client.run(round, next_vote); });
      const signing::PipelineCounters after = signer.pipeline.counters();
      batch = static_cast<double>(after.signed_total - before.signed_total) /
              static_cast<double>(std::max<std::uint64_t>(1, after.batches_total - before.batches_total));
      free_messages.measure([&] { return client.run(round, next_reveal); });
      single.measure([&] { return lone.run(round / 2, next_vote); });
    }
  }
  std::printf("cores %u, connections %zu, %d rounds of %d s\n", std::thread::hardware_concurrency(), connections,
              rounds, static_cast<int>(round.count() / 1000));
  std::printf("%-24s %8.0f signatures/s   %.0f per processor second\n", "bare_blst", bare.rate(),
              bare.rate_per_processor());
  guarded.print("distinct_http", bare);
  std::printf("%-24s %8.1f signatures per flush\n", "distinct_http batch", batch);
  free_messages.print("distinct_unguarded", bare);
  std::printf("%-24s %8.0f signatures/s   latency p50 %.2f ms  p99 %.2f ms\n", "one connection", single.sum.rate(),
              single.last.percentile(0.5), single.last.percentile(0.99));
  const std::uint64_t refused = guarded.refused + free_messages.refused + single.refused;
  if (refused != 0) {
    std::printf("refused %" PRIu64 "\n", refused);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
