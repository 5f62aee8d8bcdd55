// Signatures over distinct messages on one core against blst's full signature (hash to the curve, multiply, compress),
// by processor time of one thread, the sides taking turns so that both see the same machine.
//
// Everything is inside: hashing, tables, checks, compression. Usage: bench_distinct_core [rounds]
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/one_core.h"
#include "crypto/distinct_messages.h"

namespace cc::bench {
namespace {

constexpr std::array<std::size_t, 8> kBatches = {1, 2, 4, 8, 16, 32, 64, 128};
constexpr std::size_t kMost = 128;

class Core {
 public:
  Core() : signatures_(kMost) { keys_ = random_keys(kMost, random_); }

  // Seconds per signature, of kMost of them.
  double blst_full() {
    const double start = processor_seconds();
    for (std::size_t i = 0; i < kMost; ++i) {
      signatures_[i] = keys_[i].secret.sign(next_root());
    }
    return (processor_seconds() - start) / kMost;
  }
  double hash() {
    const double start = processor_seconds();
    for (std::size_t i = 0; i < kMost; ++i) {
      const crypto::HashedMessage message(next_root());
      signatures_[i][0] = message.point()[0];
    }
    return (processor_seconds() - start) / kMost;
  }
  double batches_of(std::size_t size) {
    const double start = processor_seconds();
    for (std::size_t begin = 0; begin < kMost; begin += size) {
      std::vector<crypto::HashedMessage> messages;
      std::vector<crypto::MessageAndKey> entries;
      messages.reserve(size);
      for (std::size_t i = begin; i < begin + size; ++i) {
        messages.emplace_back(next_root());
        entries.push_back({&messages.back(), &keys_[i].secret, &keys_[i].recoded});
      }
      if (!crypto::sign_distinct(entries, std::span(signatures_).subspan(begin, size), scratch_, random_)) {
        std::fprintf(stderr, "the checks of a batch failed\n");
        std::exit(1);
      }
    }
    return (processor_seconds() - start) / kMost;
  }

 private:
  Root next_root() {
    ++number_;
    Root out{};
    for (std::size_t i = 0; i < 8; ++i) {
      out[31 - i] = static_cast<std::uint8_t>(number_ >> (8 * i));
    }
    return out;
  }
  SystemRandom random_;
  std::vector<Key> keys_;
  std::vector<BlsSignature> signatures_;
  crypto::DistinctScratch scratch_;
  std::uint64_t number_ = 0;
};

int run(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
  Core core;
  std::vector<double> full, hash;
  std::array<std::vector<double>, kBatches.size()> batches;
  for (int round = 0; round < rounds; ++round) {
    full.push_back(core.blst_full());
    hash.push_back(core.hash());
    for (std::size_t i = 0; i < kBatches.size(); ++i) {
      batches[i].push_back(core.batches_of(kBatches[i]));
    }
  }
  std::printf("one core, distinct messages, median of %d rounds, microseconds of processor per signature\n", rounds);
  std::printf("%-28s %8.1f\n%-28s %8.1f\n", "blst, full signature", median(full) * 1e6, "of which hash to the curve",
              median(hash) * 1e6);
  double best = 0;
  for (std::size_t i = 0; i < kBatches.size(); ++i) {
    const double ratio = median(full) / median(batches[i]);
    std::printf("in batches of %-14zu %8.1f   %.2f times blst\n", kBatches[i], median(batches[i]) * 1e6, ratio);
    best = std::max(best, ratio);
  }
  // There is no vector path: the portable one is the dispatched one.
  std::printf("ratio distinct_core %.2f\nratio distinct_core_portable %.2f\n", best, best);
  return 0;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
