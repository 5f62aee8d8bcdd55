// Attestations of one slot over HTTP: every key signs the same message, every signature durable before its reply, the
// load generator on the same cores. The signer against the naive one (bench/naive_signer.h), taking turns.
//
// same_slot_http  signatures per second with many connections, ours / naive
// burst           time until the last of a slot's answers, naive / ours
// idle_p50        median latency of one request at a time, ours / naive
// Usage: bench_same_slot [rounds] [connections] [keys] [seconds] [folder]
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "bench/bench_signer.h"
#include "bench/load_client.h"
#include "bench/naive_signer.h"
#include "bench/requests.h"

namespace cc::bench {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// One signer under test. Each key signs each epoch once; a slot is one epoch here. Every connection walks through its
// own share of the keys.
class Contender {
 public:
  Contender(std::string name, std::uint16_t port, const std::vector<BlsPublicKey>& keys, std::size_t connections)
      : name_(std::move(name)),
        keys_(keys),
        connections_(connections),
        places_(connections, 0),
        many_(port, connections),
        one_(port, 1) {}

  void load(std::chrono::milliseconds duration) {
    begin_slot();
    const LoadResult result = many_.run(duration, [this](std::size_t line) { return next(line); });
    answers_ += static_cast<double>(result.answers);
    seconds_ += result.seconds;
    note(result);
    load_latency_.insert(load_latency_.end(), result.latencies_ms.begin(), result.latencies_ms.end());
  }
  void burst() {
    begin_slot();
    std::size_t sent = 0;
    const LoadResult result =
        many_.burst(keys_.size(), [&](std::size_t) { return post(keys_[sent++], attestation(epoch_, epoch_)); });
    bursts_.push_back(result.seconds * 1000);
    note(result);
  }
  void idle(std::size_t requests) {
    begin_slot();
    std::size_t sent = 0;
    LoadResult result = one_.burst(requests, [&](std::size_t) {
      begin_slot();  // nothing kept from the request before
      return post(keys_[sent++ % keys_.size()], attestation(epoch_, epoch_));
    });
    idle_latency_.insert(idle_latency_.end(), result.latencies_ms.begin(), result.latencies_ms.end());
    note(result);
  }

  double rate() const { return answers_ / seconds_; }
  double burst_ms() const { return median(bursts_); }
  double idle_ms() const { return median(idle_latency_); }
  std::uint64_t refused() const { return refused_; }
  void print() {
    LoadResult all;
    all.latencies_ms = load_latency_;
    LoadResult alone;
    alone.latencies_ms = idle_latency_;
    std::printf("%-22s %8.0f /s  p50 %7.2f  p99 %7.2f ms | burst of %zu: %7.1f ms | alone p50 %.3f  p99 %.3f ms\n",
                name_.c_str(), rate(), all.percentile(0.5), all.percentile(0.99), keys_.size(), burst_ms(),
                alone.percentile(0.5), alone.percentile(0.99));
  }

 private:
  void begin_slot() {
    ++highest_;
    epoch_ = highest_;
    std::fill(places_.begin(), places_.end(), 0);
  }
  // The line's next key; after its last one the line goes on with the next epoch.
  std::string next(std::size_t line) {
    const std::size_t share = keys_.size() / connections_;
    const std::size_t place = places_[line]++;
    const std::uint64_t epoch = epoch_ + place / share;
    highest_ = std::max(highest_, epoch);
    return post(keys_[line * share + place % share], attestation(epoch, epoch));
  }
  void note(const LoadResult& result) { refused_ += result.refused; }

  const std::string name_;
  const std::vector<BlsPublicKey>& keys_;
  const std::size_t connections_;
  std::vector<std::size_t> places_;
  std::uint64_t epoch_ = 0, highest_ = 0;
  LoadClient many_, one_;
  double answers_ = 0, seconds_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<double> load_latency_, idle_latency_, bursts_;
};

int run(int argc, char** argv) {
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? std::max<std::size_t>(1, std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  const std::size_t rounds = number(1, 3);
  const std::size_t connections = number(2, 64);
  const std::size_t keys = std::max(number(3, 3125), connections);
  const std::chrono::milliseconds duration(1000 * number(4, 2));
  const std::filesystem::path base = argc > 5 ? argv[5] : std::filesystem::temp_directory_path();
  std::string pattern = (base / "cc-bench-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  std::uint64_t refused = 0;
  {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const BenchSigner signer(folder, keys);
    const NaiveSigner naive(folder / "naive.sqlite", signer.ring(), 0);
    const NaiveSigner threaded(folder / "threaded.sqlite", signer.ring(), cores);
    signing::PipelineOptions without_vectors;
    without_vectors.vector_kernel = false;
    std::filesystem::create_directory(folder / "portable");
    const BenchSigner portable_signer(folder / "portable", keys, without_vectors);
    Contender ours("containment-chamber", signer.server->port(), signer.public_keys, connections);
    Contender portable("the same, portable", portable_signer.server->port(), portable_signer.public_keys, connections);
    Contender plain("naive", naive.server->port(), signer.public_keys, connections);
    Contender pooled("naive, with threads", threaded.server->port(), signer.public_keys, connections);
    for (std::size_t round = 0; round < rounds; ++round) {
      for (Contender* one : {&plain, &ours, &pooled, &portable}) {
        one->load(duration);
      }
      for (Contender* one : {&plain, &ours, &pooled, &portable}) {
        one->burst();
      }
      for (int turn = 0; turn < 5; ++turn) {
        for (Contender* one : {&plain, &ours, &pooled, &portable}) {
          one->idle(60);
        }
      }
    }
    std::printf("cores %zu, connections %zu, keys %zu, %zu rounds\n", cores, connections, keys, rounds);
    for (Contender* one : {&plain, &pooled, &ours, &portable}) {
      one->print();
      refused += one->refused();
    }
    const signing::PipelineCounters counters = signer.pipeline.counters();
    std::printf("%.1f signatures per flush\n",
                static_cast<double>(counters.signed_total) /
                    static_cast<double>(std::max<std::uint64_t>(1, counters.batches_total)));
    std::printf("ratio same_slot_http_threaded_naive %.2f\n", ours.rate() / pooled.rate());
    std::printf("ratio burst_threaded_naive %.2f\n", pooled.burst_ms() / ours.burst_ms());
    const auto ratios = [&plain](const char* suffix, const Contender& one) {
      std::printf("ratio same_slot_http%s %.2f\n", suffix, one.rate() / plain.rate());
      std::printf("ratio burst%s %.2f\n", suffix, plain.burst_ms() / one.burst_ms());
      std::printf("ratio idle_p50%s %.2f\n", suffix, one.idle_ms() / plain.idle_ms());
    };
    ratios("", ours);
    ratios("_portable", portable);
  }
  std::filesystem::remove_all(folder);
  if (refused != 0) {
    std::printf("refused %llu\n", static_cast<unsigned long long>(refused));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
