// Same-message signing on one core against blst's full signature (hash to the curve, multiply, compress), by processor
// time of one thread, the sides taking turns so that both see the same machine.
//
// One slot is one message signed by `keys` keys in groups of `group`; hashing, table, sum check and compression are all
// inside. Usage: bench_same_message_core [rounds] [keys] [group]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "bench/one_core.h"
#include "crypto/field_blst.h"
#include "crypto/same_message.h"

namespace cc::bench {
namespace {

class Core {
 public:
  explicit Core(std::size_t count) {
    keys_ = random_keys(count, random_);
    for (const Key& key : keys_) {
      pointers_.push_back({&key.secret, &key.recoded});
    }
    signatures_.resize(count);
    if (crypto::available(crypto::SigningKernel::ifma)) {
      vector_scratch_.emplace(crypto::SigningKernel::ifma);
    }
  }

  // Seconds per signature.
  double blst_full(std::size_t count) {
    const double start = processor_seconds();
    for (std::size_t i = 0; i < count; ++i) {
      signatures_[i % signatures_.size()] = keys_[i % keys_.size()].secret.sign(next_root());
    }
    return (processor_seconds() - start) / static_cast<double>(count);
  }
  double blst_hashed(std::size_t count) {
    const crypto::HashedMessage message(next_root());
    const double start = processor_seconds();
    for (std::size_t i = 0; i < count; ++i) {
      signatures_[i % signatures_.size()] = message.sign(keys_[i % keys_.size()].secret);
    }
    return (processor_seconds() - start) / static_cast<double>(count);
  }
  double slot(crypto::SigningKernel kernel, crypto::WindowLayout layout, std::size_t keys, std::size_t group) {
    crypto::SameMessageScratch& scratch = kernel == crypto::SigningKernel::ifma ? *vector_scratch_ : scratch_;
    const double start = processor_seconds();
    const crypto::HashedMessage message(next_root());
    const crypto::SameMessageTable table(message, layout, kernel);
    for (std::size_t begin = 0; begin < keys; begin += group) {
      const std::size_t size = std::min(group, keys - begin);
      if (!table.sign(std::span(pointers_).subspan(begin, size), std::span(signatures_).subspan(begin, size), scratch,
                      random_)) {
        std::fprintf(stderr, "the sum check failed\n");
        std::exit(1);
      }
    }
    return (processor_seconds() - start) / static_cast<double>(keys);
  }
  double table(crypto::SigningKernel kernel, crypto::WindowLayout layout) {
    const crypto::HashedMessage message(next_root());
    const double start = processor_seconds();
    const crypto::SameMessageTable table(message, layout, kernel);
    return processor_seconds() - start;
  }
  double recoding() {
    const double start = processor_seconds();
    for (const Key& key : keys_) {
      const crypto::RecodedKey again(key.secret);
    }
    return (processor_seconds() - start) / static_cast<double>(keys_.size());
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
  std::vector<crypto::SameMessageKey> pointers_;
  std::vector<BlsSignature> signatures_;
  crypto::SameMessageScratch scratch_;
  std::optional<crypto::SameMessageScratch> vector_scratch_;
  std::uint64_t number_ = 0;
};

struct Case {
  std::string name;
  crypto::SigningKernel kernel;
  crypto::WindowLayout layout;
  crypto::same_message::Scan scan;
  std::vector<double> seconds;
};

std::vector<Case> all_cases() {
  using crypto::SigningKernel;
  using crypto::WindowLayout;
  using crypto::same_message::Scan;
  std::vector<Case> out;
  const auto add = [&out](const char* kind, SigningKernel kernel, Scan scan) {
    const char* const layouts[] = {"w4", "w5", "w6", "w8"};
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back({std::string(kind) + ", " + layouts[i], kernel, static_cast<WindowLayout>(i), scan, {}});
    }
  };
  add("portable, SSE2 scan", SigningKernel::portable, Scan::baseline);
  if (crypto::same_message::best_scan() == Scan::avx2) {
    add("portable, AVX2 scan", SigningKernel::portable, Scan::avx2);
  }
  if (crypto::available(SigningKernel::ifma)) {
    add("AVX-512 IFMA", SigningKernel::ifma, Scan::avx2);
  }
  return out;
}

int run(int argc, char** argv) {
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? static_cast<std::size_t>(std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  const std::size_t rounds = std::max<std::size_t>(1, number(1, 9));
  const std::size_t keys = std::max<std::size_t>(1, number(2, 3125));
  const std::size_t group = std::max<std::size_t>(1, number(3, 256));
  Core core(keys);
  std::vector<Case> cases = all_cases();
  std::vector<double> full, hashed;
  for (std::size_t round = 0; round < rounds; ++round) {
    full.push_back(core.blst_full(256));
    hashed.push_back(core.blst_hashed(256));
    for (Case& one : cases) {
      crypto::same_message::use_scan(one.scan);
      one.seconds.push_back(core.slot(one.kernel, one.layout, keys, group));
    }
  }
  std::printf("one core, %zu keys over one message in groups of %zu, median of %zu rounds, microseconds of processor\n",
              keys, group, rounds);
  std::printf("%-28s %8.1f\n%-28s %8.1f\n", "blst, full signature", median(full) * 1e6, "blst, H(m) kept",
              median(hashed) * 1e6);
  double best = 0;
  double best_portable = 0;
  for (const Case& one : cases) {
    const double ratio = median(full) / median(one.seconds);
    std::printf("%-28s %8.1f   %.2f times blst; building the table %.0f\n", one.name.c_str(), median(one.seconds) * 1e6,
                ratio, core.table(one.kernel, one.layout) * 1e6);
    best = std::max(best, ratio);
    best_portable = one.kernel == crypto::SigningKernel::portable ? std::max(best_portable, ratio) : best_portable;
  }
  std::printf("%-28s %8.2f\n", "recoding a key", core.recoding() * 1e6);
  std::printf("ratio same_message_core %.2f\nratio same_message_core_portable %.2f\n", best, best_portable);
  return 0;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
